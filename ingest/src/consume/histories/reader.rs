//! Somebody who follows a partition's journal from its beginning.

use std::collections::BTreeSet;

use schema::{PartitionId, StreamName};
use store::testing::Turns;
use store::{Next, Store};

use super::model::Partition;
use crate::log::LogRecord;

/// Somebody who follows a partition's journal.
pub(super) struct Reader {
    pub(super) partition: usize,
    consumed: u64,
    got: Vec<u64>,
    pub(super) gaps: Vec<(u64, u64)>,
    /// Of so many turns it takes one.
    pub(super) slow: u64,
}

impl Reader {
    pub(super) fn new(partition: usize, slow: u64) -> Self {
        Self { partition, consumed: 0, got: Vec::new(), gaps: Vec::new(), slow }
    }

    /// Takes what comes next; `false` if it must wait. By `turns` it may stop within a batch, and come back.
    pub(super) async fn read(
        &mut self,
        store: &dyn Store,
        name: &StreamName,
        turns: Option<&mut Turns>,
    ) -> bool {
        let id = PartitionId::embedded(self.partition as u32);
        match store.next_journal(name, &id, self.consumed.into()).await.unwrap() {
            Next::Wait => return false,
            Next::Gap { to } => {
                let to = to.as_u64().unwrap();
                assert!(to > self.consumed, "a gap of nothing");
                self.gaps.push((self.consumed, to));
                self.consumed = to;
            }
            Next::Row(row) => {
                let (after, last) = (row.after.as_u64().unwrap(), row.last.as_u64().unwrap());
                let covers = after <= self.consumed && self.consumed < last;
                assert!(covers, "({after}, {last}] does not cover {}", self.consumed);
                let sequences = row.messages.iter().filter_map(|message| message.position.sequence.as_u64());
                let fresh: Vec<u64> = sequences.filter(|sequence| *sequence > self.consumed).collect();
                let stops = turns.is_some_and(|turns| turns.one_in(4));
                let stop = fresh.first().copied().filter(|_| stops).unwrap_or(last);
                self.got.extend(fresh.into_iter().filter(|sequence| *sequence <= stop));
                self.consumed = stop;
            }
        }
        true
    }

    /// A reader has each message once, in order, and was told of whatever it has not.
    pub(super) fn check(&self, partition: &Partition, messages: &BTreeSet<u64>, cutoff: i64) {
        let got = &self.got;
        assert!(got.is_sorted_by(|a, b| a < b), "repeated, or out of order: {got:?}");
        assert_eq!(self.consumed, partition.last(), "it stands still");
        assert!(got.iter().all(|sequence| messages.contains(sequence)), "{got:?} has what is no message");
        let told = |sequence: u64| self.gaps.iter().any(|(from, to)| *from < sequence && sequence <= *to);
        for sequence in messages.iter().filter(|sequence| !got.contains(sequence)) {
            assert!(told(*sequence), "{sequence} was skipped in silence: got {got:?}, gaps {:?}", self.gaps);
        }
        for hole in partition.holes.range(..partition.last()) {
            assert!(told(*hole), "nobody told of the hole at {hole}: gaps {:?}", self.gaps);
        }
        for (from, to) in &self.gaps {
            let within = |record: &&LogRecord| *from < record.sequence && record.sequence <= *to;
            let mut lost = partition.records.iter().filter(within);
            let has_hole = partition.holes.range(from + 1..=*to).next().is_some();
            let false_gap =
                lost.any(|record| record.arrived_at.0 >= cutoff && messages.contains(&record.sequence));
            assert!(!false_gap, "a gap from {from} to {to} hides what retention has not passed");
            assert!(has_hole || cutoff > 0, "a gap from {from} to {to}, where nothing is gone");
        }
    }
}
