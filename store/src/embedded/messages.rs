//! Messages by topic and time.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use schema::{Message, StreamName, Topic};

use super::Embedded;
use super::blocking::{Fault, lock};
use super::keys;
use super::tables::Tables;
use super::values::{self, MessageReader, Span};
use crate::{Messages, Order, StoreError, TopicActivity, TopicFilter, TopicPage};

#[async_trait]
impl Messages for Embedded {
    async fn write_messages(&self, stream: &StreamName, messages: &[Message]) -> Result<(), StoreError> {
        let (stream, messages) = (stream.clone(), messages.to_vec());
        self.write("write messages", move |tables| tables.write_messages(&stream, &messages)).await
    }

    async fn read_topic(
        &self,
        stream: &StreamName,
        topic: &Topic,
        page: TopicPage,
    ) -> Result<Vec<Message>, StoreError> {
        let (stream, topic) = (stream.clone(), topic.clone());
        self.read("read messages", move |tables| tables.read_topic(&stream, topic, &page)).await
    }

    async fn topics(
        &self,
        stream: &StreamName,
        filter: TopicFilter,
    ) -> Result<Vec<TopicActivity>, StoreError> {
        let stream = stream.clone();
        self.read("list topics", move |tables| tables.list_topics(&stream, &filter)).await
    }
}

impl Tables {
    /// Writes rows, and the topics whose span they widen, as one: no row is ever without its topic.
    fn write_messages(&self, stream: &StreamName, messages: &[Message]) -> Result<(), Fault> {
        let mut written: HashMap<&Topic, (Vec<u8>, Span)> = HashMap::new();
        let mut rows = Vec::with_capacity(messages.len());
        for message in messages {
            let span = Span::at(message.time);
            let (prefix, spanned) = written
                .entry(&message.topic)
                .or_insert_with(|| (keys::topic_rows(stream, &message.topic), span));
            *spanned = spanned.join(span);
            rows.push((keys::message(prefix, message.time, &message.position), values::message(message)));
        }

        let mut table = lock(&self.topic_table);
        let mut batch = self.db.batch();
        let mut spans = Vec::with_capacity(written.len());
        for (topic, (_, span)) in written {
            let key = keys::topic(stream, topic.as_str());
            let known = table.span(self, &key)?;
            let span = known.map_or(span, |known| known.join(span));
            if known != Some(span) {
                batch.insert(&self.topics, key.clone(), span.encode());
            }
            spans.push((key, span));
        }
        for (key, value) in rows {
            batch.insert(&self.messages, key, value);
        }
        batch.commit()?;
        // Only now: what is remembered must never be more than what was written.
        for (key, span) in spans {
            table.remember(key, span);
        }
        Ok(())
    }

    /// Reads one topic from either end; see [`crate::Messages::read_topic`]. Rows beyond the page are not loaded.
    fn read_topic(&self, stream: &StreamName, topic: Topic, page: &TopicPage) -> Result<Vec<Message>, Fault> {
        let prefix = keys::topic_rows(stream, &topic);
        let (older, newer) = match page.order {
            Order::Ascending => (&page.after, &page.before),
            Order::Descending => (&page.before, &page.after),
        };
        let mut start = keys::from_time(&prefix, page.range.from);
        let mut end = keys::from_time(&prefix, page.range.to);
        if let Some(older) = older {
            // The least key that is greater than the mark's: positions are never each other's beginning.
            let mut beyond = keys::mark(&prefix, older);
            beyond.push(0);
            start = start.max(beyond);
        }
        if let Some(newer) = newer {
            end = end.min(keys::mark(&prefix, newer));
        }
        if start >= end {
            return Ok(Vec::new());
        }
        let mut rows = self.messages.range(start..end);
        let (mut messages, mut bytes) = (Vec::new(), 0);
        let mut reader = MessageReader::new(topic);
        while messages.is_empty() || (messages.len() < page.rows_max && bytes < page.bytes_max) {
            let row = match page.order {
                Order::Ascending => rows.next(),
                Order::Descending => rows.next_back(),
            };
            let Some(row) = row else { break };
            let (key, value) = row.into_inner()?;
            let message = reader.read(&key[prefix.len()..], &Bytes::from(value));
            let message = message.ok_or_else(|| Fault::corrupt(format!("a message of stream {stream}")))?;
            bytes += message.raw.len();
            messages.push(message);
        }
        Ok(messages)
    }
}
