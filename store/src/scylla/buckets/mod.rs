//! Buckets: the servers' partitions of one topic. No process lets one grow past [`ROWS_MAX`] and [`BYTES_MAX`]; it counts what
//! others have written when it opens one, and not what they write meanwhile.
//!
//! A bucket covers `[start, start + width)` of time. Widths come from a ladder: a topic that is written often has narrow
//! ones, so that its newest messages lie in a small one; a topic that is written seldom has wide ones, so that its last
//! hundred lie in few. A bucket that is full before its time is over is followed by its next part. A writer that knows
//! nothing of a topic begins in the middle of the ladder, so buckets may overlap, and a message may lie in two: readers
//! merge them.

mod density;
mod list;
mod place;
mod region;

pub(super) use list::TopicBuckets;
pub(super) use place::Writers;
#[cfg(test)]
pub(super) use region::List;
pub(super) use region::{Listed, Looks, Region};

/// Most rows of a bucket.
pub(super) const ROWS_MAX: u64 = 50_000;
/// Most bytes of a bucket's messages; the last may go beyond.
pub(super) const BYTES_MAX: u64 = 64 << 20;
/// What a message takes beside its JSON, about.
pub(super) const ROW_BYTES: u64 = 64;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// The widths of buckets, in microseconds, narrowest first: ten seconds, five minutes, two hours, two days, 60 days, about
/// five years.
pub(super) const WIDTHS: [i64; 6] = [10 * SECOND, 300 * SECOND, 2 * HOUR, 2 * DAY, 60 * DAY, 1_800 * DAY];
/// For a topic of which nothing is known yet.
const WIDTH_UNKNOWN: i64 = 2 * DAY;

/// One bucket of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bucket {
    /// One of [`WIDTHS`], in microseconds.
    pub(super) width: i64,
    /// A multiple of the width, in microseconds since 1970.
    pub(super) start: i64,
    /// Counts those of the same time.
    pub(super) part: i32,
}

impl Bucket {
    /// The bucket of that width which is over at `end`.
    pub(super) fn ending(end: i64, width: i64, part: i32) -> Self {
        Self { width, start: end.saturating_sub(width), part }
    }

    /// The first part of the bucket of that width for a message of `time`.
    pub(super) fn around(time: i64, width: i64) -> Self {
        Self { width, start: time.div_euclid(width) * width, part: 0 }
    }

    /// Whether a message of `time` may lie here.
    pub(super) fn covers(&self, time: i64) -> bool {
        self.start <= time && time < self.end()
    }

    /// The first instant after it.
    pub(super) fn end(&self) -> i64 {
        self.start.saturating_add(self.width)
    }
}

#[cfg(test)]
mod tests {
    use schema::Timestamp;

    use super::*;

    #[test]
    fn every_time_has_a_bucket_of_each_width() {
        for time in [Timestamp::MIN.0, -1, 0, 1, 1_700_000_000_000_000, Timestamp::MAX.0] {
            for width in WIDTHS {
                let bucket = Bucket::around(time, width);
                assert!(bucket.covers(time) && bucket.start % width == 0, "{time} {width}");
                assert!(!bucket.covers(bucket.end()) && !bucket.covers(bucket.start - 1));
            }
        }
        assert!(WIDTHS.contains(&WIDTH_UNKNOWN) && WIDTHS.is_sorted());
    }
}
