//! Leases of partitions, and their checkpoints.

use async_trait::async_trait;
use schema::{PartitionId, Sequence, StreamName};

use super::Embedded;
use super::blocking::{Fault, lock};
use super::tables::Tables;
use super::{keys, values};
use crate::{Lease, LeaseState, Leases, StoreError};

#[async_trait]
impl Leases for Embedded {
    async fn claim_lease(&self, stream: &StreamName, partition: &PartitionId) -> Result<Lease, StoreError> {
        let key = keys::meta_lease(stream, partition);
        self.write("claim a lease", move |tables| {
            let _one_at_a_time = lock(&tables.leases);
            let (epoch, checkpoint) = tables.lease(&key)?.unwrap_or((0, Sequence::ZERO));
            let lease = Lease { epoch: epoch + 1, checkpoint };
            // No sync: if power fails and the epoch is forgotten, so is every worker that bore it, as one process has
            // them all.
            tables.meta.insert(key, values::lease(lease.epoch, &checkpoint))?;
            Ok(lease)
        })
        .await
    }

    async fn checkpoint(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        to: Sequence,
    ) -> Result<bool, StoreError> {
        let key = keys::meta_lease(stream, partition);
        self.write("write a checkpoint", move |tables| tables.checkpoint(key, epoch, to)).await
    }

    async fn leases(&self, stream: &StreamName) -> Result<Vec<LeaseState>, StoreError> {
        let prefix = keys::meta_leases(stream);
        self.read("list leases", move |tables| {
            let mut leases = Vec::new();
            for row in tables.meta.prefix(&prefix) {
                let (key, value) = row.into_inner()?;
                let lease = keys::read_partition(&key[prefix.len()..]).zip(values::read_lease(&value));
                let (partition, (_, checkpoint)) = lease.ok_or_else(|| Fault::corrupt("a lease"))?;
                leases.push(LeaseState { partition, checkpoint });
            }
            Ok(leases)
        })
        .await
    }
}

impl Tables {
    /// Epoch and checkpoint of the lease under `key`.
    pub(super) fn lease(&self, key: &[u8]) -> Result<Option<(u64, Sequence)>, Fault> {
        let Some(value) = self.meta.get(key)? else { return Ok(None) };
        Ok(Some(values::read_lease(&value).ok_or_else(|| Fault::corrupt("a lease"))?))
    }

    fn checkpoint(&self, key: Vec<u8>, epoch: u64, to: Sequence) -> Result<bool, Fault> {
        {
            let _one_at_a_time = lock(&self.leases);
            match self.lease(&key)? {
                Some((current, _)) if current != epoch => return Ok(false),
                None => return Ok(false),
                // A checkpoint that was passed already is written already; it may still wait for its sync.
                Some((_, checkpoint)) if checkpoint >= to => {}
                Some(_) => self.meta.insert(key, values::lease(epoch, &to))?,
            }
        }
        // One sync is enough for rows, journal and checkpoint. All tables share one write-ahead log; whatever was
        // acknowledged before this call stands before the checkpoint in it, and after a crash it is replayed from its
        // start to the first batch that is not whole. So the checkpoint never comes back without what it covers.
        self.sync.run(&self.db)?;
        Ok(true)
    }
}
