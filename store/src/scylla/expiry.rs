//! How long a row has to live: what is left of its stream's retention, counted from arrival.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use schema::{StreamName, Timestamp};

use super::Scylla;
use crate::{StoreError, StreamRecord};

/// How long a stream's retention is taken for granted, should another process change it.
const KNOWN: Duration = Duration::from_secs(30);
/// The longest time to live that the servers know: 20 years, in seconds. Beyond, rows stay.
pub(super) const TTL_MAX: i64 = 630_720_000;
const SECOND: i64 = 1_000_000;

/// The rules of all streams that were written to.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    known: Mutex<HashMap<StreamName, (Instant, Rule)>>,
}

/// How long a stream's rows live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// In microseconds; a stream that the catalog does not know keeps its rows.
    pub(super) retention: Option<i64>,
    /// The longest window in which any of its definitions folds ids, in microseconds.
    pub(super) id_window: i64,
    pub(super) now: Timestamp,
}

/// The timestamp of a row that several processes write and that goes at `until`: servers keep the one that stays longest,
/// whoever wrote last. It lies below 0, as they refuse those in the future.
pub(super) fn stamp(until: i64) -> i64 {
    until.clamp(Timestamp::MIN.0, Timestamp::MAX.0) - Timestamp::MAX.0 - 1
}

impl Rule {
    /// When a row goes that arrived then, in microseconds; the end of time where it stays.
    pub(super) fn until(&self, arrived_at: Timestamp) -> i64 {
        self.retention.map_or(i64::MAX, |retention| arrived_at.0.saturating_add(retention))
    }

    /// The time to live of a row that goes at `until`, in seconds, as the servers want it: 0 for ever. What is over
    /// already lives for a second.
    pub(super) fn ttl(&self, until: i64) -> i32 {
        match until.saturating_sub(self.now.0).max(SECOND) {
            left if left / SECOND >= TTL_MAX => 0,
            left => (left / SECOND) as i32,
        }
    }

    /// `until` and some: rows that say where others are outlive them, and need not be written again for each.
    pub(super) fn with_slack(&self, until: i64) -> i64 {
        self.retention.map_or(i64::MAX, |retention| until.saturating_add(3_600 * SECOND + retention / 8))
    }
}

impl Expiry {
    /// Forgets what is known of a stream, as its entry has changed.
    pub(super) fn forget(&self, stream: &StreamName) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(stream);
    }
}

impl Scylla {
    /// The rule of a stream, as of now.
    pub(super) async fn expiry(&self, stream: &StreamName) -> Result<Rule, StoreError> {
        let inner = &self.0;
        let now = (inner.clock)();
        let known = {
            let known = inner.expiry.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(stream).copied()
        };
        if let Some((_, rule)) = known.filter(|(since, _)| since.elapsed() < KNOWN) {
            return Ok(Rule { now, ..rule });
        }
        let record: Option<(_, StreamRecord)> = self.catalogued("stream", stream.as_str()).await?;
        // Not remembered: what comes once the stream is there must not stay for ever.
        let Some((_, record)) = record else { return Ok(Rule { retention: None, id_window: 0, now }) };
        let windows = record.definitions.iter().map(|(_, definition)| definition.id_window.micros());
        let retention = Some(record.current().retention.micros());
        let rule = Rule { retention, id_window: windows.max().unwrap_or(0), now };
        let mut known = inner.expiry.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(stream.clone(), (Instant::now(), rule));
        Ok(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_counts_from_arrival() {
        let rule = |retention| Rule { retention, id_window: 0, now: Timestamp(100 * SECOND) };
        let kept = rule(Some(30 * SECOND));
        for (arrived_at, ttl) in [(100, 30), (90, 20), (70, 1), (0, 1), (-1_000_000, 1)] {
            assert_eq!(kept.ttl(kept.until(Timestamp(arrived_at * SECOND))), ttl, "{arrived_at}");
        }
        let forever = rule(None);
        assert_eq!(forever.ttl(forever.until(Timestamp(0))), 0);
        assert_eq!(forever.ttl(forever.with_slack(i64::MAX)), 0);
        let long = rule(Some(TTL_MAX * SECOND));
        assert_eq!(long.ttl(long.until(Timestamp(100 * SECOND))), 0);
        assert!(kept.with_slack(130 * SECOND) > 3_700 * SECOND);
    }
}
