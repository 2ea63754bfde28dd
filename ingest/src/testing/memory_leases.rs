//! The leases of the store in memory, which panics at a checkpoint ahead of the journal.

use async_trait::async_trait;
use schema::{PartitionId, Sequence, StreamName};
use store::{Lease, LeaseState, Leases, Registration, Report, StoreError};

use super::memory::{Memory, Tables};

impl Tables {
    /// The lease of a partition that `epoch` has claimed, and nobody since.
    fn lease_of(
        &mut self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
    ) -> Option<&mut LeaseState> {
        let lease = self.leases.get_mut(&(stream.clone(), partition.clone()));
        lease.filter(|lease| lease.epoch == epoch && epoch > 0)
    }
}

/// Nobody has renewed it since.
fn silence(lease: &mut LeaseState) {
    (lease.heartbeat, lease.report) = (0, None);
}

fn claim(lease: &mut LeaseState, owner: Option<&str>) -> Lease {
    (lease.owner, lease.wanted_by) = (owner.map(str::to_owned), None);
    silence(lease);
    lease.epoch += 1;
    Lease { epoch: lease.epoch, checkpoint: lease.checkpoint }
}

#[async_trait]
impl Leases for Memory {
    async fn register_partition(&self, stream: &StreamName, new: &Registration) -> Result<(), StoreError> {
        let Registration { partition, parents, .. } = new;
        let leases = &mut self.tables().leases;
        let key = |partition: &PartitionId| (stream.clone(), partition.clone());
        if leases.contains_key(&key(partition)) {
            return Ok(());
        }
        if let Some(parent) = parents.iter().find(|parent| !leases.contains_key(&key(parent))) {
            return Err(StoreError::NoParent { partition: partition.clone(), parent: parent.clone() });
        }
        leases.insert(key(partition), LeaseState::registered(new.clone()));
        Ok(())
    }

    async fn forget_partition(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
    ) -> Result<bool, StoreError> {
        let (leases, key) = (&mut self.tables().leases, (stream.clone(), partition.clone()));
        let has_ended = leases.get(&key).is_some_and(LeaseState::has_ended);
        Ok(has_ended && leases.remove(&key).is_some())
    }

    async fn claim_lease(&self, stream: &StreamName, partition: &PartitionId) -> Result<Lease, StoreError> {
        let mut tables = self.tables();
        let lease = tables.leases.entry((stream.clone(), partition.clone()));
        Ok(claim(lease.or_insert_with(|| LeaseState::registered(Registration::new(partition, &[]))), None))
    }

    async fn claim_lease_if(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        owner: &str,
        seen: u64,
    ) -> Result<Option<Lease>, StoreError> {
        let mut tables = self.tables();
        let lease = tables.leases.get_mut(&(stream.clone(), partition.clone()));
        let lease = lease.filter(|lease| lease.epoch == seen && !lease.has_ended());
        Ok(lease.map(|lease| claim(lease, Some(owner))))
    }

    async fn renew_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        report: Report,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let lease = tables.lease_of(stream, partition, epoch);
        if let Some(lease) = lease.filter(|lease| lease.owner.is_some()) {
            lease.heartbeat += 1;
            lease.report = Some(report);
        }
        Ok(())
    }

    async fn ask_for_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        by: &str,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let lease = tables.lease_of(stream, partition, epoch);
        Ok(lease.map(|lease| lease.wanted_by = Some(by.to_owned())).is_some())
    }

    async fn release_lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let lease = tables.lease_of(stream, partition, epoch);
        let given_up = lease.map(|lease| {
            lease.owner = None;
            silence(lease);
        });
        Ok(given_up.is_some())
    }

    async fn checkpoint(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: u64,
        to: Sequence,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let rows = tables.journal.get(&(stream.clone(), partition.clone()));
        let journaled = rows.is_some_and(|rows| rows.values().any(|row| row.last >= to));
        assert!(journaled, "the checkpoint is ahead of the journal");
        let lease = tables.lease_of(stream, partition, epoch);
        Ok(lease.map(|lease| lease.checkpoint = lease.checkpoint.max(to)).is_some())
    }

    async fn leases(&self, stream: &StreamName) -> Result<Vec<LeaseState>, StoreError> {
        let tables = self.tables();
        let mine = tables.leases.iter().filter(|((of, _), _)| of == stream);
        Ok(mine.map(|(_, lease)| lease.clone()).collect())
    }
}
