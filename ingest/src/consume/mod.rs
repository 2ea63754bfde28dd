//! The consumer: walks a log into the store.
//!
//! `record` is what any log gives; `batch` the core, `lane` the steps of one partition, `shapes` what is learned on the way,
//! `retry` what happens while the store fails. `embedded` is the loop around them for the embedded log, and all that is known
//! of that one.

mod batch;
mod embedded;
#[cfg(test)]
mod histories;
mod lane;
mod progress;
mod record;
pub(crate) mod replays;
mod retry;
mod shapes;

use std::time::Instant;

use schema::{PartitionId, StreamName};

pub(crate) use batch::{Batch, Decoded};
pub(crate) use embedded::Consumer;
pub(crate) use lane::{Lane, Outlet};
pub(crate) use progress::Progress;
pub use record::{Body, Record, Span};
pub(crate) use shapes::Shapes;

/// Waits until a checkpoint is `due`; for ever, where none is.
pub(crate) async fn until_due(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Why the consumer has stopped for good. What it had not checkpointed is done again by the next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeError {
    /// Somebody else has claimed a partition since.
    #[error("partition {1} of stream {0} was taken over by another process: this one consumes no more")]
    LostLease(StreamName, PartitionId),
    /// The store's checkpoint is one of another kind of log.
    #[error(
        "partition {1} of stream {0} was fed by another log, whose sequences are no embedded log's: use a store of its own for each log"
    )]
    ForeignLog(StreamName, PartitionId),
}
