//! The store that a history is lived on: one that all share, or one of which each process knows only what it asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use schema::{Clock, StreamName, Timestamp, Topic};

use super::cql;
use crate::embedded::Embedded;
use crate::scylla::Scylla;
use crate::{Store, StoreError};

const SECOND: i64 = 1_000_000;
/// No history takes so long. Its own time stands still meanwhile, but not the servers', by which rows expire.
const LASTS_MAX: i64 = 120 * SECOND;

/// What a history is lived on.
#[derive(Clone)]
pub enum Ground {
    /// The embedded store.
    Embedded(Embedded),
    /// A CQL store, the same without a proxy before it, and the history's time.
    Cql(Scylla, Scylla, Arc<AtomicI64>),
}

impl Ground {
    /// A CQL store, at the beginning of time.
    pub fn cql(store: Scylla, straight: Scylla) -> Self {
        Self::Cql(store, straight, Arc::default())
    }

    /// The store as one more process sees it: on CQL it remembers nothing of what others have asked or written.
    pub fn process(&self) -> Arc<dyn Store> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cql(store, _, now) => {
                let now = now.clone();
                let clock: Clock = Arc::new(move || Timestamp(now.load(Ordering::Relaxed)));
                Arc::new(store.another(clock))
            }
        }
    }

    /// A name for the stream of that history: on CQL, histories of earlier runs are there still.
    pub fn name(&self, seed: u64) -> String {
        match self {
            Self::Embedded(_) => format!("history-{seed}"),
            Self::Cql(..) => cql::fresh(&format!("history-{seed}")),
        }
    }

    /// Lets it be `now` in the history. Where nothing sweeps, it should be said once only: rows on CQL then stay.
    pub fn set_time(&self, now: i64) {
        if let Self::Cql(.., time) = self {
            time.store(now, Ordering::Relaxed);
        }
    }

    /// What arrived before this may be gone without a sweep, where `set_time` has said `now`: on CQL, a row that is written
    /// so late that its retention is nearly over, or over, goes within seconds of the servers' own time.
    pub fn cutoff(&self, now: i64, retention: i64) -> i64 {
        match self {
            Self::Embedded(_) => 0,
            Self::Cql(..) => now - retention + LASTS_MAX,
        }
    }

    /// Lets some of what retention has passed at `now` be gone, about `rows_max` rows; how many of them were messages.
    ///
    /// # Errors
    /// As the store's.
    pub async fn sweep(
        &self,
        stream: &StreamName,
        topics: &[Topic],
        now: Timestamp,
        rows_max: usize,
    ) -> Result<usize, StoreError> {
        match self {
            Self::Embedded(store) => Ok(store.sweep(now, rows_max).await?.messages),
            Self::Cql(_, straight, _) => straight.pass_time(stream, topics, now, rows_max).await,
        }
    }

    /// Lets everything be gone that retention has passed at `now`, of all streams that are swept together.
    ///
    /// # Errors
    /// As the store's.
    pub async fn sweep_others(&self, now: Timestamp) -> Result<(), StoreError> {
        if let Self::Embedded(store) = self {
            while store.sweep(now, 100_000).await?.more {}
        }
        Ok(())
    }
}
