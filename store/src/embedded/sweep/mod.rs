//! Forgetting what a stream's retention has passed, a bounded step at a time.
//!
//! Messages are found through the journal, oldest first, so nothing is looked at that stays. A step deletes journal rows,
//! their messages, and topics left without any as one write, with a mark up to where it went: a reader that stands
//! before the mark is told of a gap. Cut short anywhere, the next sweep goes on from the rows that are still there.

mod dead_letters;
mod ids;
mod journal;

use fjall::Keyspace;
use schema::{PartitionId, StreamName, Timestamp};

use super::blocking::{Fault, lock};
use super::tables::Tables;
use super::{Embedded, keys};
use crate::StoreError;

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Messages.
    pub messages: usize,
    /// Rows of the journal.
    pub journal_rows: usize,
    /// Topics whose messages are all gone.
    pub topics: usize,
    /// Dead letters.
    pub dead_letters: usize,
    /// Claims of ids.
    pub ids: usize,
    /// Whether there is more to remove right away.
    pub more: bool,
}

/// What is left of a sweep's allowance of rows.
struct Allowance {
    left: usize,
}

impl Allowance {
    /// Takes `rows` of it; a single thing larger than what is left is still allowed.
    fn take(&mut self, rows: usize) {
        self.left = self.left.saturating_sub(rows);
    }

    fn spent(&self) -> bool {
        self.left == 0
    }
}

/// What one sweep leaves for the next. Losing it costs another look at the ids, nothing else.
#[derive(Default)]
pub(super) struct Sweeper {
    ids: ids::Passes,
}

impl Embedded {
    /// Removes what is past its stream's retention at `now`: messages by arrival, and with them journal rows and topics
    /// left empty; dead letters; and claims of ids that nothing can meet any more. It looks at about `rows_max` rows,
    /// at least one, and says whether there is more; streams that the catalog does not know are left alone.
    ///
    /// Only what lies before a partition's checkpoint is removed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: what was removed before stays so, and the next sweep goes on.
    pub async fn sweep(&self, now: Timestamp, rows_max: usize) -> Result<Swept, StoreError> {
        self.write("sweep", move |tables| tables.sweep(now, rows_max)).await
    }
}

impl Tables {
    fn sweep(&self, now: Timestamp, rows_max: usize) -> Result<Swept, Fault> {
        let mut sweeper = lock(&self.sweeper);
        let mut allowance = Allowance { left: rows_max.max(1) };
        let mut swept = Swept::default();
        for record in self.streams()? {
            let stream = record.name();
            let cutoff = now.plus_micros(-record.current().retention.micros());
            for partition in self.partitions(&self.journal, stream)? {
                self.sweep_journal(stream, &partition, now, cutoff, &mut allowance, &mut swept)?;
            }
            for partition in self.partitions(&self.dead_letters, stream)? {
                self.sweep_dead_letters(stream, &partition, cutoff, &mut allowance, &mut swept)?;
            }
            // A claim that was made under a longer window may still be met by a record that is decoded by it.
            let window = record.definitions.iter().map(|(_, definition)| definition.id_window.micros()).max();
            self.sweep_ids(stream, window.unwrap_or(0), &mut sweeper.ids, &mut allowance, &mut swept)?;
        }
        Ok(swept)
    }

    /// The partitions of a stream that have rows in `table`, found by leaping from one to the next.
    fn partitions(&self, table: &Keyspace, stream: &StreamName) -> Result<Vec<PartitionId>, Fault> {
        let prefix = keys::stream(stream);
        let end = keys::end(prefix.clone());
        let mut start = prefix.clone();
        let mut partitions = Vec::new();
        while let Some(row) = table.range(&start[..]..&end[..]).next() {
            let partition = keys::read_partition(&row.key()?[prefix.len()..]);
            let partition = partition.ok_or_else(|| Fault::corrupt("the name of a partition"))?;
            start = keys::end(keys::partition(stream, &partition));
            partitions.push(partition);
        }
        Ok(partitions)
    }
}
