//! The topic table: which topics there are, and the time that the messages of each span.
//!
//! A topic's first and last time only ever widen, whoever writes them and in whatever order: each is written with a
//! timestamp that is made of its own value, so that the servers keep the least of the one and the greatest of the other.
//! Nothing is read to write them, and no clock is asked. Either may go before the last message of its topic, whose time lies
//! between them; the row itself stays as long as any.

use std::collections::{BTreeMap, HashMap};

use futures_util::stream::{StreamExt, TryStreamExt, iter};
use schema::{Message, StreamName, Timestamp, Topic};
use sha2::{Digest, Sha256};

use super::Scylla;
use super::expiry::{Rule, stamp};
use super::messages::AT_ONCE;
use crate::{StoreError, TopicActivity, TopicFilter};

/// Partitions over which a stream's topics are spread.
const SHARDS: i32 = 64;
/// Least rows of one look into a partition of the topic table.
const LOOK_MIN: usize = 16;
/// Most of them.
const LOOK_MAX: usize = 1_000;
/// Rows of one write.
const BATCH_ROWS: usize = 100;

/// A greater time has a greater timestamp.
fn last_stamp(time: i64) -> i64 {
    stamp(time)
}

/// A lesser time has a greater timestamp.
fn first_stamp(time: i64) -> i64 {
    Timestamp::MIN.0 - time - 1
}

fn shard(topic: &Topic) -> i32 {
    i32::from(Sha256::digest(topic.as_str())[0]) % SHARDS
}

impl Scylla {
    /// Widens the spans of `topics` by their messages, where they are not known to be wide enough.
    pub(super) async fn widen(
        &self,
        stream: &StreamName,
        topics: &HashMap<&Topic, Vec<&Message>>,
        rule: &Rule,
    ) -> Result<(), StoreError> {
        let (mut stays, mut first, mut last) = (Vec::new(), Vec::new(), Vec::new());
        let mut wide = Vec::new();
        for (topic, messages) in topics {
            let times = || messages.iter().map(|message| message.time.0);
            let (Some(least), Some(greatest)) = (times().min(), times().max()) else { continue };
            let until =
                messages.iter().map(|message| rule.until(message.arrived_at)).max().unwrap_or(i64::MAX);
            let known = self.0.writers.topic(stream, topic);
            let before = known.lock().await.span;
            let (from, to, there) = before.unwrap_or((i64::MAX, i64::MIN, i64::MIN));
            let again = there < until;
            let (from_next, to_next) = (from.min(least), to.max(greatest));
            let until = if again { rule.with_slack(until) } else { there };
            let (ttl, shard) = (rule.ttl(until), shard(topic));
            let row = |stamp, time| (ttl, stamp, time, stream.as_str(), shard, topic.as_str());
            if again {
                stays.push((stream.as_str(), shard, topic.as_str(), ttl, stamp(until)));
            }
            if again || from_next != from {
                first.push(row(first_stamp(from_next), from_next));
            }
            if again || to_next != to {
                last.push(row(last_stamp(to_next), to_next));
            }
            wide.push((known, before, (from_next, to_next, until)));
        }
        let statements = &self.0.statements;
        let stays = by_shard(stays, |row| row.1);
        let stays: Vec<_> = stays
            .iter()
            .flat_map(|rows| {
                rows.chunks(BATCH_ROWS)
                    .map(|rows| self.0.calls.write("write topics", &statements.insert_topic, rows))
            })
            .collect();
        let () = iter(stays).buffer_unordered(AT_ONCE).try_collect().await?;
        let (first, last) = (by_shard(first, |row| row.4), by_shard(last, |row| row.4));
        let writes = first.iter().map(|rows| (&statements.first_time, rows));
        let writes = writes.chain(last.iter().map(|rows| (&statements.last_time, rows)));
        let writes: Vec<_> = writes
            .flat_map(|(statement, rows)| {
                rows.chunks(BATCH_ROWS).map(|rows| self.0.calls.write("write topics", statement, rows))
            })
            .collect();
        let () = iter(writes).buffer_unordered(AT_ONCE).try_collect().await?;
        // Only now: what is remembered must never be more than what was written.
        for (known, before, after) in wide {
            let mut known = known.lock().await;
            // Another task has written meanwhile, and whose row will go first is not known: the next writes both anew.
            known.span = (known.span == before).then_some(after);
        }
        Ok(())
    }

