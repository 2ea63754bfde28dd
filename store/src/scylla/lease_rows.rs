//! How a lease's row is read and written, and the heartbeat beside it.

use schema::{PartitionId, StreamName};
use scylla::statement::prepared::PreparedStatement;

use super::Scylla;
use super::call::Cas;
use super::slots::{LeaseRow, bytes};
use crate::{LeaseState, StoreError};

impl Scylla {
    /// A lease as most replicas have it.
    pub(super) async fn lease(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
    ) -> Result<Option<LeaseRow>, StoreError> {
        self.read_lease(&self.0.statements.lease, stream, partition).await
    }

    /// A lease after every compare-and-set of it that was begun.
    pub(super) async fn settled(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
    ) -> Result<Option<LeaseRow>, StoreError> {
        self.read_lease(&self.0.statements.lease_settled, stream, partition).await
    }

    async fn read_lease(
        &self,
        statement: &PreparedStatement,
        stream: &StreamName,
        partition: &PartitionId,
    ) -> Result<Option<LeaseRow>, StoreError> {
        let key = (stream.as_str(), partition.as_str());
        LeaseRow::read(&self.0.calls.query("read a lease", statement, key).await?)
    }

    /// Writes the first lease of a partition.
    pub(super) async fn first(
        &self,
        doing: &'static str,
        stream: &StreamName,
        partition: &PartitionId,
        lease: &LeaseRow,
    ) -> Result<Cas, StoreError> {
        let (stream, partition, checkpoint) = (stream.as_str(), partition.as_str(), bytes(&lease.checkpoint));
        let row = (stream, partition, lease.epoch, checkpoint, lease.slot_column(), &lease.parents);
        self.0.calls.cas(doing, &self.0.statements.first_lease, row).await
    }

    /// Writes epoch and owner of a lease over those of the epoch before, if nothing has changed since they were read.
    pub(super) async fn next(
        &self,
        doing: &'static str,
        stream: &StreamName,
        partition: &PartitionId,
        lease: &LeaseRow,
    ) -> Result<Cas, StoreError> {
        let (stream, partition) = (stream.as_str(), partition.as_str());
        // The checkpoint too: with it the slots may have moved since they were read.
        let seen = (lease.epoch - 1, bytes(&lease.checkpoint));
        let row = (lease.epoch, &lease.owner, stream, partition, seen.0, seen.1);
        self.0.calls.cas(doing, &self.0.statements.claim_lease, row).await
    }

    /// What anybody may see of a partition, if it has a lease.
    pub(super) async fn state(
        &self,
        stream: &StreamName,
        partition: PartitionId,
    ) -> Result<Option<LeaseState>, StoreError> {
        let Some(row) = self.lease(stream, &partition).await? else { return Ok(None) };
        // Only who has a name renews: the others' leases cost no further request.
        let heartbeat = match row.owner {
            Some(_) => self.heartbeat(stream, &partition, row.epoch).await?,
            None => 0,
        };
        let LeaseRow { epoch, checkpoint, owner, parents, .. } = row;
        let parents = parents.into_iter().map(PartitionId::new).collect();
        let epoch = epoch as u64;
        Ok(Some(LeaseState { partition, epoch, owner, heartbeat, checkpoint, parents }))
    }

    async fn heartbeat(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: i64,
    ) -> Result<u64, StoreError> {
        let doing = "read a heartbeat";
        let key = (stream.as_str(), partition.as_str(), epoch);
        let rows = self.0.calls.query(doing, &self.0.statements.heartbeat, key).await?;
        let beat = rows.maybe_first_row::<(i64,)>();
        let beat = beat.map_err(|error| StoreError::unavailable(doing, error))?;
        Ok(beat.map_or(0, |(beat,)| beat as u64))
    }
}
