//! Rows of the journal in memory, those that were read ahead among them: many readers follow at about the same place, and a
//! request brings several small rows as easily as one.
//!
//! A row never changes, so what was right to give to a reader once stays right.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use schema::{PartitionId, Sequence, StreamName};

use super::slots::LeaseRow;
use crate::JournalRow;

/// About as many bytes of rows are asked for at once.
const AHEAD_BYTES: i64 = 256 << 10;
/// At most so many rows.
const AHEAD_ROWS: i64 = 64;
/// So many of a slot of which nobody remembers how large its rows are.
const AHEAD_UNKNOWN: i64 = 8;
/// What a message takes in memory beside its JSON, about.
const MESSAGE_BYTES: u64 = 200;

/// Stream, partition, and the sequence that a row begins behind.
type Key = (StreamName, PartitionId, Sequence);

/// The rows that were read last.
pub(super) struct Ahead {
    bytes_max: u64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    rows: BTreeMap<Key, JournalRow>,
    /// Their keys and sizes, the one that was read first in front: it goes first.
    order: VecDeque<(Key, u64)>,
    bytes: u64,
}

impl Ahead {
    /// Keeps about so many bytes of messages.
    pub(super) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, kept: Mutex::default() }
    }

    /// A row that covers what comes after `consumed`, if one is known.
    pub(super) fn get(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        consumed: Sequence,
    ) -> Option<JournalRow> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let upto = (stream.clone(), partition.clone(), consumed);
        let ((of, within, _), row) = kept.rows.range(..=upto).next_back()?;
        (of == stream && within == partition && consumed < row.last).then(|| row.clone())
    }

    /// Remembers rows of a partition.
    pub(super) fn put(&self, stream: &StreamName, partition: &PartitionId, rows: &[JournalRow]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let key = (stream.clone(), partition.clone(), row.after);
            if kept.rows.contains_key(&key) {
                continue;
            }
            let size = size(row);
            kept.rows.insert(key.clone(), row.clone());
            kept.order.push_back((key, size));
            kept.bytes += size;
        }
        while kept.bytes > self.bytes_max {
            let Some((key, size)) = kept.order.pop_front() else { return };
            kept.rows.remove(&key);
            kept.bytes -= size;
        }
    }
}

fn size(row: &JournalRow) -> u64 {
    let messages = row.messages.iter();
    messages.map(|message| message.raw.len() as u64 + MESSAGE_BYTES).sum::<u64>() + MESSAGE_BYTES
}

/// How many rows of `slot` to ask for: as many as are about [`AHEAD_BYTES`], by what the newest slot holds. None is larger than a
/// slot may be, whatever they hold.
pub(super) fn rows_at_once(lease: &LeaseRow, slot: &Sequence) -> i32 {
    let (rows, bytes) = lease.filled;
    let wanted = if *slot != lease.newest() {
        AHEAD_UNKNOWN
    } else if rows == 0 {
        1
    } else {
        (AHEAD_BYTES / (bytes / rows).max(1)).clamp(1, AHEAD_ROWS)
    };
    i32::try_from(wanted).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use schema::Timestamp;

    use super::*;

    #[test]
    fn small_rows_are_read_together_and_large_ones_alone() {
        let lease = |rows, bytes| LeaseRow { filled: (rows, bytes), ..LeaseRow::unclaimed(Timestamp(0)) };
        for (rows, bytes, expect) in
            [(0, 0, 1), (1, 0, 64), (1_000, 1_000_000, 64), (10, 1 << 20, 2), (10, 100 << 20, 1), (3, 1, 64)]
        {
            assert_eq!(
                rows_at_once(&lease(rows, bytes), &Sequence::ZERO),
                expect,
                "{rows} rows of {bytes} bytes"
            );
        }
        assert_eq!(rows_at_once(&lease(10, 1), &7.into()), AHEAD_UNKNOWN as i32);
    }

    #[test]
    fn a_row_is_found_by_any_place_in_it_and_what_is_kept_is_bounded() {
        let ahead = Ahead::new(10_000);
        let (stream, partition) = (StreamName::new("s").unwrap(), PartitionId::embedded(0));
        let row = |n: u64| JournalRow {
            after: (n * 10).into(),
            last: (n * 10 + 9).into(),
            messages: Vec::new(),
            children: Vec::new(),
        };
        for n in 0..1_000 {
            ahead.put(&stream, &partition, &[row(n), row(n)]);
        }
        let get = |consumed: u64| ahead.get(&stream, &partition, consumed.into());
        for (consumed, expect) in
            [(9_990, Some(row(999))), (9_998, Some(row(999))), (9_999, None), (9_989, None), (0, None)]
        {
            assert_eq!(get(consumed), expect, "{consumed}");
        }
        assert_eq!(ahead.get(&stream, &PartitionId::embedded(1), 9_990.into()), None);
        assert_eq!(ahead.get(&StreamName::new("t").unwrap(), &partition, 9_990.into()), None);
        assert_eq!((0..1_000).filter(|n| get(n * 10).is_some()).count(), 10_000 / MESSAGE_BYTES as usize);
    }
}
