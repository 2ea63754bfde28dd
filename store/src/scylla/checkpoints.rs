//! Checkpoints: moved by compare-and-set until that is settled, and with them the journal's slots.

use schema::{PartitionId, Sequence, StreamName};

use super::Scylla;
use super::call::Cas;
use super::expiry::Rule;
use super::leases::again;
use super::slots::{Holding, LeaseRow, bytes};
use crate::StoreError;

impl Scylla {
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
    pub(super) async fn advance(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        holding: &mut Option<Holding>,
        (epoch, to): (i64, Sequence),
        rule: &Rule,
    ) -> Result<bool, StoreError> {
        let doing = "write a checkpoint";
        let deadline = self.0.calls.deadline();
        let held = holding.as_ref().filter(|held| held.lease.is_of(epoch) && held.in_doubt.is_none());
        let mut lease = held.map(|held| held.lease.clone());
        loop {
            // Even where it is known to be there: it may be another's by now, who has gone on from there.
            let there = match lease.take().filter(|lease| lease.checkpoint < to) {
                Some(lease) => lease,
                None => {
                    let there = self.settled(stream, partition).await?;
                    let Some(there) = there.filter(|there| there.is_of(epoch)) else {
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
            // Nothing follows an end.
            let held = held.filter(|_| there.is_full(self.0.slot_rows) && to != Sequence::END);
            let next = there.moved(to, held.is_some(), (self.0.clock)(), rule.retention);
            if let Some(held) = held {
                // Before it is sent: whoever waits for the answer may be gone before it comes.
                held.in_doubt = Some(to);
            }
            let (rows, size) = next.filled;
            let row =
                (bytes(&to), next.slot_column(), rows, size, stream.as_str(), partition.as_str(), epoch);
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
