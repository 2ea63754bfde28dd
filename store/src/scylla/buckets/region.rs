//! Which times the first few buckets of a list tell of for sure. Buckets are listed by their ends, and that is enough: one that
//! is listed later lies beyond, or covers the last instant that is asked about, and those are known by arithmetic, one of
//! each width.

use super::{Bucket, WIDTHS};
use crate::{Order, StoreError};

/// So many are listed at first: a request for them costs no more than for one.
const LOOK_MIN: usize = 16;
/// So many at once later on.
const LOOK_MAX: usize = 1_024;

/// A bucket, and about how large its messages are.
#[derive(Clone, Copy, Debug)]
pub(in crate::scylla) struct Listed {
    pub(in crate::scylla) bucket: Bucket,
    /// Bytes of a message, about.
    pub(in crate::scylla) row_bytes: u64,
}

/// All buckets that may hold messages of a span of time.
#[derive(Debug)]
pub(in crate::scylla) struct Region {
    pub(in crate::scylla) buckets: Vec<Listed>,
    /// The first instant of the span.
    pub(in crate::scylla) from: i64,
    /// The first instant after it.
    pub(in crate::scylla) to: i64,
}

impl Region {
    fn of(listed: impl IntoIterator<Item = Listed>, from: i64, to: i64) -> Self {
        let overlaps = |listed: &Listed| listed.bucket.start < to && listed.bucket.end() > from;
        Self { buckets: listed.into_iter().filter(overlaps).collect(), from, to }
    }
}

/// The list of one topic's buckets. Each of these is one request.
pub(in crate::scylla) trait List {
    /// The first `count` of those that end after `after`, the first to end first.
    async fn oldest(&self, after: i64, count: usize) -> Result<Vec<Listed>, StoreError>;
    /// The first `count` of those that end after `after` and before `before`, the last to end first.
    async fn newest(&self, after: i64, before: i64, count: usize) -> Result<Vec<Listed>, StoreError>;
    /// All of those that end at any of `ends`.
    async fn ending(&self, ends: &[i64]) -> Result<Vec<Listed>, StoreError>;
}

/// A reader's way along the list. Nothing is kept but how it is asked: the list may have grown since.
#[derive(Debug)]
pub(in crate::scylla) struct Looks<L> {
    list: L,
    order: Order,
    /// Buckets of the next look.
    count: usize,
    /// The newest of the list are too new to be of use.
    is_past: bool,
}

impl<L: List> Looks<L> {
    pub(in crate::scylla) fn new(list: L, order: Order) -> Self {
        Self { list, order, count: LOOK_MIN, is_past: false }
    }

    /// The buckets of the first part, in order, of the times `[from, to)`, which are some: as much of it as a few requests can
    /// tell for sure, and never nothing. The whole, where the topic has few buckets.
    pub(in crate::scylla) async fn region(&mut self, from: i64, to: i64) -> Result<Region, StoreError> {
        let count = self.count;
        self.count = (count * 4).min(LOOK_MAX);
        match self.order {
            Order::Ascending => self.oldest(from, to, count).await,
            Order::Descending => self.newest(from, to, count).await,
        }
    }

    async fn oldest(&self, from: i64, to: i64, count: usize) -> Result<Region, StoreError> {
        let listed = self.list.oldest(from, count).await?;
        let Some(last) = last_end(&listed, count) else { return Ok(Region::of(listed, from, to)) };
        // All that end before `last` are listed. Of the others, those that begin before `to` cover the instant before it.
        let to = to.min(last);
        let around = self.list.ending(&ends_around(to - 1)).await?;
        let before = listed.into_iter().filter(|listed| listed.bucket.end() < to);
        Ok(Region::of(before.chain(around), from, to))
    }

    async fn newest(&mut self, from: i64, to: i64, count: usize) -> Result<Region, StoreError> {
        if !self.is_past {
            let listed = self.list.newest(from, i64::MAX, count).await?;
            // One that is not listed ends there at the latest: it covers nothing that comes later.
            let from = last_end(&listed, count).unwrap_or(from);
            if from < to {
                return Ok(Region::of(listed, from, to));
            }
            self.is_past = true;
        }
        let ends = ends_around(to - 1);
        let (listed, around) = tokio::try_join!(self.list.newest(from, to, count), self.list.ending(&ends))?;
        let from = last_end(&listed, count).unwrap_or(from);
        Ok(Region::of(listed.into_iter().chain(around), from, to))
    }
}

/// Where the last of `listed` ends, if there may be more: others may end there, too.
fn last_end(listed: &[Listed], count: usize) -> Option<i64> {
    listed.last().filter(|_| listed.len() >= count).map(|last| last.bucket.end())
}

/// Where the buckets end that cover `time`.
fn ends_around(time: i64) -> Vec<i64> {
    let mut ends: Vec<i64> = WIDTHS.iter().map(|width| Bucket::around(time, *width).end()).collect();
    ends.dedup();
    ends
}
