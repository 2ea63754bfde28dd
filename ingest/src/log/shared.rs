//! What the log's writer, its readers and its callers share.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schema::{Clock, Timestamp};
use tokio::sync::watch;

use super::LogOffset;
use super::error::{LogError, at};
use super::segment::{self, Segment};
use crate::metrics::LogMetrics;

/// Shared state of one log.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) folder: PathBuf,
    lock: File,
    segments: Mutex<VecDeque<Segment>>,
    pub(crate) durable: watch::Sender<LogOffset>,
    /// Microseconds since 1970.
    pub(crate) last_arrival: AtomicI64,
    pub(crate) records: AtomicU64,
    pub(crate) failing: Mutex<Option<String>>,
    pub(crate) metrics: Arc<LogMetrics>,
}

impl Shared {
    pub(crate) fn new(
        folder: &Path,
        lock: File,
        segments: Vec<Segment>,
        last_arrival: i64,
        records: u64,
        metrics: Arc<LogMetrics>,
    ) -> Self {
        let end = segments.last().map_or(LogOffset::ZERO, Segment::end);
        Self {
            folder: folder.to_path_buf(),
            lock,
            segments: Mutex::new(segments.into()),
            durable: watch::Sender::new(end),
            last_arrival: last_arrival.into(),
            records: records.into(),
            failing: Mutex::default(),
            metrics,
        }
    }

    /// What arrives now arrives then: by the clock, but never earlier than anything before.
    pub(crate) fn next_arrival(&self, clock: &Clock) -> Timestamp {
        let now = clock().0;
        Timestamp(now.max(self.last_arrival.fetch_max(now, Ordering::AcqRel)))
    }

    /// A moment after all arrivals so far, and not after any to come.
    pub(crate) fn turn(&self, clock: &Clock) -> Timestamp {
        let now = clock().0;
        let next = |last: i64| now.max(last.saturating_add(1));
        // The closure always gives a value, so both outcomes bear the former one.
        let last =
            self.last_arrival.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
        Timestamp(next(last.unwrap_or_else(|last| last)))
    }

    /// A group is durable: the last segment, which begins at `base`, now ends after `bytes`.
    pub(crate) fn publish(&self, base: LogOffset, bytes: u64, records: u64) {
        if let Some(last) = self.segments().back_mut() {
            debug_assert_eq!(last.base, base, "only the last segment is written");
            last.bytes = bytes;
        }
        self.records.fetch_add(records, Ordering::AcqRel);
        self.durable.send_replace(LogOffset(base.0 + bytes));
    }

    /// The segment before has its last frame; another one begins.
    pub(crate) fn begin(&self, segment: Segment) {
        self.segments().push_back(segment);
    }

    /// The segment that holds durable bytes at `offset`; the oldest one, where those were trimmed.
    pub(crate) fn segment_at(&self, offset: LogOffset) -> Option<Segment> {
        self.segments().iter().find(|segment| offset < segment.end()).cloned()
    }

    pub(crate) fn first_offset(&self) -> LogOffset {
        self.segments().front().map_or(LogOffset::ZERO, |segment| segment.base)
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.segments().iter().map(|segment| segment.bytes).sum()
    }

    /// Removes segments, oldest first, so that what is left is always without a hole.
    pub(crate) fn trim(&self, before: LogOffset) -> Result<(), LogError> {
        let mut segments = self.segments();
        while segments.len() > 1 && segments.front().is_some_and(|segment| segment.end() <= before) {
            if let Some(segment) = segments.front() {
                let path = segment::path(&self.folder, segment.base);
                fs::remove_file(&path).map_err(at("remove the log's file", &path))?;
                // One by one: after a power cut a younger one must not be gone where an older one still is.
                segment::sync_folder(&self.folder).map_err(at("sync the log's folder", &self.folder))?;
            }
            segments.pop_front();
        }
        Ok(())
    }

    pub(crate) fn set_failing(&self, failure: Option<String>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Lets another process have the folder.
    pub(crate) fn unlock(&self) {
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the log's folder stays locked until this process ends");
        }
    }

    fn segments(&self) -> MutexGuard<'_, VecDeque<Segment>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
