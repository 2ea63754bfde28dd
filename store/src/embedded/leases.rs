//! Leases of partitions, and their checkpoints.

use async_trait::async_trait;
use schema::{PartitionId, Sequence, StreamName};

use super::Embedded;
use super::blocking::{Fault, lock};
use super::keys;
use super::tables::Tables;
use super::values::{Heartbeat, LeaseValue};
use crate::{Lease, LeaseState, Leases, Registration, Report, StoreError};

/// None is synced but a checkpoint: if power fails and an epoch or a partition is forgotten, so is every worker that knew of it,
/// as one process has them all.
#[async_trait]
impl Leases for Embedded {
    async fn register_partition(&self, stream: &StreamName, new: &Registration) -> Result<(), StoreError> {
        let key = keys::meta_lease(stream, &new.partition);
        let lease = LeaseValue::registered(new);
        let stream = stream.clone();
        let missing = self.write("register a partition", move |tables| {
            let _one_at_a_time = lock(&tables.leases);
            if tables.lease(&key)?.is_some() {
                return Ok(None);
            }
            for parent in &lease.parents {
                if tables.lease(&keys::meta_lease(&stream, parent))?.is_none() {
                    return Ok(Some(parent.clone()));
                }
            }
            tables.meta.insert(key, lease.encode())?;
            Ok(None)
        });
        match missing.await? {
            Some(parent) => Err(StoreError::NoParent { partition: new.partition.clone(), parent }),
            None => Ok(()),
        }
    }

    async fn forget_partition(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
    ) -> Result<bool, StoreError> {
        let keys = [keys::meta_lease, keys::meta_heartbeat].map(|key| key(stream, partition));
        self.write("forget a partition", move |tables| {
            let _one_at_a_time = lock(&tables.leases);
            if tables.lease(&keys[0])?.is_none_or(|lease| lease.checkpoint != Sequence::END) {
                return Ok(false);
            }
            keys.into_iter().try_for_each(|key| tables.meta.remove(key))?;
            Ok(true)
        })
        .await
    }

    async fn claim_lease(&self, stream: &StreamName, partition: &PartitionId) -> Result<Lease, StoreError> {
        let key = keys::meta_lease(stream, partition);
        self.write("claim a lease", move |tables| {
            let _one_at_a_time = lock(&tables.leases);
            let there = tables.lease(&key)?.unwrap_or_else(LeaseValue::unclaimed);
            tables.claim(key, there, None)
        })
        .await
    }

    async fn claim_lease_if(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        owner: &str,
        seen: u64,
    ) -> Result<Option<Lease>, StoreError> {
        let key = keys::meta_lease(stream, partition);
        let owner = owner.to_owned();
        self.write("claim a lease", move |tables| {
            let _one_at_a_time = lock(&tables.leases);
            match tables.lease(&key)? {
                Some(there) if there.epoch == seen && there.checkpoint != Sequence::END => {
                    tables.claim(key, there, Some(owner)).map(Some)
                }
                _ => Ok(None),
            }
        })
        .await
    }

