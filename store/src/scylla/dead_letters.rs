//! Records that could not become messages, by position.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use schema::{Position, StreamName, Timestamp};

use super::Scylla;
use super::messages::AT_ONCE;
use super::slots::{bytes, sequence};
use crate::{DeadLetter, DeadLetters, StoreError};

/// Sequence, sub-sequence, arrival, partition key, reason, bytes.
type Row<'r> = (&'r [u8], i64, i64, &'r str, &'r str, Bytes);

#[async_trait]
impl DeadLetters for Scylla {
    async fn write_dead_letters(
        &self,
        stream: &StreamName,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError> {
        let rule = self.expiry(stream).await?;
        for letter in letters {
            self.register(stream, &letter.position.partition).await?;
        }
        let writes = letters.iter().map(|letter| {
            let position = &letter.position;
            let ttl = rule.ttl(rule.until(letter.arrived_at));
            let (at, sub) = (bytes(&position.sequence), i64::from(position.sub));
            let (key, reason, raw) = (&*letter.key, letter.reason.as_str(), &letter.raw[..]);
            let partition = position.partition.as_str();
            let row = (stream.as_str(), partition, at, sub, letter.arrived_at.0, key, reason, raw, ttl);
            self.0.calls.run("write dead letters", &self.0.statements.insert_dead_letter, row)
        });
        let writes: Vec<_> = writes.collect();
        let _: Vec<_> = iter(writes).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(())
    }

    async fn dead_letters(
        &self,
        stream: &StreamName,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let doing = "list dead letters";
        let failed = |error| StoreError::unavailable(doing, error);
        let mut letters = Vec::new();
        for partition in self.partitions(stream).await? {
            if letters.len() >= limit || after.as_ref().is_some_and(|after| partition < after.partition) {
                continue;
            }
            let within = after.as_ref().filter(|after| after.partition == partition);
            // No sequence is without bytes: that is before all of them.
            let (from, sub) =
                within.map_or((Vec::new(), -1), |after| (bytes(&after.sequence), i64::from(after.sub)));
            let most = i32::try_from(limit - letters.len()).unwrap_or(i32::MAX);
            let key = (stream.as_str(), partition.as_str(), from, sub, most);
            let rows = self.0.calls.query(doing, &self.0.statements.dead_letters, key).await?;
            for row in rows.rows::<Row<'_>>().map_err(|error| StoreError::unavailable(doing, error))? {
                let (at, sub, arrived_at, key, reason, raw) = row.map_err(failed)?;
                let corrupt = || StoreError::Corrupt { what: "a dead letter".into() };
                let (sequence, sub) = sequence(at).zip(u32::try_from(sub).ok()).ok_or_else(corrupt)?;
                let position = Position { partition: partition.clone(), sequence, sub };
                let (arrived_at, key, reason) = (Timestamp(arrived_at), key.into(), reason.to_owned());
                letters.push(DeadLetter { position, arrived_at, key, reason, raw });
            }
        }
        Ok(letters)
    }
}
