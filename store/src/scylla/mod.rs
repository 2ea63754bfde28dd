//! The store of many machines: ScyllaDB or Apache Cassandra, over CQL.
//!
//! Messages lie in buckets of a topic, each one partition of the servers and bounded by them; the journal lies in
//! slots of a partition of the log, likewise. `migrations/` has the tables, and every statement stands in `statements`.
//! What a writer remembers (how full a bucket is, which slot is the newest) is a hint that is read again after a restart;
//! what readers rely on is in the tables alone.
//!
//! **Retention** is the servers' business: every row that belongs to a message is written with what is left of its stream's
//! retention, counted from arrival, as its time to live. So nothing is swept.

mod ahead;
mod batch;
mod buckets;
mod call;
mod catalog;
mod checkpoints;
mod dead_letters;
mod dialect;
mod entries;
mod examine;
mod expiry;
mod fault;
mod ids;
mod journal;
mod lease_rows;
mod leases;
mod messages;
pub mod migrate;
mod names;
mod options;
mod pages;
mod partitions;
#[cfg(any(test, feature = "testing"))]
mod passing;
mod place;
mod reach;
mod refused;
mod rows;
mod session;
mod shelf;
mod slots;
mod statements;
#[cfg(test)]
mod tests;
mod tls;
mod topics;
mod validity;

use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use examine::{Answering, Cluster, Contents, Examined, Keyspace, Nodes, examine};
pub use options::{Agreement, ScyllaOptions};
pub use refused::Refusal;
use schema::Clock;
pub use tls::Tls;

use crate::StoreError;
use ahead::Ahead;
use buckets::Writers;
use call::Calls;
use expiry::Expiry;
use partitions::Partitions;
use statements::Statements;

/// A store on CQL. Clones are the same store.
#[derive(Clone)]
pub struct Scylla(Arc<Inner>);

struct Inner {
    calls: Arc<Calls>,
    statements: Arc<Statements>,
    expiry: Expiry,
    writers: Writers,
    partitions: Partitions,
    ahead: Ahead,
    clock: Clock,
    /// Most rows of a journal's slot when a checkpoint is written.
    slot_rows: i64,
}

impl Scylla {
    /// Connects to a keyspace whose schema this binary knows. `clock` says how much is left of a retention.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the options can't be used, no host answers within `connect_ms`, the user can't log in, the
    /// datacenter is none of the cluster's, or the schema is another: both versions are named then.
    pub async fn open(options: &ScyllaOptions, password: &str, clock: Clock) -> Result<Self, StoreError> {
        let place = options.place()?;
        let session = session::connect(options, password, Some(&place)).await?;
        migrate::check(&session, &place.keyspace).await?;
        let statements = Statements::prepare(&session).await;
        let statements = statements.map_err(|error| {
            StoreError::Open(format!("the CQL store's statements can't be prepared: {error}"))
        })?;
        Ok(Self(Arc::new(Inner {
            calls: Arc::new(Calls::new(session, options)),
            statements: Arc::new(statements),
            expiry: Expiry::default(),
            writers: Writers::new(options.topics_known),
            partitions: Partitions::default(),
            ahead: Ahead::new(options.journal_cache_bytes),
            clock,
            slot_rows: slots::ROWS_MAX,
        })))
    }

    /// How many requests the servers were sent, tries among them.
    pub fn requests(&self) -> u64 {
        self.0.calls.sent.load(Ordering::Relaxed)
    }

    /// What a proxy finds in requests that claim a lease or write a checkpoint.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn deciding(&self) -> [bytes::Bytes; 2] {
        let statements = &self.0.statements;
        [&statements.claim_lease, &statements.checkpoint].map(|statement| statement.get_id().clone())
    }

    /// The store as another process knows it: over the same connections, and with nothing in memory. It rolls slots after
    /// a few rows.
    #[cfg(any(test, feature = "testing"))]
    pub fn another(&self, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            calls: self.0.calls.clone(),
            statements: self.0.statements.clone(),
            expiry: Expiry::default(),
            writers: Writers::new(1_000),
            partitions: Partitions::default(),
            // Little is kept: most of it is read again and again.
            ahead: Ahead::new(4_096),
            clock,
            slot_rows: 3,
        }))
    }
}
