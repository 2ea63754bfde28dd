//! Leases of partitions, and their checkpoints: compared and set.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use schema::{PartitionId, Sequence, StreamName};

use super::Scylla;
use super::call::Cas;
use super::expiry::Rule;
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
                // The checkpoint too: with it the slots may have moved since they were read.
                let row = (epoch, stream, partition, epoch - 1, checkpoint);
                self.0.calls.cas(doing, &statements.claim_lease, row).await?
            };
            if outcome == Cas::Applied {
                let (epoch, checkpoint) = (epoch as u64, lease.checkpoint);
                *holding = Some(Holding { appended: checkpoint, lease, in_doubt: None });
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
        let rule = self.expiry(stream).await?;
        let holding = self.0.partitions.held.partition(stream, partition);
        let mut holding = holding.lock().await;
        self.advance(stream, partition, &mut holding, (epoch as i64, to), &rule).await
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

    /// Brings a checkpoint to its end that was given up while nobody knew whether it was, or will be, written.
    pub(super) async fn settle_doubt(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        holding: &mut Option<Holding>,
        rule: &Rule,
    ) -> Result<(), StoreError> {
        let doubt = holding.as_ref().and_then(|held| Some((held.lease.epoch, held.in_doubt?)));
        if let Some(doubt) = doubt {
            // A zombie's can't be written any more: its epoch is over.
            self.advance(stream, partition, holding, doubt, rule).await?;
        }
        Ok(())
    }

    /// Moves the checkpoint to `to`, if `epoch` still is the partition's. What is held is as the servers have it, after.
    async fn advance(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        holding: &mut Option<Holding>,
        (epoch, to): (i64, Sequence),
        rule: &Rule,
    ) -> Result<bool, StoreError> {
        let doing = "write a checkpoint";
        let deadline = self.0.calls.deadline();
        let (stream, partition) = (stream.as_str(), partition.as_str());
        let held = holding.as_ref().filter(|held| held.lease.epoch == epoch && held.in_doubt.is_none());
        let mut lease = held.map(|held| held.lease.clone());
        loop {
            // Even where it is known to be there: it may be another's by now, who has gone on from there.
            let there = match lease.take().filter(|lease| lease.checkpoint < to) {
                Some(lease) => lease,
                None => {
                    let there = self.settled(stream, partition).await?;
                    let Some(there) = there.filter(|there| there.epoch == epoch) else {
                        // Whatever of an older epoch comes late is refused.
                        settle(holding, epoch, None);
                        return Ok(false);
                    };
                    let there = with_filled(there, holding);
                    if there.checkpoint >= to {
                        settle(holding, epoch, Some(there));
                        return Ok(true);
                    }
                    there
                }
            };
            let held = holding.as_mut().filter(|held| held.lease.epoch == epoch && held.appended <= to);
            let held = held.filter(|_| there.is_full(self.0.slot_rows));
            let next = there.moved(to, held.is_some(), (self.0.clock)(), rule.retention);
            if let Some(held) = held {
                // Before it is sent: whoever waits for the answer may be gone before it comes.
                held.in_doubt = Some(to);
            }
            let (rows, size) = next.filled;
            let row = (bytes(&to), next.slot_column(), rows, size, stream, partition, epoch);
            let (a, b, c, d, e, f, g) = row;
            let row = (a, b, c, d, e, f, g, bytes(&there.checkpoint));
            if self.0.calls.cas(doing, &self.0.statements.checkpoint, row).await? == Cas::Applied {
                match holding {
                    Some(_) => settle(holding, epoch, Some(next)),
                    None => *holding = Some(Holding { appended: to, lease: next, in_doubt: None }),
                }
                return Ok(true);
            }
            again(doing, deadline).await?;
        }
    }
}

/// Nothing of `epoch` is in doubt any more; its lease is this, if it still is one.
fn settle(holding: &mut Option<Holding>, epoch: i64, lease: Option<LeaseRow>) {
    if let Some(held) = holding.as_mut() {
        if lease.is_some() || held.lease.epoch == epoch {
            held.in_doubt = None;
        }
        if let Some(lease) = lease {
            held.lease = lease;
        }
    }
}

/// The lease as it was read, its newest slot as full as this process knows it to be.
fn with_filled(mut there: LeaseRow, holding: &Option<Holding>) -> LeaseRow {
    if let Some(known) = holding.as_ref().filter(|known| known.lease.newest() == there.newest()) {
        there.filled = known.lease.filled.max(there.filled);
    }
    there
}

/// Waits before the next try, unless it is over.
pub(super) async fn again(doing: &'static str, deadline: Instant) -> Result<(), StoreError> {
    if Instant::now() + WAIT >= deadline {
        return Err(StoreError::unavailable(doing, "others are in the way, or the servers do not answer"));
    }
    tokio::time::sleep(WAIT).await;
    Ok(())
}
