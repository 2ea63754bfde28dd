//! What subscribers are sent: execution results in one piece of memory, and where a reader stands behind each.

use std::sync::Arc;

use schema::{HistoryMark, PartitionId, Place, Places, ResumeCursor, StreamName};

/// Execution results, in order.
#[derive(Debug)]
pub(crate) struct Deliveries {
    bytes: Vec<u8>,
    /// Where each result ends in `bytes`, and the mark behind it.
    ends: Vec<(usize, Mark)>,
    /// What the marks are beside.
    base: Arc<Places>,
    /// The message that comes next, of whatever they were made of.
    pub(crate) next: usize,
}

/// Where a reader stands behind one delivery.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    /// At `base`, but for one partition.
    Place(PartitionId, Place),
    /// In history.
    History(HistoryMark),
}

impl Deliveries {
    /// None yet; marks will be beside `base`.
    pub(crate) fn new(base: Arc<Places>) -> Self {
        Self { bytes: Vec::with_capacity(512), ends: Vec::new(), base, next: 0 }
    }

    /// Where the next result is written to.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends a result.
    pub(crate) fn end(&mut self, mark: Mark) {
        self.ends.push((self.bytes.len(), mark));
    }

    /// How many results there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * std::mem::size_of::<(usize, Mark)>()
    }

    /// A result.
    pub(crate) fn payload(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before].0);
        &self.bytes[start..self.ends[index].0]
    }

    /// The cursor behind a result.
    pub(crate) fn cursor(&self, index: usize, incarnation: u64, stream: &StreamName) -> String {
        self.ends[index].1.cursor(&self.base, incarnation, stream)
    }
}

impl Mark {
    /// The cursor of this place.
    pub(crate) fn cursor(&self, base: &Places, incarnation: u64, stream: &StreamName) -> String {
        let (other, history) = match self {
            Self::Place(partition, place) => (Some((partition, *place)), None),
            Self::History(mark) => (None, Some(mark)),
        };
        ResumeCursor::encode_beside(stream, incarnation, base, other, history)
    }
}
