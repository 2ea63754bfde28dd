//! What a store must do for those who consume partitions: leases, checkpoints, and what follows an end.

use async_trait::async_trait;
use schema::{PartitionId, Sequence, StreamName, Timestamp};

use crate::StoreError;

/// The right to write what a partition holds, and where its last owner stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Counts the owners: whoever bears a lower one is a zombie.
    pub epoch: u64,
    /// Everything up to here is done.
    pub checkpoint: Sequence,
}

/// A partition that gets a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The partition.
    pub partition: PartitionId,
    /// The partitions that it goes on from.
    pub parents: Vec<PartitionId>,
    /// 1 + the parents' highest, as of now: it stays so when their leases are gone.
    pub generation: u32,
    /// Now.
    pub registered_at: Timestamp,
    /// Where reading begins while nothing was consumed: with what came since; all that there is, where it says nothing.
    pub reads_from: Option<Timestamp>,
}

impl Registration {
    /// One of the first generation, that was there since 1970, and of which all is read.
    pub fn new(partition: &PartitionId, parents: &[PartitionId]) -> Self {
        let (generation, registered_at, reads_from) = (1, Timestamp(0), None);
        Self {
            partition: partition.clone(),
            parents: parents.to_vec(),
            generation,
            registered_at,
            reads_from,
        }
    }
}

/// What an owner says of its partition with each renewal, for those who look at it and for those who share its work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How long ago what comes next was put, in milliseconds.
    pub lag_ms: u64,
    /// How long the oldest work without a checkpoint has waited for one, in milliseconds.
    pub unmarked_ms: u64,
    /// Bytes of records in a second, lately.
    pub bytes_per_second: u64,
    /// Since it was claimed: requests that the log refused as too many.
    pub throttles: u64,
    /// Since it was claimed: requests that failed, and were made again.
    pub retries: u64,
    /// Since it was claimed: records that could not become messages.
    pub dead_letters: u64,
}

impl Report {
    /// Its numbers, for a backend to keep.
    pub(crate) fn numbers(&self) -> [u64; 6] {
        let Self { lag_ms, unmarked_ms, bytes_per_second, throttles, retries, dead_letters } = *self;
        [lag_ms, unmarked_ms, bytes_per_second, throttles, retries, dead_letters]
    }

    /// The report of these numbers.
    pub(crate) fn of(numbers: [u64; 6]) -> Self {
        let [lag_ms, unmarked_ms, bytes_per_second, throttles, retries, dead_letters] = numbers;
        Self { lag_ms, unmarked_ms, bytes_per_second, throttles, retries, dead_letters }
    }
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
    /// As it was registered: 1 + the parents' highest.
    pub generation: u32,
    /// When it was registered; 1970, where it was claimed without that.
    pub registered_at: Timestamp,
    /// As it was registered: where reading begins while nothing was consumed.
    pub reads_from: Option<Timestamp>,
    /// What its owner said when it renewed the lease last, if it has in this epoch.
    pub report: Option<Report>,
    /// The worker that asks the owner of this epoch to give it up, or for which that was done.
    pub wanted_by: Option<String>,
}

impl LeaseState {
    /// A partition that was registered, and that nobody has claimed.
    pub fn registered(registration: Registration) -> Self {
        let Registration { partition, parents, generation, registered_at, reads_from } = registration;
        Self {
            partition,
            epoch: 0,
            owner: None,
            heartbeat: 0,
            checkpoint: Sequence::ZERO,
            parents,
            generation,
            registered_at,
            reads_from,
            report: None,
            wanted_by: None,
        }
    }

    /// Whether everything of it is done, and its children may be consumed.
    pub fn has_ended(&self) -> bool {
        self.checkpoint == Sequence::END
    }
}

/// Who consumes which partition, and how far.
///
/// A log of one process takes its partitions by [`Leases::claim_lease`]. Workers that share a stream register the partitions
/// that they find, parents first, claim one whose owner is gone by [`Leases::claim_lease_if`], renew it while they have it, and
/// give it up by [`Leases::release_lease`], which others ask for by [`Leases::ask_for_lease`]. Which partition to claim, and when an owner is gone, is theirs to decide.
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
    /// [`StoreError::NoParent`] if one of its parents is not registered.
    async fn register_partition(&self, stream: &StreamName, new: &Registration) -> Result<(), StoreError>;

    /// Takes the lease of a partition that has ended away, as if it had never been; `false` if there is none that has ended.
    /// This is for a partition that no log names any more and whose journal is gone.
    async fn forget_partition(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
    ) -> Result<bool, StoreError>;

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

    /// Moves the heartbeat of `epoch`, through the same store by which it was claimed, and says how its owner is doing. It is a
    /// plain write and says nothing: that of a zombie is not counted, and its next checkpoint tells it so.
    async fn renew_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        report: Report,
    ) -> Result<(), StoreError>;

    /// Asks the owner of `epoch` to give the partition up to the worker `by`. It stands there until the next claim, unless
    /// another asks. `false` means that `epoch` is not the partition's: there is nobody to ask.
    async fn ask_for_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        by: &str,
    ) -> Result<bool, StoreError>;

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
