//! A partition's lease as it stands in the table, and the slots of its journal.
//!
//! A slot is one partition of the servers; it holds the rows from its start to the next slot's. Slots are rolled by the
//! compare-and-set that writes a checkpoint: so whoever owns the partition next finds the newest one, and a reader that
//! reads checkpoint and slots together knows where every row before that checkpoint lies.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use schema::{PartitionId, Sequence, StreamName, Timestamp};
use scylla::DeserializeRow;
use scylla::response::query_result::QueryRowsResult;

use crate::{Registration, StoreError};

/// Most rows of a slot when a checkpoint is written.
pub(super) const ROWS_MAX: i64 = 50_000;
/// Most bytes of a slot when a checkpoint is written.
const BYTES_MAX: i64 = 64 << 20;

/// A lease's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeaseRow {
    pub(super) epoch: i64,
    pub(super) checkpoint: Sequence,
    /// Start, and when it was opened; oldest first, at least one.
    pub(super) slots: Vec<(Sequence, Timestamp)>,
    /// Rows and bytes of the newest slot, as of the checkpoint.
    pub(super) filled: (i64, i64),
    /// The worker that has claimed it.
    pub(super) owner: Option<String>,
    /// The worker that asks for it.
    pub(super) wanted_by: Option<String>,
    /// The partitions that it goes on from.
    pub(super) parents: Vec<String>,
    /// As it was registered.
    pub(super) generation: i32,
    pub(super) registered_at: Timestamp,
    pub(super) reads_from: Option<Timestamp>,
}

/// Slots as the servers have them.
pub(super) type SlotColumn = Vec<(Vec<u8>, i64)>;

/// The row as the servers give it.
#[derive(DeserializeRow)]
struct Row {
    epoch: i64,
    checkpoint: Vec<u8>,
    slots: Option<SlotColumn>,
    slot_rows: Option<i64>,
    slot_bytes: Option<i64>,
    owner: Option<String>,
    wanted_by: Option<String>,
    parents: Option<Vec<String>>,
    generation: Option<i32>,
    registered_at: Option<i64>,
    reads_from: Option<i64>,
}

impl LeaseRow {
    /// The lease of a partition that nobody has claimed, nor registered with more than its name.
    pub(super) fn unclaimed(now: Timestamp) -> Self {
        Self {
            epoch: 0,
            checkpoint: Sequence::ZERO,
            slots: vec![(Sequence::ZERO, now)],
            filled: (0, 0),
            owner: None,
            wanted_by: None,
            parents: Vec::new(),
            generation: 1,
            registered_at: Timestamp(0),
            reads_from: None,
        }
    }

    /// That of a new one.
    pub(super) fn registered(now: Timestamp, new: &Registration) -> Self {
        Self {
            parents: new.parents.iter().map(ToString::to_string).collect(),
            generation: i32::try_from(new.generation).unwrap_or(i32::MAX),
            registered_at: new.registered_at,
            reads_from: new.reads_from,
            ..Self::unclaimed(now)
        }
    }

    /// The row of an answer, if there is one.
    pub(super) fn read(rows: &QueryRowsResult) -> Result<Option<Self>, StoreError> {
        let row = rows.maybe_first_row::<Row>();
        let row = row.map_err(|error| StoreError::unavailable("read a lease", error))?;
        let Some(row) = row else { return Ok(None) };
        row.read().map(Some).ok_or_else(|| StoreError::Corrupt { what: "a lease".into() })
    }

    /// Where the newest slot begins.
    pub(super) fn newest(&self) -> Sequence {
        self.slots.last().map_or(Sequence::ZERO, |(start, _)| *start)
    }

    /// The slots as the servers want them.
    pub(super) fn slot_column(&self) -> SlotColumn {
        self.slots.iter().map(|(start, opened)| (bytes(start), opened.0)).collect()
    }

    /// Whether the newest slot takes no more, of which `rows_max` rows are enough.
    pub(super) fn is_full(&self, rows_max: i64) -> bool {
        self.filled.0 >= rows_max || self.filled.1 >= BYTES_MAX
    }

    /// Whether nobody has claimed it since `epoch` did.
    pub(super) fn is_of(&self, epoch: i64) -> bool {
        self.epoch == epoch && epoch > 0
    }

