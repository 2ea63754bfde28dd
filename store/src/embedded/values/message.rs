//! A message's value: what is said of it, and then the producer's bytes.

use std::sync::Arc;

use bytes::Bytes;
use schema::{Message, PartitionId, Position, TimeSource, Topic};

use super::super::keys;
use super::{V1, fields};
use crate::fields::{Fields, put};

/// A message: arrival, time source, key, and then the producer's bytes up to the end.
pub(in crate::embedded) fn message(message: &Message) -> Vec<u8> {
    let mut value = Vec::with_capacity(14 + message.key.len() + message.raw.len());
    value.push(V1);
    value.extend_from_slice(&message.arrived_at.0.to_be_bytes());
    value.push(message.time_source.to_byte());
    put(&mut value, message.key.as_bytes());
    value.extend_from_slice(&message.raw);
    value
}

/// Reads messages of one topic. Their partition and key seldom change from one to the next, so both are shared.
pub(in crate::embedded) struct MessageReader {
    topic: Topic,
    partition: PartitionId,
    key: Arc<str>,
}

impl MessageReader {
    /// A reader of rows of `topic`.
    pub(in crate::embedded) fn new(topic: Topic) -> Self {
        Self { topic, partition: PartitionId::new(""), key: "".into() }
    }

    /// The topic of what it reads.
    pub(in crate::embedded) fn topic(&self) -> &Topic {
        &self.topic
    }

    /// The message whose key ends, after its topic, with `rest`. Its JSON shares memory with `value`.
    pub(in crate::embedded) fn read(&mut self, rest: &[u8], value: &Bytes) -> Option<Message> {
        let (time, rest) = keys::read_time(rest)?;
        let position = self.position(rest)?;
        let mut fields = fields(value)?;
        let arrived_at = fields.time()?;
        let time_source = TimeSource::from_byte(fields.byte()?)?;
        let key = fields.text()?;
        if *self.key != *key {
            self.key = key.into();
        }
        let raw = value.slice(value.len() - fields.0.len()..);
        let (topic, key) = (self.topic.clone(), self.key.clone());
        Some(Message { topic, time, time_source, arrived_at, position, key, raw })
    }

    fn position(&mut self, bytes: &[u8]) -> Option<Position> {
        let name = self.partition.as_str().as_bytes();
        if !bytes.starts_with(name) || bytes.get(name.len()) != Some(&0) {
            self.partition = keys::read_partition(bytes)?;
        }
        let mut fields = Fields(&bytes[self.partition.as_str().len() + 1..]);
        let (sequence, sub) = (fields.sequence()?, fields.u32()?);
        Some(Position { partition: self.partition.clone(), sequence, sub })
    }
}
