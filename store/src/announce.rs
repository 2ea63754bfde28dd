//! Word of what was journaled, from whoever writes to whoever follows. `src` hands it over: so the two need not know each
//! other.

use std::sync::Arc;

use schema::{PartitionId, StreamName};

use crate::JournalRow;

/// Hears of rows of the journal. It is a hint only: one may come twice, late, out of order or not at all, and the journal
/// has them all.
pub trait Announce: Send + Sync {
    /// `row` of `partition` is durable in the journal. Returns soon, and never fails.
    fn announce(&self, stream: &StreamName, partition: &PartitionId, row: &Arc<JournalRow>);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unheard;

impl Announce for Unheard {
    fn announce(&self, _: &StreamName, _: &PartitionId, _: &Arc<JournalRow>) {}
}