    async fn renew_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        report: Report,
    ) -> Result<(), StoreError> {
        let (key, beats) = (keys::meta_lease(stream, partition), keys::meta_heartbeat(stream, partition));
        self.write("renew a lease", move |tables| {
            let _one_at_a_time = lock(&tables.leases);
            if tables.lease_of(&key, epoch)?.is_some() {
                let beat = tables.heartbeat(&beats, epoch)?.map_or(0, |heartbeat| heartbeat.beat) + 1;
                tables.meta.insert(beats, Heartbeat { epoch, beat, report }.encode())?;
            }
            Ok(())
        })
        .await
    }

    async fn ask_for_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        by: &str,
    ) -> Result<bool, StoreError> {
        let (key, by) = (keys::meta_lease(stream, partition), by.to_owned());
        self.write("ask for a lease", move |tables| {
            let _one_at_a_time = lock(&tables.leases);
            let Some(there) = tables.lease_of(&key, epoch)? else { return Ok(false) };
            tables.meta.insert(key, LeaseValue { wanted_by: Some(by), ..there }.encode())?;
            Ok(true)
        })
        .await
    }

    async fn release_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
    ) -> Result<bool, StoreError> {
        let key = keys::meta_lease(stream, partition);
        self.write("give a lease up", move |tables| {
            let _one_at_a_time = lock(&tables.leases);
            let Some(there) = tables.lease_of(&key, epoch)? else { return Ok(false) };
            tables.meta.insert(key, LeaseValue { owner: None, ..there }.encode())?;
            Ok(true)
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
        let stream = stream.clone();
        self.read("list leases", move |tables| {
            let mut leases = Vec::new();
            for row in tables.meta.prefix(&prefix) {
                let (key, value) = row.into_inner()?;
                let lease = keys::read_partition(&key[prefix.len()..]).zip(LeaseValue::decode(&value));
                let (partition, lease) = lease.ok_or_else(|| Fault::corrupt("a lease"))?;
                // Only who has a name renews: the others' leases cost no further look.
                let heartbeat = match lease.owner {
                    Some(_) => tables.heartbeat(&keys::meta_heartbeat(&stream, &partition), lease.epoch)?,
                    None => None,
                };
                leases.push(LeaseState {
                    partition,
                    epoch: lease.epoch,
                    owner: lease.owner,
                    heartbeat: heartbeat.map_or(0, |heartbeat| heartbeat.beat),
                    checkpoint: lease.checkpoint,
                    parents: lease.parents,
                    generation: lease.generation,
                    registered_at: lease.registered_at,
                    reads_from: lease.reads_from,
                    report: heartbeat.map(|heartbeat| heartbeat.report),
                    wanted_by: lease.wanted_by,
                });
            }
            Ok(leases)
        })
        .await
    }
}

impl Tables {
    /// The lease under `key`.
    pub(super) fn lease(&self, key: &[u8]) -> Result<Option<LeaseValue>, Fault> {
        let Some(value) = self.meta.get(key)? else { return Ok(None) };
        Ok(Some(LeaseValue::decode(&value).ok_or_else(|| Fault::corrupt("a lease"))?))
    }

    /// The same, if `epoch` has claimed it and nobody since.
    fn lease_of(&self, key: &[u8], epoch: u64) -> Result<Option<LeaseValue>, Fault> {
        Ok(self.lease(key)?.filter(|lease| lease.epoch == epoch && epoch > 0))
    }

    /// Raises the epoch of the lease that was found under `key`.
    fn claim(&self, key: Vec<u8>, there: LeaseValue, owner: Option<String>) -> Result<Lease, Fault> {
        let lease = LeaseValue { epoch: there.epoch + 1, owner, wanted_by: None, ..there };
        self.meta.insert(key, lease.encode())?;
        Ok(Lease { epoch: lease.epoch, checkpoint: lease.checkpoint })
    }

    /// An epoch's heartbeat, which stands under `key` if there was one.
    fn heartbeat(&self, key: &[u8], epoch: u64) -> Result<Option<Heartbeat>, Fault> {
        let Some(value) = self.meta.get(key)? else { return Ok(None) };
        let heartbeat = Heartbeat::decode(&value).ok_or_else(|| Fault::corrupt("a heartbeat"))?;
        Ok(Some(heartbeat).filter(|heartbeat| heartbeat.epoch == epoch))
    }

    fn checkpoint(&self, key: Vec<u8>, epoch: u64, to: Sequence) -> Result<bool, Fault> {
        {
            let _one_at_a_time = lock(&self.leases);
            match self.lease_of(&key, epoch)? {
                None => return Ok(false),
                // A checkpoint that was passed already is written already; it may still wait for its sync.
                Some(there) if there.checkpoint >= to => {}
                Some(there) => self.meta.insert(key, LeaseValue { checkpoint: to, ..there }.encode())?,
            }
        }
        // One sync is enough for rows, journal and checkpoint. All tables share one write-ahead log; whatever was
        // acknowledged before this call stands before the checkpoint in it, and after a crash it is replayed from its
        // start to the first batch that is not whole. So the checkpoint never comes back without what it covers.
        self.sync.run(&self.db)?;
        Ok(true)
    }
}
