//! Leases of partitions: compared and set, except for their heartbeats.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use schema::{PartitionId, Sequence, StreamName};

use super::Scylla;
use super::call::Cas;
use super::messages::AT_ONCE;
use super::slots::{Holding, LeaseRow, bytes};
use crate::{Lease, LeaseState, Leases, Registration, Report, StoreError};

/// Between two tries of a compare-and-set that others were in the way of.
const WAIT: Duration = Duration::from_millis(20);
/// How long a heartbeat is kept, in seconds: far longer than anybody waits for the next.
const HEARTBEAT_SECONDS: i32 = 86_400;

#[async_trait]
impl Leases for Scylla {
    /// The partition is listed before it has a lease, and passed over where it has none.
    async fn register_partition(&self, stream: &StreamName, new: &Registration) -> Result<(), StoreError> {
        let (doing, partition) = ("register a partition", &new.partition);
        if self.lease(stream, partition).await?.is_some() {
            return Ok(());
        }
        for parent in &new.parents {
            if self.lease(stream, parent).await?.is_none() {
                return Err(StoreError::NoParent { partition: partition.clone(), parent: parent.clone() });
            }
        }
        self.register(stream, partition).await?;
        let lease = LeaseRow::registered((self.0.clock)(), new);
        let deadline = self.0.calls.deadline();
        // Refused, it is there: another's, or this one's whose answer was lost.
        while self.first(doing, stream, partition, &lease).await? == Cas::Unknown {
            again(doing, deadline).await?;
        }
        Ok(())
    }

    /// The partition is listed until it has no lease any more, and goes on being listed if it has dead letters.
    async fn forget_partition(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
    ) -> Result<bool, StoreError> {
        let doing = "forget a partition";
        let holding = self.0.partitions.held.partition(stream, partition);
        let mut holding = holding.lock().await;
        let deadline = self.0.calls.deadline();
        let mut is_in_doubt = false;
        let forgotten = loop {
            let row = (stream.as_str(), partition.as_str(), bytes(&Sequence::END));
            match self.0.calls.cas(doing, &self.0.statements.delete_lease, row).await? {
                Cas::Applied => break true,
                Cas::Unknown => is_in_doubt = true,
                Cas::Refused if self.settled(stream, partition).await?.is_some() => return Ok(false),
                Cas::Refused => break is_in_doubt,
            }
            again(doing, deadline).await?;
        };
        *holding = None;
        if !self.has_letters(stream, partition).await? {
            self.unlist(stream, partition).await?;
        }
        Ok(forgotten)
    }

    /// A claim whose answer did not come is made again: whatever became of the first, the second raises the epoch above it.
    async fn claim_lease(&self, stream: &StreamName, partition: &PartitionId) -> Result<Lease, StoreError> {
        let doing = "claim a lease";
        self.register(stream, partition).await?;
        let holding = self.0.partitions.held.partition(stream, partition);
        let mut holding = holding.lock().await;
        let deadline = self.0.calls.deadline();
        loop {
            let there = self.settled(stream, partition).await?;
            let is_new = there.is_none();
            let mut lease = there.unwrap_or_else(|| LeaseRow::unclaimed((self.0.clock)()));
            lease.epoch += 1;
            (lease.owner, lease.wanted_by) = (None, None);
            let outcome = match is_new {
                true => self.first(doing, stream, partition, &lease).await?,
                false => self.next(doing, stream, partition, &lease).await?,
            };
            if outcome == Cas::Applied {
                return Ok(hold(&mut holding, lease));
            }
            again(doing, deadline).await?;
        }
    }

