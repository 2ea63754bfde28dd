//! How a lease's row is read and written, and the heartbeat beside it.

use schema::{PartitionId, StreamName};
use scylla::serialize::row::SerializeRow;
use scylla::statement::prepared::PreparedStatement;

use super::Scylla;
use super::call::Cas;
use super::leases::again;
use super::slots::{LeaseRow, bytes};
use crate::{LeaseState, Report, StoreError};

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
        let row = (
            stream.as_str(),
            partition.as_str(),
            lease.epoch,
            bytes(&lease.checkpoint),
            lease.slot_column(),
            &lease.parents,
            lease.generation,
            lease.registered_at.0,
            lease.reads_from.map(|time| time.0),
        );
        self.0.calls.cas(doing, &self.0.statements.first_lease, row).await
    }

    /// Writes epoch and owner of a lease, whom nobody asks for it yet, over those of the epoch before, if nothing has changed since
    /// they were read.
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

    /// Changes a lease that is of `epoch`, which is the statement's last value; `false` if it is of another.
    pub(super) async fn if_of(
        &self,
        doing: &'static str,
        statement: &PreparedStatement,
        epoch: u64,
        row: impl SerializeRow,
    ) -> Result<bool, StoreError> {
        let deadline = self.0.calls.deadline();
        if epoch == 0 {
            // Nobody has claimed it.
            return Ok(false);
        }
        loop {
            match self.0.calls.cas(doing, statement, &row).await? {
                Cas::Applied => return Ok(true),
                Cas::Refused => return Ok(false),
                Cas::Unknown => again(doing, deadline).await?,
            }
        }
    }

    /// What anybody may see of a partition, if it has a lease.
    pub(super) async fn state(
        &self,
        stream: &StreamName,
        partition: PartitionId,
    ) -> Result<Option<LeaseState>, StoreError> {
        let Some(row) = self.lease(stream, &partition).await? else { return Ok(None) };
        // Only who has a name renews: the others' leases cost no further request.
        let beat = match row.owner {
            Some(_) => self.heartbeat(stream, &partition, row.epoch).await?,
            None => None,
        };
        Ok(Some(LeaseState {
            partition,
            epoch: row.epoch as u64,
            owner: row.owner,
            heartbeat: beat.map_or(0, |(beat, _)| beat),
            checkpoint: row.checkpoint,
            parents: row.parents.into_iter().map(PartitionId::new).collect(),
            generation: row.generation as u32,
            registered_at: row.registered_at,
            reads_from: row.reads_from,
            report: beat.map(|(_, report)| report),
            wanted_by: row.wanted_by,
        }))
    }

    async fn heartbeat(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        epoch: i64,
    ) -> Result<Option<(u64, Report)>, StoreError> {
        let doing = "read a heartbeat";
        let key = (stream.as_str(), partition.as_str(), epoch);
        let rows = self.0.calls.query(doing, &self.0.statements.heartbeat, key).await?;
        type Number = Option<i64>;
        let row = rows.maybe_first_row::<(i64, Number, Number, Number, Number, Number, Number)>();
        let row = row.map_err(|error| StoreError::unavailable(doing, error))?;
        Ok(row.map(|(beat, lag, unmarked, bytes, throttles, retries, letters)| {
            let numbers = [lag, unmarked, bytes, throttles, retries, letters];
            (beat as u64, Report::of(numbers.map(|number| number.unwrap_or(0) as u64)))
        }))
    }
}
