//! A journal row's value: where its messages lie.

use std::collections::HashMap;

use schema::{PartitionId, Position, Sequence, Timestamp, Topic};

use super::{V1, fields};
use crate::JournalRow;
use crate::fields::put;

/// Where the messages of a journal row lie. The partition is the row's.
pub(in crate::embedded) struct Entries(Vec<(Topic, Timestamp, Sequence, u32)>);

impl Entries {
    /// The value of `row`: the topics once each, then the messages, each with its topic's number.
    pub(in crate::embedded) fn encode(row: &JournalRow) -> Vec<u8> {
        let mut numbers = HashMap::new();
        let mut topics = Vec::new();
        let mut entries = Vec::with_capacity(row.messages.len() * 24);
        for message in &row.messages {
            let number = *numbers.entry(&message.topic).or_insert_with(|| {
                topics.push(&message.topic);
                topics.len() as u32 - 1
            });
            entries.extend_from_slice(&number.to_be_bytes());
            entries.extend_from_slice(&message.time.0.to_be_bytes());
            message.position.sequence.encode(&mut entries);
            entries.extend_from_slice(&message.position.sub.to_be_bytes());
        }
        let mut value = vec![V1];
        let newest = row.messages.iter().map(|message| message.arrived_at.0).max();
        value.extend_from_slice(&newest.unwrap_or(i64::MIN).to_be_bytes());
        value.extend_from_slice(&(topics.len() as u32).to_be_bytes());
        for topic in topics {
            put(&mut value, topic.as_str().as_bytes());
        }
        value.extend_from_slice(&entries);
        value
    }

    /// Arrival of the newest message of the row under `value`; of a row without messages nobody knows it.
    pub(in crate::embedded) fn newest_arrival(value: &[u8]) -> Option<Option<Timestamp>> {
        let newest = fields(value)?.time()?;
        Some((newest.0 != i64::MIN).then_some(newest))
    }

    pub(in crate::embedded) fn decode(value: &[u8]) -> Option<Self> {
        let mut fields = fields(value)?;
        let _newest_arrival = fields.time()?;
        let mut topics = Vec::new();
        for _ in 0..fields.u32()? {
            topics.push(Topic::new(fields.text()?).ok()?);
        }
        let mut entries = Vec::new();
        while !fields.0.is_empty() {
            let topic = topics.get(fields.u32()? as usize)?.clone();
            entries.push((topic, fields.time()?, fields.sequence()?, fields.u32()?));
        }
        Some(Self(entries))
    }

    /// How many messages there are.
    pub(in crate::embedded) fn len(&self) -> usize {
        self.0.len()
    }

    /// Topic, position and time of each message, in log order.
    pub(in crate::embedded) fn positions(
        self,
        partition: &PartitionId,
    ) -> impl Iterator<Item = (Topic, Position, Timestamp)> {
        self.0.into_iter().map(|(topic, time, sequence, sub)| {
            (topic, Position { partition: partition.clone(), sequence, sub }, time)
        })
    }
}
