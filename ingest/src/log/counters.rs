//! The sequence that the next record of each (stream, partition) gets. Sequences count from 1 and are never reused.

use std::collections::BTreeMap;

use schema::StreamName;

/// The next sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// By stream; a vector's index is the partition.
    next: BTreeMap<StreamName, Vec<u64>>,
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
        let next = self.next.get(stream).and_then(|partitions| partitions.get(partition as usize));
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
            let used = partitions.iter().enumerate().filter(|(_, next)| **next > 1);
            used.map(move |(partition, next)| (stream, partition as u32, *next))
        })
    }

    fn slot(&mut self, stream: &StreamName, partition: u32) -> &mut u64 {
        // A name is a shared pointer: cloning it for the look-up is cheap.
        let partitions = self.next.entry(stream.clone()).or_default();
        let index = partition as usize;
        if partitions.len() <= index {
            partitions.resize(index + 1, 1);
        }
        &mut partitions[index]
    }
}
