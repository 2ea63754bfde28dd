//! A journal row's value: where its messages lie, and which partitions go on from it.

use std::collections::HashMap;

use schema::{PartitionId, Position, Sequence, Timestamp, Topic};

use super::{V1, V2, fields_of};
use crate::JournalRow;
use crate::fields::put;

/// Where the messages of a journal row lie, and its children. The partition is the row's.
pub(in crate::embedded) struct Entries {
    messages: Vec<(Topic, Timestamp, Sequence, u32)>,
    /// The partitions that go on from this one, if the row is its end.
    pub(in crate::embedded) children: Vec<PartitionId>,
}

impl Entries {
    /// The value of `row`: the topics once each, then the messages, each with its topic's number. Only a row with children is
    /// of the second version, and has them before the topics.
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
        let has_children = !row.children.is_empty();
        let mut value = vec![if has_children { V2 } else { V1 }];
        let newest = row.messages.iter().map(|message| message.arrived_at.0).max();
        value.extend_from_slice(&newest.unwrap_or(i64::MIN).to_be_bytes());
        if has_children {
            value.extend_from_slice(&(row.children.len() as u32).to_be_bytes());
            row.children.iter().for_each(|child| put(&mut value, child.as_str().as_bytes()));
        }
        value.extend_from_slice(&(topics.len() as u32).to_be_bytes());
        for topic in topics {
            put(&mut value, topic.as_str().as_bytes());
        }
        value.extend_from_slice(&entries);
        value
    }

    /// Arrival of the newest message of the row under `value`; of a row without messages nobody knows it.
    pub(in crate::embedded) fn newest_arrival(value: &[u8]) -> Option<Option<Timestamp>> {
        let newest = fields_of(value, V2)?.1.time()?;
        Some((newest.0 != i64::MIN).then_some(newest))
    }

    pub(in crate::embedded) fn decode(value: &[u8]) -> Option<Self> {
        let (version, mut fields) = fields_of(value, V2)?;
        let _newest_arrival = fields.time()?;
        let mut children = Vec::new();
        if version == V2 {
            for _ in 0..fields.u32()? {
                children.push(PartitionId::new(fields.text()?));
            }
        }
        let mut topics = Vec::new();
        for _ in 0..fields.u32()? {
            topics.push(Topic::new(fields.text()?).ok()?);
        }
        let mut messages = Vec::new();
        while !fields.0.is_empty() {
            let topic = topics.get(fields.u32()? as usize)?.clone();
            messages.push((topic, fields.time()?, fields.sequence()?, fields.u32()?));
        }
        Some(Self { messages, children })
    }

    /// How many messages there are.
    pub(in crate::embedded) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Topic, position and time of each message, in log order.
    pub(in crate::embedded) fn positions(
        self,
        partition: &PartitionId,
    ) -> impl Iterator<Item = (Topic, Position, Timestamp)> {
        self.messages.into_iter().map(|(topic, time, sequence, sub)| {
            (topic, Position { partition: partition.clone(), sequence, sub }, time)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_first_version_are_read_and_written_as_ever() {
        let partition = PartitionId::embedded(0);
        let row = JournalRow { after: 0.into(), last: 5.into(), messages: Vec::new(), children: Vec::new() };
        let first = Entries::encode(&row);
        assert_eq!(first, [&[1, 0x80][..], &[0; 7], &[0; 4]].concat());
        assert!(
            Entries::decode(&first).is_some_and(|entries| entries.len() == 0 && entries.children.is_empty())
        );
        let children = vec![partition.clone(), PartitionId::embedded(1)];
        let end = Entries::encode(&JournalRow { children: children.clone(), ..row });
        assert_eq!(end[0], V2);
        assert_eq!(Entries::newest_arrival(&end), Some(None));
        let entries = Entries::decode(&end).unwrap();
        assert_eq!((entries.len(), &entries.children), (0, &children));
        assert_eq!(entries.positions(&partition).count(), 0);
        for later in [0, 3] {
            assert!(Entries::decode(&[&[later], &end[1..]].concat()).is_none(), "{later}");
        }
    }
}
