//! How densely a topic's messages lie in time, and so how wide its next bucket is.

use super::{BYTES_MAX, ROWS_MAX, WIDTH_UNKNOWN, WIDTHS};

/// So many rows say enough: older ones count half from then on.
const ROWS_SEEN: u64 = 2_000;

/// Rows and bytes over the time that they span, newer ones counting more.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Density {
    newest: Option<i64>,
    rows: u64,
    bytes: u64,
    /// In microseconds.
    span: u64,
}

impl Density {
    /// Learns of `rows` messages with `bytes` between two times. What lies before the newest so far is late, or of the same
    /// time, and says nothing: that is what parts are for.
    pub(super) fn observe(&mut self, rows: u64, bytes: u64, first: i64, last: i64) {
        let since = self.newest.unwrap_or(first);
        if last > since {
            self.rows += rows;
            self.bytes += bytes;
            self.span += since.abs_diff(last);
            self.newest = Some(last);
        }
        self.newest.get_or_insert(last);
        if self.rows > ROWS_SEEN {
            (self.rows, self.bytes, self.span) = (self.rows / 2, self.bytes / 2, self.span / 2);
        }
    }

    /// The widest bucket that such a topic fills by half at most.
    pub(super) fn width(&self) -> i64 {
        if self.span == 0 {
            return WIDTH_UNKNOWN;
        }
        let fits = |width: &&i64| {
            let share = **width as u128;
            let of = |seen: u64, most: u64| {
                u128::from(seen) * share <= u128::from(most / 2) * u128::from(self.span)
            };
            of(self.rows, ROWS_MAX) && of(self.bytes, BYTES_MAX)
        };
        WIDTHS.iter().rev().find(fits).copied().unwrap_or(WIDTHS[0])
    }

    /// Bytes of a message, on average; at least one.
    pub(super) fn row_bytes(&self) -> Option<u64> {
        (self.rows > 0).then(|| (self.bytes / self.rows).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DAY, HOUR, SECOND};
    use super::*;

    fn width(every_micros: i64, bytes: u64, count: i64) -> i64 {
        let mut density = Density::default();
        for number in 0..count {
            density.observe(1, bytes, number * every_micros, number * every_micros);
        }
        density.width()
    }

    #[test]
    fn the_more_often_the_narrower() {
        for (every, bytes, expect) in [
            (60 * SECOND, 300, 2 * DAY),
            (HOUR, 300, 60 * DAY),
            (30 * DAY, 300, 1_800 * DAY),
            (500, 300, 10 * SECOND),
            (SECOND / 10, 300, 300 * SECOND),
            (60 * SECOND, 1 << 20, 300 * SECOND),
            (10, 300, 10 * SECOND),
        ] {
            assert_eq!(width(every, bytes, 5_000), expect, "one in {every} µs");
        }
        assert_eq!(width(0, 300, 5_000), WIDTH_UNKNOWN, "all times equal");
        assert_eq!(width(1, 300, 1), WIDTH_UNKNOWN);
    }

    #[test]
    fn a_topic_that_calms_down_gets_wider_buckets() {
        let mut density = Density::default();
        density.observe(20_000, 6_000_000, 0, 10 * SECOND);
        assert_eq!(density.width(), 10 * SECOND);
        for number in 1..20_000 {
            density.observe(1, 300, number * 60 * SECOND, number * 60 * SECOND);
        }
        assert_eq!(density.width(), 2 * DAY);
    }
}
