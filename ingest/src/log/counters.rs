//! The sequence that the next record of each (stream, partition) gets. Sequences count from 1 and are never reused.

use std::collections::BTreeMap;

use schema::StreamName;

/// The next sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// By stream and partition. Sparse, so that a partition's number, as a file gives it, asks for no room by itself.
    next: BTreeMap<StreamName, BTreeMap<u32, u64>>,
}

impl Counters {
    /// Takes the next sequence.
    pub(crate) fn take(&mut self, stream: &StreamName, partition: u32) -> u64 {
        let next = self.slot(stream, partition);
        *next += 1;
        *next - 1
    }

    /// Gives back the sequence that was taken last.
    pub(crate) fn untake(&mut self, stream: &StreamName, partition: u32) {
        *self.slot(stream, partition) -= 1;
    }

    /// The sequence that the next record gets.
    pub(crate) fn next(&self, stream: &StreamName, partition: u32) -> u64 {
        let next = self.next.get(stream).and_then(|partitions| partitions.get(&partition));
        next.copied().unwrap_or(1)
    }

    /// Sees to it that the next sequence is at least `next`.
    pub(crate) fn raise(&mut self, stream: &StreamName, partition: u32, next: u64) {
        let slot = self.slot(stream, partition);
        *slot = next.max(*slot);
    }

    /// Every partition that has a record, and its next sequence.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&StreamName, u32, u64)> {
        self.next.iter().flat_map(|(stream, partitions)| {
            let used = partitions.iter().filter(|(_, next)| **next > 1);
            used.map(move |(partition, next)| (stream, *partition, *next))
        })
    }

    fn slot(&mut self, stream: &StreamName, partition: u32) -> &mut u64 {
        // A name is a shared pointer: cloning it for the look-up is cheap.
        self.next.entry(stream.clone()).or_default().entry(partition).or_insert(1)
    }
}
