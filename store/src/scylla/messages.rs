//! Messages by topic and time: how they are written, and the traits' way in.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use schema::{Message, StreamName, Topic};

use super::Scylla;
use super::buckets::Bucket;
use super::expiry::Rule;
use crate::{Messages, StoreError, TopicActivity, TopicFilter, TopicPage};

/// Most rows of one request.
const BATCH_ROWS: usize = 100;
/// Most bytes of one request; a single larger row still is one.
const BATCH_BYTES: usize = 512 << 10;
/// Requests of one call that are under way at once.
pub(super) const AT_ONCE: usize = 64;

#[async_trait]
impl Messages for Scylla {
    /// Each topic's buckets first, then the topics' times, then the rows: whoever finds a row finds where it lies.
    async fn write_messages(&self, stream: &StreamName, messages: &[Message]) -> Result<(), StoreError> {
        let rule = self.expiry(stream).await?;
        let mut topics: HashMap<&Topic, Vec<&Message>> = HashMap::new();
        for message in messages {
            topics.entry(&message.topic).or_default().push(message);
        }
        let places = topics.iter().map(|(topic, messages)| async {
            let placed = self.place(stream, topic, messages, &rule).await?;
            Ok::<_, StoreError>(placed.into_iter().map(|(bucket, messages)| (*topic, bucket, messages)))
        });
        let places: Vec<_> = places.collect();
        let placed: Vec<_> = iter(places).buffer_unordered(AT_ONCE).try_collect().await?;
        self.widen(stream, &topics, &rule).await?;
        let placed: Vec<_> = placed.into_iter().flatten().collect();
        let writes = placed.iter().flat_map(|(topic, bucket, messages)| {
            chunks(messages).map(|rows| self.write_rows(stream, topic, *bucket, rows, &rule))
        });
        let writes: Vec<_> = writes.collect();
        iter(writes).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn read_topic(
        &self,
        stream: &StreamName,
        topic: &Topic,
        page: TopicPage,
    ) -> Result<Vec<Message>, StoreError> {
        self.read_page(stream, topic, &page).await
    }

    async fn topics(
        &self,
        stream: &StreamName,
        filter: TopicFilter,
    ) -> Result<Vec<TopicActivity>, StoreError> {
        self.list_topics(stream, &filter).await
    }
}

impl Scylla {
    pub(super) async fn write_rows(
        &self,
        stream: &StreamName,
        topic: &Topic,
        bucket: Bucket,
        messages: &[&Message],
        rule: &Rule,
    ) -> Result<(), StoreError> {
        let Bucket { width, start, part } = bucket;
        let rows: Vec<_> = messages
            .iter()
            .map(|message| {
                let mut position = Vec::with_capacity(48);
                message.position.encode(&mut position);
                let ttl = rule.ttl(rule.until(message.arrived_at));
                let source = message.time_source.to_byte() as i8;
                let (arrived_at, key, raw) = (message.arrived_at.0, &*message.key, &*message.raw);
                let (stream, topic, time) = (stream.as_str(), topic.as_str(), message.time.0);
                (stream, topic, width, start, part, time, position, arrived_at, source, key, raw, ttl)
            })
            .collect();
        self.0.calls.write("write messages", &self.0.statements.insert_message, &rows).await
    }
}

/// Messages of one bucket, in pieces that are a request each.
fn chunks<'a, 'm>(messages: &'a [&'m Message]) -> impl Iterator<Item = &'a [&'m Message]> {
    let mut rest = messages;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take(BATCH_ROWS).take_while(|message| {
            bytes += message.raw.len() + message.key.len();
            bytes <= BATCH_BYTES
        });
        let count = fits.count().max(1).min(rest.len());
        let (chunk, left) = rest.split_at(count);
        rest = left;
        (!chunk.is_empty()).then_some(chunk)
    })
}