    /// Lists topics; see [`crate::Messages::topics`]. Each partition of the table gives its next few, and what all of them
    /// have shown is merged.
    pub(super) async fn list_topics(
        &self,
        stream: &StreamName,
        filter: &TopicFilter,
    ) -> Result<Vec<TopicActivity>, StoreError> {
        let after = filter.after.as_ref().map_or("", |after| after.as_str());
        let mut from = after.max(&filter.prefix).to_owned();
        let mut listed: Vec<TopicActivity> = Vec::new();
        let rows_max = (filter.limit / SHARDS as usize * 2).clamp(LOOK_MIN, LOOK_MAX);
        while listed.len() < filter.limit {
            let looks = (0..SHARDS).map(|shard| self.look(stream, shard, &from, rows_max));
            let looks: Vec<_> = looks.collect();
            let shown: Vec<_> = iter(looks).buffer_unordered(AT_ONCE).try_collect().await?;
            // Beyond the last of a partition that has more, nobody knows what comes next.
            let full = shown.iter().filter(|rows| rows.len() >= rows_max);
            let known_to = full.filter_map(|rows| rows.last()).map(|row| row.topic.clone()).min();
            let merged: BTreeMap<Topic, TopicActivity> =
                shown.into_iter().flatten().map(|row| (row.topic.clone(), row)).collect();
            for (topic, activity) in merged {
                if known_to.as_ref().is_some_and(|to| topic > *to) {
                    break;
                }
                let wanted = topic.as_str().starts_with(&filter.prefix)
                    && filter.after.as_ref().is_none_or(|after| topic > *after)
                    && listed.last().is_none_or(|last| topic > last.topic);
                let active = activity.first_time < filter.range.to && filter.range.from <= activity.last_time;
                if wanted && active && listed.len() < filter.limit {
                    listed.push(activity);
                }
            }
            match known_to {
                Some(to) if to.as_str().starts_with(&filter.prefix) => to.as_str().clone_into(&mut from),
                _ => break,
            }
        }
        Ok(listed)
    }

    async fn look(
        &self,
        stream: &StreamName,
        shard: i32,
        from: &str,
        rows_max: usize,
    ) -> Result<Vec<TopicActivity>, StoreError> {
        let doing = "list topics";
        let key = (stream.as_str(), shard, from, rows_max as i32);
        let rows = self.0.calls.query(doing, &self.0.statements.topics, key).await?;
        let rows = rows.rows::<(&str, Option<i64>, Option<i64>)>();
        let mut topics = Vec::new();
        for row in rows.map_err(|error| StoreError::unavailable(doing, error))? {
            let (name, first, last) = row.map_err(|error| StoreError::unavailable(doing, error))?;
            let topic = Topic::new(name).map_err(|_| StoreError::Corrupt { what: "a topic".into() })?;
            // Either may be gone before its topic's last message, as a late one does not write it anew: then nobody knows.
            let first_time = first.map_or(Timestamp::MIN, Timestamp);
            topics.push(TopicActivity {
                topic,
                first_time,
                last_time: last.map_or(Timestamp::MAX, Timestamp),
            });
        }
        Ok(topics)
    }
}

/// Rows of the same partition of the table together.
fn by_shard<R>(rows: Vec<R>, shard: impl Fn(&R) -> i32) -> Vec<Vec<R>> {
    let mut shards: BTreeMap<i32, Vec<R>> = BTreeMap::new();
    for row in rows {
        shards.entry(shard(&row)).or_default().push(row);
    }
    shards.into_values().collect()
}
