//! What time does to rows, for tests that can't wait for it: those whose time to live would be over are deleted, each by
//! itself, as the servers let them go.

use schema::{StreamName, Timestamp, Topic};

use super::buckets::{Bucket, TopicBuckets};
use super::slots::bytes;
use super::{Scylla, batch};
use crate::{DeadLetters, StoreError};

const DOING: &str = "let rows go";
const MESSAGES: &str = "SELECT time, position, arrived_at FROM messages WHERE stream = ? AND topic = ? AND width = ? AND start = ? AND part = ?";
const NO_MESSAGE: &str = "DELETE FROM messages WHERE stream = ? AND topic = ? AND width = ? AND start = ? AND part = ? AND time = ? AND position = ?";
const JOURNAL: &str =
    "SELECT last, after, messages FROM journal WHERE stream = ? AND partition = ? AND slot = ?";
const NO_JOURNAL: &str =
    "DELETE FROM journal WHERE stream = ? AND partition = ? AND slot = ? AND last = ? AND after = ?";
const NO_LETTER: &str =
    "DELETE FROM dead_letters WHERE stream = ? AND partition = ? AND sequence = ? AND sub = ?";

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::unavailable(DOING, error)
}

impl Scylla {
    /// Deletes about `rows_max` of the rows that are past the stream's retention at `now`; how many of them were messages.
    ///
    /// # Errors
    /// [`StoreError`] if the servers could not be asked.
    pub async fn pass_time(
        &self,
        stream: &StreamName,
        topics: &[Topic],
        now: Timestamp,
        rows_max: usize,
    ) -> Result<usize, StoreError> {
        let rule = self.another(self.0.clock.clone()).expiry(stream).await?;
        let is_over = |arrived_at: i64| rule.until(Timestamp(arrived_at)) <= now.0;
        let mut left = rows_max;
        // The journal goes first, or the messages do: nothing says which.
        if rows_max.is_multiple_of(2) {
            self.pass_journal(stream, &is_over, &mut left).await?;
        }
        let mut gone = 0;
        for topic in topics {
            gone += self.pass_messages(stream, topic, &is_over, &mut left).await?;
        }
        self.pass_journal(stream, &is_over, &mut left).await?;
        for letter in self.dead_letters(stream, None, 10_000).await? {
            let at = letter.position;
            if left > 0 && is_over(letter.arrived_at.0) {
                let key = (stream.as_str(), at.partition.as_str(), bytes(&at.sequence), i64::from(at.sub));
                self.0.calls.session.query_unpaged(NO_LETTER, key).await.map_err(failed)?;
                left -= 1;
            }
        }
        Ok(gone)
    }

    async fn pass_messages(
        &self,
        stream: &StreamName,
        topic: &Topic,
        is_over: &impl Fn(i64) -> bool,
        left: &mut usize,
    ) -> Result<usize, StoreError> {
        let (calls, mut gone) = (&self.0.calls, 0);
        for listed in (TopicBuckets { store: self, stream, topic }).all().await? {
            let Bucket { width, start, part } = listed.bucket;
            let key = (stream.as_str(), topic.as_str(), width, start, part);
            let rows = calls.session.query_unpaged(MESSAGES, key).await.map_err(failed)?;
            let rows = rows.into_rows_result().map_err(failed)?;
            for row in rows.rows::<(i64, &[u8], i64)>().map_err(failed)? {
                let (time, position, arrived_at) = row.map_err(failed)?;
                if *left > 0 && is_over(arrived_at) {
                    let row = (stream.as_str(), topic.as_str(), width, start, part, time, position);
                    calls.session.query_unpaged(NO_MESSAGE, row).await.map_err(failed)?;
                    *left -= 1;
                    gone += 1;
                }
            }
        }
        Ok(gone)
    }

    /// Rows without messages stay: nobody knows when they arrived.
    async fn pass_journal(
        &self,
        stream: &StreamName,
        is_over: &impl Fn(i64) -> bool,
        left: &mut usize,
    ) -> Result<(), StoreError> {
        let calls = &self.0.calls;
        for partition in self.partitions(stream).await? {
            let slots = self.lease(stream, &partition).await?.map(|lease| lease.slots);
            for (slot, _) in slots.unwrap_or_default() {
                let slot = bytes(&slot);
                let key = (stream.as_str(), partition.as_str(), &slot);
                let rows = calls.session.query_unpaged(JOURNAL, key).await.map_err(failed)?;
                let rows = rows.into_rows_result().map_err(failed)?;
                for row in rows.rows::<(&[u8], &[u8], &[u8])>().map_err(failed)? {
                    let (last, after, messages) = row.map_err(failed)?;
                    let messages = batch::decode(messages, &partition).unwrap_or_default();
                    let arrived_at = messages.0.iter().map(|message| message.arrived_at.0).max();
                    if *left > 0 && arrived_at.is_some_and(is_over) {
                        let row = (stream.as_str(), partition.as_str(), &slot, last, after);
                        calls.session.query_unpaged(NO_JOURNAL, row).await.map_err(failed)?;
                        *left -= 1;
                    }
                }
            }
        }
        Ok(())
    }
}
