//! What a store must do for those who consume partitions: leases, checkpoints, and what follows an end.

use async_trait::async_trait;
use schema::{PartitionId, Sequence, StreamName};

use crate::StoreError;

/// The right to write what a partition holds, and where its last owner stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Counts the owners: whoever bears a lower one is a zombie.
    pub epoch: u64,
    /// Everything up to here is done.
    pub checkpoint: Sequence,
}

/// A partition, as anybody may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseState {
    /// The partition.
    pub partition: PartitionId,
    /// How often it was claimed: 0 where it only was registered.
    pub epoch: u64,
    /// The worker that has claimed it, unless it gave it up or has no name.
    pub owner: Option<String>,
    /// Another number after each renewal of this epoch, and 0 before the first. Where epoch and heartbeat stand still for a
    /// lease's term, as measured by the clock of whoever looks, the owner is taken for dead.
    pub heartbeat: u64,
    /// Everything up to here is done; [`Sequence::END`] once that is all that the partition will ever hold.
    pub checkpoint: Sequence,
    /// The partitions that it goes on from, which were registered before it. It may be consumed once all of them have ended.
    pub parents: Vec<PartitionId>,
}

impl LeaseState {
    /// Whether everything of it is done, and its children may be consumed.
    pub fn has_ended(&self) -> bool {
        self.checkpoint == Sequence::END
    }
}

/// Who consumes which partition, and how far.
///
/// A log of one process takes its partitions by [`Leases::claim_lease`]. Workers that share a stream register the partitions
/// that they find, parents first, claim one whose owner is gone by [`Leases::claim_lease_if`], renew it while they have it, and
/// give it up by [`Leases::release_lease`]. Which partition to claim, and when an owner is gone, is theirs to decide.
///
/// **An end** takes three steps, in this order, each acknowledged before the next: the children are registered; the end row is
/// appended to the journal, from the last row up to [`Sequence::END`], naming the children; the checkpoint is moved to
/// [`Sequence::END`]. So whoever sees that a partition has ended finds its children. Each step may be repeated, also by the next
/// owner where one was cut short.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Makes the lease of a partition, which nobody has claimed yet. Nothing changes where it has one.
    ///
    /// # Errors
    /// [`StoreError::NoParent`] if one of `parents` is not registered.
    async fn register_partition(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        parents: &[PartitionId],
    ) -> Result<(), StoreError>;

    /// Takes a partition, whoever has it: raises its epoch, and gives its checkpoint as of the same moment. It is registered
    /// by that, and its owner has no name.
    async fn claim_lease(&self, stream: &StreamName, partition: &PartitionId) -> Result<Lease, StoreError>;

    /// The same for the worker `owner`, if the partition's epoch still is `seen`. `None` means that somebody else was quicker,
    /// or that there is nothing to take: the partition has ended, or is not registered. No two workers at the same time may
    /// bear one name.
    ///
    /// A call that failed may have taken the partition: then `seen` is over, and [`Leases::leases`] has the caller's own name.
    async fn claim_lease_if(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        owner: &str,
        seen: u64,
    ) -> Result<Option<Lease>, StoreError>;

    /// Moves the heartbeat of `epoch`, through the same store by which it was claimed. It is a plain write and says nothing:
    /// that of a zombie is not counted, and its next checkpoint tells it so.
    async fn renew_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
    ) -> Result<(), StoreError>;

    /// Gives a partition up, so that nobody need wait for its term; the epoch stays until the next claim, and the caller writes
    /// nothing any more. `false` means that `epoch` is not the partition's: there is nothing to give up.
    async fn release_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
    ) -> Result<bool, StoreError>;

    /// Moves the checkpoint forward to `to`, if `epoch` still is the partition's. `false` means that it is not: the
    /// caller is a zombie and stops. Whatever was written before it is durable when this answers `true`.
    async fn checkpoint(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        to: Sequence,
    ) -> Result<bool, StoreError>;

    /// All partitions of a stream that were ever registered or claimed.
    async fn leases(&self, stream: &StreamName) -> Result<Vec<LeaseState>, StoreError>;
}
