//! Records that could not become messages, by position.

use async_trait::async_trait;
use bytes::Bytes;
use schema::{Position, StreamName};

use super::Embedded;
use super::blocking::Fault;
use super::{keys, values};
use crate::{DeadLetter, DeadLetters, StoreError};

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
            let mut batch = tables.db.batch();
            for (key, value) in rows {
                batch.insert(&tables.dead_letters, key, value);
            }
            Ok(batch.commit()?)
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
            for row in tables.dead_letters.range(start..keys::end(prefix.clone())).take(limit) {
                let (key, value) = row.into_inner()?;
                let letter = Position::decode(&key[prefix.len()..])
                    .and_then(|(position, _)| values::read_dead_letter(position, &Bytes::from(value)));
                letters.push(letter.ok_or_else(|| Fault::corrupt("a dead letter"))?);
            }
            Ok(letters)
        })
        .await
    }
}