    /// The row with the checkpoint at `to`. The newest slot is followed by the next if it `rolls`, for which no row may be
    /// in flight beyond `to`; slots that only hold what retention has passed are left out.
    pub(super) fn moved(&self, to: Sequence, rolls: bool, now: Timestamp, retention: Option<i64>) -> Self {
        let mut next = Self { checkpoint: to, ..self.clone() };
        if rolls && to > self.newest() {
            next.slots.push((to, now));
            next.filled = (0, 0);
            if let Some(retention) = retention {
                let expired = |opened: Timestamp| opened.0.saturating_add(retention) < now.0;
                let over = next.slots.windows(2).take_while(|pair| expired(pair[1].1)).count();
                next.slots.drain(..over);
            }
        }
        next
    }
}

impl Row {
    fn read(self) -> Option<LeaseRow> {
        let slots = self.slots.unwrap_or_default().into_iter();
        let slots = slots.map(|(start, opened)| Some((sequence(&start)?, Timestamp(opened))));
        let slots: Vec<_> = slots.collect::<Option<_>>()?;
        (!slots.is_empty()).then_some(LeaseRow {
            epoch: self.epoch,
            checkpoint: sequence(&self.checkpoint)?,
            slots,
            filled: (self.slot_rows.unwrap_or(0), self.slot_bytes.unwrap_or(0)),
            owner: self.owner,
            wanted_by: self.wanted_by,
            parents: self.parents.unwrap_or_default(),
            generation: self.generation.unwrap_or(1),
            registered_at: Timestamp(self.registered_at.unwrap_or(0)),
            reads_from: self.reads_from.map(Timestamp),
        })
    }
}

/// What this process knows of the partitions that it writes.
#[derive(Default)]
pub(super) struct Held(Mutex<HashMap<(StreamName, PartitionId), Shared>>);

/// One partition, locked while its lease is changed or a row is appended; nothing where neither was done yet.
type Shared = Arc<tokio::sync::Mutex<Option<Holding>>>;

/// One partition's lease as it was read or written last, and what was appended since.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) lease: LeaseRow,
    /// The greatest end of a row that was appended.
    pub(super) appended: Sequence,
    /// A checkpoint that rolls the newest slot, and of which nobody knows whether it was or will be written. Until that is
    /// settled no row may be appended, as nobody knows to which slot.
    pub(super) in_doubt: Option<Sequence>,
}

impl Held {
    /// What is known of a partition.
    pub(super) fn partition(&self, stream: &StreamName, partition: &PartitionId) -> Shared {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.entry((stream.clone(), partition.clone())).or_default().clone()
    }
}

/// A sequence as it sorts.
pub(super) fn bytes(sequence: &Sequence) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(16);
    sequence.encode(&mut bytes);
    bytes
}

/// Reads a sequence.
pub(super) fn sequence(bytes: &[u8]) -> Option<Sequence> {
    Sequence::decode(bytes).map(|(sequence, _)| sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(slots: &[(u64, i64)]) -> LeaseRow {
        let slots = slots.iter().map(|(start, opened)| ((*start).into(), Timestamp(*opened))).collect();
        let unclaimed = LeaseRow::unclaimed(Timestamp(0));
        LeaseRow { epoch: 1, checkpoint: 10.into(), slots, filled: (ROWS_MAX, 0), ..unclaimed }
    }

    #[test]
    fn a_full_slot_is_followed_by_the_next() {
        let lease = full(&[(0, 5)]);
        assert!(lease.is_full(ROWS_MAX) && !lease.is_full(ROWS_MAX + 1));
        let next = lease.moved(20.into(), true, Timestamp(9), Some(100));
        assert_eq!((next.newest(), next.slots.len(), next.filled), (20.into(), 2, (0, 0)));
        assert_eq!(lease.moved(20.into(), false, Timestamp(9), Some(100)).slots.len(), 1);
        let half = LeaseRow { filled: (1, BYTES_MAX - 1), ..lease };
        assert!(!half.is_full(ROWS_MAX));
    }

    #[test]
    fn slots_go_whose_successor_is_past_retention() {
        let lease = full(&[(0, 0), (3, 10), (7, 50), (9, 90)]);
        let starts = |retention| -> Vec<u64> {
            let next = lease.moved(20.into(), true, Timestamp(100), retention);
            next.slots.iter().filter_map(|(start, _)| start.as_u64()).collect()
        };
        assert_eq!(starts(Some(60)), [3, 7, 9, 20]);
        assert_eq!(starts(Some(5)), [9, 20]);
        assert_eq!(starts(None), [0, 3, 7, 9, 20]);
    }
}
