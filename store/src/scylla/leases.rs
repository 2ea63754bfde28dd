//! Leases of partitions, and their checkpoints: compared and set.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use schema::{PartitionId, Sequence, StreamName};

use super::Scylla;
use super::call::Cas;
use super::messages::AT_ONCE;
use super::slots::{Holding, LeaseRow, bytes};
use crate::{Lease, LeaseState, Leases, StoreError};

/// Between two tries of a compare-and-set that others were in the way of.
const WAIT: Duration = Duration::from_millis(20);

#[async_trait]
impl Leases for Scylla {
    /// A claim whose answer did not come is made again: whatever became of the first, the second raises the epoch above it.
    async fn claim_lease(&self, stream: &StreamName, partition: &PartitionId) -> Result<Lease, StoreError> {
        let doing = "claim a lease";
        self.register(stream, partition).await?;
        let holding = self.0.partitions.held.partition(stream, partition);
        let mut holding = holding.lock().await;
        let deadline = self.0.calls.deadline();
        let statements = &self.0.statements;
        let (stream, partition) = (stream.as_str(), partition.as_str());
        loop {
            let there = self.settled(stream, partition).await?;
            let is_new = there.is_none();
            let mut lease = there.unwrap_or_else(|| LeaseRow::unclaimed((self.0.clock)()));
            lease.epoch += 1;
            let (epoch, checkpoint) = (lease.epoch, bytes(&lease.checkpoint));
            let outcome = if is_new {
                let row = (stream, partition, epoch, checkpoint, lease.slot_column());
                self.0.calls.cas(doing, &statements.first_lease, row).await?
            } else {
                let row = (epoch, stream, partition, epoch - 1);
                self.0.calls.cas(doing, &statements.claim_lease, row).await?
            };
            if outcome == Cas::Applied {
                let (epoch, checkpoint) = (epoch as u64, lease.checkpoint);
                *holding = Some(Holding { appended: checkpoint, lease });
                return Ok(Lease { epoch, checkpoint });
            }
            again(doing, deadline).await?;
        }
    }

    /// A checkpoint whose answer did not come is settled by a serial read: it ends what is under way, one way or the other.
    async fn checkpoint(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        to: Sequence,
    ) -> Result<bool, StoreError> {
        let doing = "write a checkpoint";
        let rule = self.expiry(stream).await?;
        let holding = self.0.partitions.held.partition(stream, partition);
        let mut holding = holding.lock().await;
        let deadline = self.0.calls.deadline();
        let (stream, partition) = (stream.as_str(), partition.as_str());
        let mut known = holding.as_ref().filter(|holding| holding.lease.epoch as u64 == epoch);
        let mut lease = known.take().map(|holding| holding.lease.clone());
        loop {
            let Some(there) = lease.take() else {
                match self.settled(stream, partition).await? {
                    Some(there) if there.epoch as u64 == epoch && there.checkpoint >= to => return Ok(true),
                    Some(there) if there.epoch as u64 == epoch => {
                        lease = Some(self.with_filled(there, &holding));
                    }
                    _ => return Ok(false),
                }
                continue;
            };
            if there.checkpoint >= to {
                // It may be another's by now, who has gone on from there.
                lease = None;
                continue;
            }
            let may_roll = holding.as_ref().is_some_and(|holding| holding.appended <= to);
            let next = there.moved(to, may_roll, (self.0.clock)(), rule.retention);
            let (rows, size) = next.filled;
            let row = (bytes(&to), next.slot_column(), rows, size, stream, partition, epoch as i64);
            let (a, b, c, d, e, f, g) = row;
            let row = (a, b, c, d, e, f, g, bytes(&there.checkpoint));
            if self.0.calls.cas(doing, &self.0.statements.checkpoint, row).await? == Cas::Applied {
                match holding.as_mut() {
                    Some(holding) => holding.lease = next,
                    None => *holding = Some(Holding { appended: to, lease: next }),
                }
                return Ok(true);
            }
            again(doing, deadline).await?;
        }
    }

    async fn leases(&self, stream: &StreamName) -> Result<Vec<LeaseState>, StoreError> {
        let partitions = self.partitions(stream).await?;
        let leases = partitions.into_iter().map(|partition| async move {
            let row = self.lease(stream, &partition).await?;
            Ok(row.map(|row| LeaseState { partition, checkpoint: row.checkpoint }))
        });
        let leases: Vec<_> = leases.collect();
        let leases: Vec<Option<LeaseState>> = iter(leases).buffered(AT_ONCE).try_collect().await?;
        Ok(leases.into_iter().flatten().collect())
    }
}

impl Scylla {
    /// A lease as most replicas have it.
    pub(super) async fn lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
    ) -> Result<Option<LeaseRow>, StoreError> {
        let key = (stream.as_str(), partition.as_str());
        LeaseRow::read(&self.0.calls.query("read a lease", &self.0.statements.lease, key).await?)
    }

    /// A lease after every compare-and-set of it that was begun.
    async fn settled(&self, stream: &str, partition: &str) -> Result<Option<LeaseRow>, StoreError> {
        let key = (stream, partition);
        LeaseRow::read(&self.0.calls.query("read a lease", &self.0.statements.lease_settled, key).await?)
    }

    /// The lease as it was read, its newest slot as full as this process knows it to be.
    fn with_filled(&self, mut there: LeaseRow, holding: &Option<Holding>) -> LeaseRow {
        if let Some(known) = holding.as_ref().filter(|known| known.lease.newest() == there.newest()) {
            there.filled = known.lease.filled.max(there.filled);
        }
        there
    }
}

/// Waits before the next try, unless it is over.
pub(super) async fn again(doing: &'static str, deadline: Instant) -> Result<(), StoreError> {
    if Instant::now() + WAIT >= deadline {
        return Err(StoreError::unavailable(doing, "others are in the way, or the servers do not answer"));
    }
    tokio::time::sleep(WAIT).await;
    Ok(())
}
