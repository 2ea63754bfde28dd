//! Records that could not become messages, by position; and what was decided about them.

use async_trait::async_trait;
use bytes::Bytes;
use schema::{Position, StreamName};

use super::Embedded;
use super::blocking::{Fault, lock};
use super::tables::Tables;
use super::{keys, values};
use crate::{DeadLetter, DeadLetters, LetterDecisions, StoreError};

#[async_trait]
impl DeadLetters for Embedded {
    async fn write_dead_letters(
        &self,
        stream: &StreamName,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError> {
        let rows: Vec<_> = letters
            .iter()
            .map(|letter| (keys::dead_letter(stream, &letter.position), values::dead_letter(letter)))
            .collect();
        self.write("write dead letters", move |tables| {
            let _one_at_a_time = lock(&tables.letters);
            let mut batch = tables.db.batch();
            for (key, value) in rows {
                // One that was removed stays so.
                if tables.dead_letters.get(&key)?.is_none() {
                    batch.insert(&tables.dead_letters, key, value);
                }
            }
            Ok(batch.commit()?)
        })
        .await
    }

    async fn dead_letter(
        &self,
        stream: &StreamName,
        position: &Position,
    ) -> Result<Option<DeadLetter>, StoreError> {
        let (key, position) = (keys::dead_letter(stream, position), position.clone());
        self.read("read a dead letter", move |tables| {
            let there = tables.dead_letters.get(&key)?.filter(|value| !values::is_removed(value));
            there.map(|value| read(position, &Bytes::from(value))).transpose()
        })
        .await
    }

    async fn remove_dead_letters(
        &self,
        stream: &StreamName,
        positions: &[Position],
    ) -> Result<(), StoreError> {
        let keys: Vec<_> = positions.iter().map(|position| keys::dead_letter(stream, position)).collect();
        self.write("remove dead letters", move |tables| tables.remove_dead_letters(keys)).await
    }

    async fn letter_decisions(&self, stream: &StreamName) -> Result<LetterDecisions, StoreError> {
        let key = keys::meta_letters(stream);
        let there = self.read("read decisions about dead letters", move |tables| tables.document(&key));
        Ok(there.await?.unwrap_or_default())
    }

    async fn put_letter_decisions(
        &self,
        stream: &StreamName,
        decisions: &LetterDecisions,
    ) -> Result<bool, StoreError> {
        let (key, decisions) = (keys::meta_letters(stream), decisions.clone());
        self.write("decide about dead letters", move |tables| {
            tables
                .compare_and_set(key, decisions.version, &decisions, |there: &LetterDecisions| there.version)
        })
        .await
    }

    async fn dead_letters(
        &self,
        stream: &StreamName,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let prefix = keys::stream(stream);
        let start = after.map_or_else(
            || prefix.clone(),
            |after| {
                // The least key that is greater: positions are never each other's beginning.
                let mut key = keys::dead_letter(stream, &after);
                key.push(0);
                key
            },
        );
        self.read("list dead letters", move |tables| {
            let mut letters = Vec::new();
            for row in tables.dead_letters.range(start..keys::end(prefix.clone())) {
                if letters.len() == limit {
                    break;
                }
                let (key, value) = row.into_inner()?;
                if !values::is_removed(&value) {
                    let position = Position::decode(&key[prefix.len()..]).ok_or_else(unreadable)?.0;
                    letters.push(read(position, &Bytes::from(value))?);
                }
            }
            Ok(letters)
        })
        .await
    }
}

impl Tables {
    /// Leaves of each letter that is there only that it was removed.
    fn remove_dead_letters(&self, keys: Vec<Vec<u8>>) -> Result<(), Fault> {
        let _one_at_a_time = lock(&self.letters);
        let mut batch = self.db.batch();
        for key in keys {
            if let Some(value) = self.dead_letters.get(&key)? {
                let arrived_at = values::read_arrival(&value).ok_or_else(unreadable)?;
                batch.insert(&self.dead_letters, key, values::removed_letter(arrived_at));
            }
        }
        Ok(batch.commit()?)
    }
}

fn read(position: Position, value: &Bytes) -> Result<DeadLetter, Fault> {
    values::read_dead_letter(position, value).ok_or_else(unreadable)
}

fn unreadable() -> Fault {
    Fault::corrupt("a dead letter")
}
