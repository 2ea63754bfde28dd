//! Sweeping dead letters, which stand in log order and so nearly in order of arrival.

use schema::{PartitionId, StreamName, Timestamp};

use super::super::blocking::Fault;
use super::super::tables::Tables;
use super::super::{keys, values};
use super::{Allowance, Swept};

impl Tables {
    /// Removes a partition's dead letters that arrived before `cutoff`, up to the first that did not.
    pub(super) fn sweep_dead_letters(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        cutoff: Timestamp,
        allowance: &mut Allowance,
        swept: &mut Swept,
    ) -> Result<(), Fault> {
        let mut batch = self.db.batch();
        for row in self.dead_letters.prefix(keys::partition(stream, partition)) {
            let (key, value) = row.into_inner()?;
            let arrival = values::read_arrival(&value).ok_or_else(|| Fault::corrupt("a dead letter"))?;
            if arrival >= cutoff {
                break;
            }
            if allowance.spent() {
                swept.more = true;
                break;
            }
            allowance.take(1);
            batch.remove(&self.dead_letters, key);
        }
        let removed = batch.len();
        batch.commit()?;
        swept.dead_letters += removed;
        Ok(())
    }
}
