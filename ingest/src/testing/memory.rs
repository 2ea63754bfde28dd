//! A store in memory, as plain as can be, that panics where the rules of writing are broken: a key with other content, a
//! journal row whose messages are not there, a checkpoint ahead of the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use schema::shape::Shape;
use schema::{Message, PartitionId, Position, Sequence, StreamName, Timestamp, Topic};
use store::{
    Catalog, DeadLetter, DeadLetters, IdClaim, Ids, Journal, JournalRow, LeaseState, LetterDecisions,
    Messages, Next, StoreError, StreamRecord, TopicActivity, TopicFilter, TopicPage,
};

type Partition = (StreamName, PartitionId);
type Place = (u32, Sequence, u32);

/// What the store holds.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) rows: BTreeMap<(StreamName, Position), Message>,
    pub(crate) dead_letters: BTreeMap<(StreamName, Position), DeadLetter>,
    removed_letters: BTreeSet<(StreamName, Position)>,
    decisions: BTreeMap<StreamName, LetterDecisions>,
    pub(crate) journal: BTreeMap<Partition, BTreeMap<(Sequence, Sequence), JournalRow>>,
    pub(crate) leases: BTreeMap<Partition, LeaseState>,
    /// By stream, key and id: the arrival of each claim, by generation, sequence and sub-sequence.
    ids: BTreeMap<(StreamName, String, String), BTreeMap<Place, Timestamp>>,
    pub(crate) streams: BTreeMap<StreamName, StreamRecord>,
    pub(crate) shapes: BTreeMap<StreamName, Shape>,
    revision: u64,
}

/// The store.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Tables>);

impl Memory {
    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what was not there, or is the same.
fn put<K: Ord, V: PartialEq + std::fmt::Debug>(table: &mut BTreeMap<K, V>, key: K, value: V) {
    if let Some(old) = table.get(&key) {
        assert_eq!(*old, value, "written again with other content");
    }
    table.insert(key, value);
}

#[async_trait]
impl Messages for Memory {
    async fn write_messages(&self, stream: &StreamName, messages: &[Message]) -> Result<(), StoreError> {
        let rows = &mut self.tables().rows;
        messages
            .iter()
            .for_each(|message| put(rows, (stream.clone(), message.position.clone()), message.clone()));
        Ok(())
    }

    async fn read_topic(
        &self,
        stream: &StreamName,
        topic: &Topic,
        _: TopicPage,
    ) -> Result<Vec<Message>, StoreError> {
        let tables = self.tables();
        let rows = tables.rows.iter().filter(|((of, _), message)| of == stream && message.topic == *topic);
        let mut rows: Vec<Message> = rows.map(|(_, message)| message.clone()).collect();
        rows.sort_by_key(|message| (message.time, message.position.clone()));
        Ok(rows)
    }

