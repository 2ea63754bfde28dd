//! Which partitions a stream has: those with a lease or a dead letter.

use std::collections::HashSet;
use std::sync::atomic::AtomicI64;
use std::sync::{Mutex, PoisonError};

use schema::{PartitionId, StreamName};

use super::Scylla;
use super::slots::Held;
use crate::StoreError;

/// What this process knows of partitions.
#[derive(Default)]
pub(super) struct Partitions {
    pub(super) held: Held,
    registered: Mutex<HashSet<(StreamName, PartitionId)>>,
    /// Counts all renewals of leases, so that no heartbeat is like the one before it.
    pub(super) beats: AtomicI64,
}

impl Scylla {
    /// Lists the partition from now on.
    pub(super) async fn register(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
    ) -> Result<(), StoreError> {
        let key = (stream.clone(), partition.clone());
        let registered = || self.0.partitions.registered.lock().unwrap_or_else(PoisonError::into_inner);
        if registered().contains(&key) {
            return Ok(());
        }
        let row = (stream.as_str(), partition.as_str());
        self.0.calls.run("register a partition", &self.0.statements.insert_partition, row).await?;
        registered().insert(key);
        Ok(())
    }

    /// Lists the partition no more.
    pub(super) async fn unlist(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
    ) -> Result<(), StoreError> {
        let row = (stream.as_str(), partition.as_str());
        self.0.calls.run("forget a partition", &self.0.statements.delete_partition, row).await?;
        let key = (stream.clone(), partition.clone());
        self.0.partitions.registered.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        Ok(())
    }

    /// All partitions, by name.
    pub(super) async fn partitions(&self, stream: &StreamName) -> Result<Vec<PartitionId>, StoreError> {
        let doing = "list partitions";
        let rows = self.0.calls.query(doing, &self.0.statements.partitions, (stream.as_str(),)).await?;
        let rows = rows.rows::<(&str,)>().map_err(|error| StoreError::unavailable(doing, error))?;
        rows.map(|row| {
            let (name,) = row.map_err(|error| StoreError::unavailable(doing, error))?;
            Ok(PartitionId::new(name))
        })
        .collect()
    }
}
