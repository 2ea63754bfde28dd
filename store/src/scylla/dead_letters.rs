//! Records that could not become messages, by position; and what was decided about them.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use schema::{PartitionId, Position, StreamName, Timestamp};

use super::Scylla;
use super::catalog::LETTERS;
use super::expiry::{Rule, TTL_MAX};
use super::messages::AT_ONCE;
use super::slots::{bytes, sequence};
use crate::{DeadLetter, DeadLetters, LetterDecisions, StoreError};

const DOING: &str = "list dead letters";
/// How much longer it is known that a letter was removed than the letter would have been there, in seconds: it may be written
/// again with more time to live, if the stream's retention has changed meanwhile.
const SLACK_SECONDS: i32 = 86_400;

/// Sequence, sub-sequence, arrival, partition key, reason, bytes, whether it was removed.
type Row<'r> = (&'r [u8], i64, Option<i64>, Option<&'r str>, Option<&'r str>, Option<Bytes>, Option<bool>);

impl Scylla {
    /// Whether a partition has dead letters, be they removed.
    pub(super) async fn has_letters(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
    ) -> Result<bool, StoreError> {
        let from = (stream.as_str(), partition.as_str(), Vec::<u8>::new(), -1i64, 1i32);
        let rows = self.0.calls.query(DOING, &self.0.statements.dead_letters, from).await?;
        Ok(rows.rows_num() > 0)
    }
}

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
            let (stream, partition, at, sub) = key(stream, &letter.position);
            let ttl = rule.ttl(rule.until(letter.arrived_at));
            let (key, reason, raw) = (&*letter.key, letter.reason.as_str(), &letter.raw[..]);
            let row = (stream, partition, at, sub, letter.arrived_at.0, key, reason, raw, ttl);
            self.0.calls.run("write dead letters", &self.0.statements.insert_dead_letter, row)
        });
        let writes: Vec<_> = writes.collect();
        let _: Vec<_> = iter(writes).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(())
    }

    async fn dead_letter(
        &self,
        stream: &StreamName,
        position: &Position,
    ) -> Result<Option<DeadLetter>, StoreError> {
        let doing = "read a dead letter";
        let failed = |error| StoreError::unavailable(doing, error);
        let rows = self.0.calls.query(doing, &self.0.statements.dead_letter, key(stream, position)).await?;
        let row = rows.maybe_first_row::<Row<'_>>().map_err(failed)?;
        row.map_or(Ok(None), |row| Ok(read(&position.partition, row)?.1))
    }

    /// What says that a letter was removed lives longer than the letter, however long that was meant to when it was written.
    async fn remove_dead_letters(
        &self,
        stream: &StreamName,
        positions: &[Position],
    ) -> Result<(), StoreError> {
        let rule = self.expiry(stream).await?;
        let removes = positions.iter().map(|position| self.remove_dead_letter(stream, position, &rule));
        let removes: Vec<_> = removes.collect();
        iter(removes).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn letter_decisions(&self, stream: &StreamName) -> Result<LetterDecisions, StoreError> {
        let there = self.catalogued(LETTERS, stream.as_str()).await?;
        Ok(there.map(|(_, decisions)| decisions).unwrap_or_default())
    }

    async fn put_letter_decisions(
        &self,
        stream: &StreamName,
        decisions: &LetterDecisions,
    ) -> Result<bool, StoreError> {
        self.put(LETTERS, stream.as_str(), decisions.version, decisions).await
    }

    async fn dead_letters(
        &self,
        stream: &StreamName,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let mut letters = Vec::new();
        for partition in self.partitions(stream).await? {
            if after.as_ref().is_some_and(|after| partition < after.partition) {
                continue;
            }
            let within = after.as_ref().filter(|after| after.partition == partition);
            // No sequence is without bytes: that is before all of them.
            let mut from =
                within.map_or((Vec::new(), -1), |after| (bytes(&after.sequence), i64::from(after.sub)));
            // Those that were removed are passed over.
            while letters.len() < limit {
                let most = i32::try_from(limit - letters.len()).unwrap_or(i32::MAX);
                let key = (stream.as_str(), partition.as_str(), &from.0, from.1, most);
                let rows = self.0.calls.query(DOING, &self.0.statements.dead_letters, key).await?;
                let is_last = rows.rows_num() < most as usize;
                for row in rows.rows::<Row<'_>>().map_err(|error| StoreError::unavailable(DOING, error))? {
                    let row = row.map_err(|error| StoreError::unavailable(DOING, error))?;
                    let (position, letter) = read(&partition, row)?;
                    from = (bytes(&position.sequence), i64::from(position.sub));
                    letters.extend(letter);
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(letters)
    }
}

impl Scylla {
    async fn remove_dead_letter(
        &self,
        stream: &StreamName,
        position: &Position,
        rule: &Rule,
    ) -> Result<(), StoreError> {
        let doing = "remove dead letters";
        let failed = |error| StoreError::unavailable(doing, error);
        let (stream, partition, at, sub) = key(stream, position);
        let left = &self.0.statements.dead_letter_left;
        let rows = self.0.calls.query(doing, left, (stream, partition, &at, sub)).await?;
        let row = rows.maybe_first_row::<(Option<i64>, Option<i32>)>().map_err(failed)?;
        let Some((Some(arrived_at), left)) = row else { return Ok(()) };
        let ttl = match (left, rule.ttl(rule.until(Timestamp(arrived_at)))) {
            (None, _) | (_, 0) => 0,
            (Some(left), anew) => left.max(anew).saturating_add(SLACK_SECONDS).min(TTL_MAX as i32),
        };
        let row = (ttl, stream, partition, &at, sub);
        self.0.calls.run(doing, &self.0.statements.remove_dead_letter, row).await?;
        Ok(())
    }
}

/// The key of a letter's row.
fn key<'k>(stream: &'k StreamName, position: &'k Position) -> (&'k str, &'k str, Vec<u8>, i64) {
    let Position { partition, sequence, sub } = position;
    (stream.as_str(), partition.as_str(), bytes(sequence), i64::from(*sub))
}

/// Where a row stands, and its letter, unless that was removed.
fn read(partition: &PartitionId, row: Row<'_>) -> Result<(Position, Option<DeadLetter>), StoreError> {
    let (at, sub, arrived_at, key, reason, raw, removed) = row;
    let corrupt = || StoreError::Corrupt { what: "a dead letter".into() };
    let (sequence, sub) = sequence(at).zip(u32::try_from(sub).ok()).ok_or_else(corrupt)?;
    let position = Position { partition: partition.clone(), sequence, sub };
    if removed == Some(true) {
        return Ok((position, None));
    }
    let letter = || {
        let (arrived_at, key, reason) = (Timestamp(arrived_at?), key?.into(), reason?.to_owned());
        Some(DeadLetter { position: position.clone(), arrived_at, key, reason, raw: raw? })
    };
    let letter = letter().ok_or_else(corrupt)?;
    Ok((position, Some(letter)))
}
