//! One row of the journal, as readers meet it.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::BytesMut;
use schema::{Message, PartitionId, Place, Places, Topic};

use super::{Memo, Selection};

/// What a row is counted for beside its messages' bytes, and each message beside its own.
const ROW_BYTES: usize = 512;
const MESSAGE_BYTES: usize = 256;

/// What follows a place in one partition.
#[derive(Debug)]
pub(crate) struct Row {
    /// The partition.
    pub(crate) partition: PartitionId,
    /// Its number in the order of the ring, if it is kept there.
    pub(crate) serial: u64,
    /// Where a reader stands before it.
    pub(crate) before: Arc<Places>,
    /// Where it stands behind it.
    pub(crate) after: Arc<Places>,
    /// What it says.
    pub(crate) content: Content,
    /// What was executed of it, for those who ask for the same.
    pub(crate) memo: Memo,
    by_topic: HashMap<Topic, Vec<usize>>,
}

/// What a row says.
#[derive(Debug)]
pub(crate) enum Content {
    /// Messages, by position; those that [`Row::before`] covers left out.
    Messages(Vec<Message>),
    /// What lies between is gone.
    Gap,
}

impl Row {
    /// The row of `messages` that ends at `last`, for readers who stand at `before`.
    pub(crate) fn messages(
        partition: &PartitionId,
        before: Arc<Places>,
        last: Place,
        messages: Vec<Message>,
    ) -> Self {
        let consumed = before.get(partition);
        let mut messages = messages;
        messages.retain(|message| !consumed.covers(&message.position));
        Self::new(partition, before, last, Content::Messages(messages))
    }

    /// A gap up to `to`.
    pub(crate) fn gap(partition: &PartitionId, before: Arc<Places>, to: Place) -> Self {
        Self::new(partition, before, to, Content::Gap)
    }

    fn new(partition: &PartitionId, before: Arc<Places>, last: Place, content: Content) -> Self {
        let mut after = (*before).clone();
        after.set(partition, last);
        let (partition, after, memo) = (partition.clone(), Arc::new(after), Memo::default());
        Self { partition, serial: 0, before, after, content, memo, by_topic: HashMap::new() }
    }

    /// Made for being kept in the ring: its messages lie in memory of their own, and are found by topic.
    pub(crate) fn kept(mut self, serial: u64) -> Self {
        self.serial = serial;
        if let Content::Messages(messages) = &mut self.content {
            // They are slices of whatever they were read with, which may be far larger.
            let mut memory = BytesMut::with_capacity(messages.iter().map(|message| message.raw.len()).sum());
            for (at, message) in messages.iter_mut().enumerate() {
                memory.extend_from_slice(&message.raw);
                message.raw = memory.split().freeze();
                match self.by_topic.get_mut(&message.topic) {
                    Some(places) => places.push(at),
                    None => drop(self.by_topic.insert(message.topic.clone(), vec![at])),
                }
            }
        }
        self
    }

    /// What it holds in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let Content::Messages(messages) = &self.content else { return ROW_BYTES };
        messages.iter().map(|message| message.raw.len() + MESSAGE_BYTES).sum::<usize>() + ROW_BYTES
    }

    /// The topics in it, of a row that is [kept](Row::kept).
    pub(crate) fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.by_topic.keys()
    }

    /// Whether everybody is to hear of it.
    pub(crate) fn is_gap(&self) -> bool {
        matches!(self.content, Content::Gap)
    }

    /// Its messages.
    pub(crate) fn all(&self) -> &[Message] {
        match &self.content {
            Content::Messages(messages) => messages,
            Content::Gap => &[],
        }
    }

    /// The indexes, from `start` on, of the messages that `selection` includes.
    pub(crate) fn select(&self, selection: &Selection, start: usize) -> Vec<usize> {
        let messages = self.all();
        match selection {
            Selection::Topics(topics) if self.is_kept() => {
                let mut found: Vec<usize> =
                    topics.iter().flat_map(|topic| self.of_topic(topic, start)).copied().collect();
                found.sort_unstable();
                found
            }
            _ => (start..messages.len()).filter(|at| selection.includes(&messages[*at].topic)).collect(),
        }
    }

    /// The first of them, if there is one, that `consumed` does not cover.
    pub(crate) fn first(&self, selection: &Selection, start: usize, consumed: Place) -> Option<usize> {
        let messages = self.all();
        let is_fresh = |at: &usize| !consumed.covers(&messages[*at].position);
        match selection {
            Selection::Topics(topics) if self.is_kept() => {
                let first = |topic| self.of_topic(topic, start).iter().copied().find(is_fresh);
                topics.iter().filter_map(first).min()
            }
            _ => (start..messages.len()).filter(|at| selection.includes(&messages[*at].topic)).find(is_fresh),
        }
    }

    /// The indexes, from `start` on, of the messages of one topic, of a row that is [kept](Row::kept).
    fn of_topic(&self, topic: &Topic, start: usize) -> &[usize] {
        let found = self.by_topic.get(topic).map(Vec::as_slice).unwrap_or_default();
        &found[found.partition_point(|at| *at < start)..]
    }

    fn is_kept(&self) -> bool {
        !self.by_topic.is_empty()
    }

    /// Where a reader stands in its partition when it has consumed what comes before `index`.
    pub(crate) fn place(&self, index: usize) -> Place {
        let messages = self.all();
        if index >= messages.len() {
            return self.after.get(&self.partition);
        }
        let Some(last) = index.checked_sub(1).map(|at| &messages[at].position) else {
            return self.before.get(&self.partition);
        };
        // A record that carries several messages may be consumed in part.
        let sub = (messages[index].position.sequence == last.sequence).then_some(last.sub);
        Place { sequence: last.sequence, sub }
    }
}
