//! Leases as a worker sees them: who consumes which shard, and how far.

use std::sync::Arc;

use schema::{PartitionId, Sequence};

/// The name of a worker: another one for each life of a process, so that nobody takes up what a former self has held.
pub type WorkerId = Arc<str>;

/// What the store says of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseView {
    /// The shard.
    pub partition: PartitionId,
    /// The shards that it came of. They stay known here when the source has forgotten them.
    pub parents: Vec<PartitionId>,
    /// 1 + the parents' highest, as of when it was registered.
    pub generation: u32,
    /// Counts the owners.
    pub epoch: u64,
    /// Who consumes it; nobody before the first claim.
    pub owner: Option<WorkerId>,
    /// Its owner raises it as long as it lives.
    pub heartbeat: u64,
    /// How far it is done.
    pub checkpoint: Checkpoint,
}

/// How far a shard is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// Everything up to here.
    At(Sequence),
    /// All that it ever had or will have.
    End,
}

impl LeaseView {
    /// Whether nothing more comes of the shard.
    pub fn is_ended(&self) -> bool {
        self.checkpoint == Checkpoint::End
    }
}