    /// A claim whose answer did not come was made if the next epoch has its owner's name: whoever claims goes on from the epoch
    /// that it saw, so nobody else of that name can have made it.
    async fn claim_lease_if(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        owner: &str,
        seen: u64,
    ) -> Result<Option<Lease>, StoreError> {
        let doing = "claim a lease";
        let holding = self.0.partitions.held.partition(stream, partition);
        let mut holding = holding.lock().await;
        let deadline = self.0.calls.deadline();
        let mut is_in_doubt = false;
        loop {
            let Some(there) = self.settled(stream, partition).await? else { return Ok(None) };
            let epoch = there.epoch as u64;
            if is_in_doubt && epoch == seen + 1 && there.owner.as_deref() == Some(owner) {
                return Ok(Some(hold(&mut holding, there)));
            }
            if epoch != seen || there.checkpoint == Sequence::END {
                return Ok(None);
            }
            let (owner, wanted_by) = (Some(owner.to_owned()), None);
            let lease = LeaseRow { epoch: there.epoch + 1, owner, wanted_by, ..there };
            match self.next(doing, stream, partition, &lease).await? {
                Cas::Applied => return Ok(Some(hold(&mut holding, lease))),
                Cas::Unknown => is_in_doubt = true,
                // The epoch, or only the checkpoint: the next look tells.
                Cas::Refused => {}
            }
            again(doing, deadline).await?;
        }
    }

    /// Each epoch has a row of its own, so a zombie's heartbeat is in nobody's way.
    async fn renew_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        report: Report,
    ) -> Result<(), StoreError> {
        let beat = self.0.partitions.beats.fetch_add(1, Ordering::Relaxed) + 1;
        let (stream, partition, epoch) = (stream.as_str(), partition.as_str(), epoch as i64);
        let [lag, unmarked, bytes, throttles, retries, letters] =
            report.numbers().map(|number| number as i64);
        let row = (
            stream,
            partition,
            epoch,
            beat,
            lag,
            unmarked,
            bytes,
            throttles,
            retries,
            letters,
            HEARTBEAT_SECONDS,
        );
        self.0.calls.run("renew a lease", &self.0.statements.insert_heartbeat, row).await?;
        Ok(())
    }

    async fn ask_for_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        by: &str,
    ) -> Result<bool, StoreError> {
        let row = (by, stream.as_str(), partition.as_str(), epoch as i64);
        self.if_of("ask for a lease", &self.0.statements.ask_for_lease, epoch, row).await
    }

    async fn release_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
    ) -> Result<bool, StoreError> {
        let row = (stream.as_str(), partition.as_str(), epoch as i64);
        self.if_of("give a lease up", &self.0.statements.release_lease, epoch, row).await
    }

    /// A checkpoint whose answer did not come is settled by a serial read: it ends what is under way, one way or the other.
    async fn checkpoint(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        to: Sequence,
    ) -> Result<bool, StoreError> {
        let rule = self.expiry(stream).await?;
        let holding = self.0.partitions.held.partition(stream, partition);
        let mut holding = holding.lock().await;
        self.advance(stream, partition, &mut holding, (epoch as i64, to), &rule).await
    }

    async fn leases(&self, stream: &StreamName) -> Result<Vec<LeaseState>, StoreError> {
        let partitions = self.partitions(stream).await?;
        let leases = partitions.into_iter().map(|partition| self.state(stream, partition));
        let leases: Vec<_> = leases.collect();
        let leases: Vec<Option<LeaseState>> = iter(leases).buffered(AT_ONCE).try_collect().await?;
        Ok(leases.into_iter().flatten().collect())
    }
}

/// This process has claimed `lease`, and remembers it.
fn hold(holding: &mut Option<Holding>, lease: LeaseRow) -> Lease {
    let (epoch, checkpoint) = (lease.epoch as u64, lease.checkpoint);
    *holding = Some(Holding { appended: checkpoint, lease, in_doubt: None });
    Lease { epoch, checkpoint }
}

/// Waits before the next try, unless it is over.
pub(super) async fn again(doing: &'static str, deadline: Instant) -> Result<(), StoreError> {
    if Instant::now() + WAIT >= deadline {
        return Err(StoreError::unavailable(doing, "others are in the way, or the servers do not answer"));
    }
    tokio::time::sleep(WAIT).await;
    Ok(())
}
