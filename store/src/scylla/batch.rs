//! What a journal row holds, as bytes: a version, and compressed, the children where it is an end, the topics once each and then
//! the messages in log order.

use std::collections::HashMap;

use bytes::Bytes;
use schema::{Message, PartitionId, Position, TimeSource, Topic};

use crate::fields::{Fields, put};

const V1: u8 = 1;
/// The version of those with children: all others are written as ever.
const V2: u8 = 2;

/// Messages of one partition, and the partitions that go on from it.
type Content = (Vec<Message>, Vec<PartitionId>);

/// The bytes of `messages`, which are of one partition, and of its children.
pub(super) fn encode(messages: &[Message], children: &[PartitionId]) -> Vec<u8> {
    let mut numbers = HashMap::new();
    let mut topics = Vec::new();
    for message in messages {
        numbers.entry(&message.topic).or_insert_with(|| {
            topics.push(&message.topic);
            topics.len() as u32 - 1
        });
    }
    let bytes: usize = messages.iter().map(|message| 64 + message.key.len() + message.raw.len()).sum();
    let mut plain = Vec::with_capacity(bytes);
    if !children.is_empty() {
        plain.extend_from_slice(&(children.len() as u32).to_be_bytes());
        children.iter().for_each(|child| put(&mut plain, child.as_str().as_bytes()));
    }
    plain.extend_from_slice(&(topics.len() as u32).to_be_bytes());
    for topic in topics {
        put(&mut plain, topic.as_str().as_bytes());
    }
    for message in messages {
        plain.extend_from_slice(&numbers[&message.topic].to_be_bytes());
        plain.extend_from_slice(&message.time.0.to_be_bytes());
        plain.extend_from_slice(&message.arrived_at.0.to_be_bytes());
        plain.push(message.time_source.to_byte());
        message.position.sequence.encode(&mut plain);
        plain.extend_from_slice(&message.position.sub.to_be_bytes());
        put(&mut plain, message.key.as_bytes());
        put(&mut plain, &message.raw);
    }
    let mut bytes = lz4_flex::block::compress_prepend_size(&plain);
    bytes.insert(0, if children.is_empty() { V1 } else { V2 });
    bytes
}

/// Reads what [`encode`] gave. Each message's JSON shares memory with the others'.
pub(super) fn decode(bytes: &[u8], partition: &PartitionId) -> Option<Content> {
    let (&version, compressed) = bytes.split_first()?;
    // What is compressed grows by at most 255: more is no batch, and not worth its memory.
    let size = u32::from_le_bytes(*compressed.first_chunk::<4>()?) as usize;
    if !(V1..=V2).contains(&version) || size / 255 > compressed.len() {
        return None;
    }
    let plain = Bytes::from(lz4_flex::block::decompress_size_prepended(compressed).ok()?);
    let mut fields = Fields(&plain);
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
    let mut messages: Vec<Message> = Vec::new();
    while !fields.0.is_empty() {
        let topic = topics.get(fields.u32()? as usize)?.clone();
        let (time, arrived_at) = (fields.time()?, fields.time()?);
        let time_source = TimeSource::from_byte(fields.byte()?)?;
        let (sequence, sub) = (fields.sequence()?, fields.u32()?);
        let position = Position { partition: partition.clone(), sequence, sub };
        let key = fields.text()?;
        let key = match messages.last() {
            Some(last) if *last.key == *key => last.key.clone(),
            _ => key.into(),
        };
        let raw = fields.bytes()?;
        let raw = plain.slice_ref(raw);
        messages.push(Message { topic, time, time_source, arrived_at, position, key, raw });
    }
    Some((messages, children))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schema::Timestamp;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(drawn in prop::collection::vec((0..3u8, any::<i64>(), any::<u128>(), ".{0,9}", any::<Vec<u8>>()), 0..20), children in prop::collection::vec(".{0,9}", 0..3)) {
            let partition = PartitionId::embedded(3);
            let messages: Vec<Message> = drawn.into_iter().map(|(topic, time, sequence, key, raw)| Message {
                topic: Topic::new(&format!("topic {topic}")).unwrap(),
                time: Timestamp(time),
                time_source: TimeSource::from_byte(topic).unwrap(),
                arrived_at: Timestamp(!time),
                position: Position { partition: partition.clone(), sequence: sequence.to_string().parse().unwrap(), sub: u32::from(topic) },
                key: key.into(),
                raw: raw.into(),
            }).collect();
            let children: Vec<_> = children.into_iter().map(PartitionId::new).collect();
            let bytes = encode(&messages, &children);
            prop_assert_eq!(bytes[0] == V1, children.is_empty());
            prop_assert_eq!(decode(&bytes, &partition), Some((messages, children)));
        }

        #[test]
        fn what_is_no_batch_is_never_a_panic(plain: Vec<u8>, bytes: Vec<u8>, version in V1..=V2) {
            let mut batch = lz4_flex::block::compress_prepend_size(&plain);
            batch.insert(0, version);
            let _ = decode(&batch, &PartitionId::embedded(0));
            let mut damaged = vec![version];
            damaged.extend_from_slice(&bytes[..bytes.len().min(2)]);
            let _ = decode(&damaged, &PartitionId::embedded(0));
        }
    }
}