    async fn topics(&self, _: &StreamName, _: TopicFilter) -> Result<Vec<TopicActivity>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Journal for Memory {
    async fn append_journal(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        row: &JournalRow,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for message in &row.messages {
            let key = (stream.clone(), message.position.clone());
            assert_eq!(tables.rows.get(&key), Some(message), "journaled before it was written");
            let sequence = message.position.sequence;
            assert!(
                row.after < sequence && sequence <= row.last,
                "{sequence} is not of ({}, {}]",
                row.after,
                row.last
            );
        }
        let rows = tables.journal.entry((stream.clone(), partition.clone())).or_default();
        put(rows, (row.after, row.last), row.clone());
        Ok(())
    }

    async fn next_journal(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        consumed: Sequence,
    ) -> Result<Next, StoreError> {
        let tables = self.tables();
        let key = (stream.clone(), partition.clone());
        let checkpoint = tables.leases.get(&key).map_or(Sequence::ZERO, |lease| lease.checkpoint);
        let covering = |row: &&JournalRow| row.after <= consumed && consumed < row.last;
        let row = tables.journal.get(&key).and_then(|rows| rows.values().find(covering));
        Ok(match row {
            Some(row) => Next::Row(row.clone()),
            None if consumed < checkpoint => {
                let rows = tables.journal.get(&key).into_iter().flat_map(BTreeMap::values);
                let later = rows.map(|row| row.after).filter(|after| *after > consumed);
                Next::Gap { to: later.min().unwrap_or(checkpoint).min(checkpoint) }
            }
            None => Next::Wait,
        })
    }
}

#[async_trait]
impl Ids for Memory {
    async fn claim_ids(
        &self,
        stream: &StreamName,
        claims: &[IdClaim],
        window_micros: i64,
    ) -> Result<Vec<bool>, StoreError> {
        let ids = &mut self.tables().ids;
        let key = |claim: &IdClaim| (stream.clone(), claim.key.to_string(), claim.id.clone());
        let place = |claim: &IdClaim| (claim.generation, claim.sequence, claim.sub);
        for claim in claims {
            put(ids.entry(key(claim)).or_default(), place(claim), claim.arrived_at);
        }
        let came_before = |claim: &IdClaim| {
            ids[&key(claim)]
                .range(..place(claim))
                .any(|(_, arrival)| (arrival.0 - claim.arrived_at.0).abs() <= window_micros)
        };
        Ok(claims.iter().map(came_before).collect())
    }
}

#[async_trait]
impl Catalog for Memory {
    async fn streams(&self) -> Result<Vec<StreamRecord>, StoreError> {
        Ok(self.tables().streams.values().cloned().collect())
    }

    async fn put_stream(&self, record: &StreamRecord) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let version = tables.streams.get(record.name()).map_or(0, |known| known.version);
        if version + 1 == record.version {
            tables.streams.insert(record.name().clone(), record.clone());
            tables.revision += 1;
        }
        Ok(version + 1 == record.version)
    }

    async fn shape(&self, stream: &StreamName) -> Result<Option<Shape>, StoreError> {
        Ok(self.tables().shapes.get(stream).cloned())
    }

    async fn put_shape(&self, stream: &StreamName, shape: &Shape) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let version = tables.shapes.get(stream).map_or(0, |known| known.version);
        if version + 1 == shape.version {
            tables.shapes.insert(stream.clone(), shape.clone());
            tables.revision += 1;
        }
        Ok(version + 1 == shape.version)
    }

    async fn catalog_revision(&self) -> Result<u64, StoreError> {
        Ok(self.tables().revision)
    }
}

#[async_trait]
impl DeadLetters for Memory {
    async fn write_dead_letters(
        &self,
        stream: &StreamName,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError> {
        let kept = &mut self.tables().dead_letters;
        letters
            .iter()
            .for_each(|letter| put(kept, (stream.clone(), letter.position.clone()), letter.clone()));
        Ok(())
    }

    async fn dead_letter(
        &self,
        stream: &StreamName,
        position: &Position,
    ) -> Result<Option<DeadLetter>, StoreError> {
        let (tables, key) = (self.tables(), (stream.clone(), position.clone()));
        let there = tables.dead_letters.get(&key).filter(|_| !tables.removed_letters.contains(&key));
        Ok(there.cloned())
    }

    async fn remove_dead_letters(
        &self,
        stream: &StreamName,
        positions: &[Position],
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.removed_letters.extend(positions.iter().map(|position| (stream.clone(), position.clone())));
        Ok(())
    }

    async fn letter_decisions(&self, stream: &StreamName) -> Result<LetterDecisions, StoreError> {
        Ok(self.tables().decisions.get(stream).cloned().unwrap_or_default())
    }

    async fn put_letter_decisions(
        &self,
        stream: &StreamName,
        decisions: &LetterDecisions,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let there = tables.decisions.entry(stream.clone()).or_default();
        let is_next = there.version + 1 == decisions.version;
        if is_next {
            *there = decisions.clone();
        }
        Ok(is_next)
    }

    async fn dead_letters(
        &self,
        stream: &StreamName,
        _: Option<Position>,
        _: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let tables = self.tables();
        let mine = tables.dead_letters.iter();
        let mine = mine.filter(|(key, _)| key.0 == *stream && !tables.removed_letters.contains(key));
        Ok(mine.map(|(_, letter)| letter.clone()).collect())
    }
}
