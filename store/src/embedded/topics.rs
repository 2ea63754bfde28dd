//! The topic table: for each topic, the time that its messages span.

use fjall::Guard;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use schema::{StreamName, Topic};

use super::blocking::Fault;
use super::keys;
use super::tables::Tables;
use super::values::Span;
use crate::{TopicActivity, TopicFilter};

/// The spans written last, by key. Bounded in bytes, however many topics there are.
pub(super) struct TopicTable {
    known: Cache<Vec<u8>, Span, InBytes>,
}

#[derive(Clone)]
struct InBytes;

impl Weighter<Vec<u8>, Span> for InBytes {
    fn weight(&self, key: &Vec<u8>, _: &Span) -> u64 {
        // The key, and what it takes to keep it: its vector, the span, the cache's own links and hash.
        key.len() as u64 + 96
    }
}

impl TopicTable {
    /// A table that remembers spans in so many bytes.
    pub(super) fn new(bytes_max: u64) -> Self {
        let topics = usize::try_from(bytes_max / 128).unwrap_or(usize::MAX).max(16);
        Self { known: Cache::with_weighter(topics, bytes_max, InBytes) }
    }

    /// The span of the topic under `key`, from memory or from disk.
    pub(super) fn span(&mut self, tables: &Tables, key: &[u8]) -> Result<Option<Span>, Fault> {
        if let Some(span) = self.known.get(key) {
            return Ok(Some(*span));
        }
        let Some(value) = tables.topics.get(key)? else { return Ok(None) };
        Ok(Some(Span::decode(&value).ok_or_else(|| Fault::corrupt("a topic"))?))
    }

    /// Keeps a span that was written.
    pub(super) fn remember(&mut self, key: Vec<u8>, span: Span) {
        self.known.insert(key, span);
    }

    /// Forgets a topic that was removed.
    pub(super) fn forget(&mut self, key: &[u8]) {
        self.known.remove(key);
    }
}

impl Tables {
    /// Lists topics by their spans; see [`crate::Messages::topics`].
    pub(super) fn list_topics(
        &self,
        stream: &StreamName,
        filter: &TopicFilter,
    ) -> Result<Vec<TopicActivity>, Fault> {
        let prefix = keys::topic(stream, &filter.prefix);
        let mut start = prefix.clone();
        if let Some(after) = &filter.after {
            let mut next = keys::topic(stream, after.as_str());
            // The least key that is greater: no topic holds a zero byte.
            next.push(0);
            start = start.max(next);
        }
        let (end, name_at) = (keys::end(prefix), keys::stream(stream).len());
        let mut topics = Vec::new();
        if start >= end {
            return Ok(topics);
        }
        for row in self.topics.range(start..end) {
            if topics.len() >= filter.limit {
                break;
            }
            let activity = read(row, name_at)?;
            if activity.first_time < filter.range.to && filter.range.from <= activity.last_time {
                topics.push(activity);
            }
        }
        Ok(topics)
    }
}

fn read(row: Guard, name_at: usize) -> Result<TopicActivity, Fault> {
    let (key, value) = row.into_inner()?;
    let name = std::str::from_utf8(&key[name_at..]).ok().and_then(|name| Topic::new(name).ok());
    match (name, Span::decode(&value)) {
        (Some(topic), Some(span)) => {
            Ok(TopicActivity { topic, first_time: span.first, last_time: span.last })
        }
        _ => Err(Fault::corrupt("a topic")),
    }
}
