//! Rows as messages. Each message's JSON shares memory with the answer that brought it.

use std::sync::Arc;

use bytes::Bytes;
use schema::{Message, PartitionId, Position, Sequence, TimeSource, Timestamp, Topic};

/// Time, position, arrival, time source, partition key, JSON.
pub(super) type Row<'r> = (i64, &'r [u8], i64, i8, &'r str, Bytes);

/// Reads rows of one topic. Their partition and key seldom change from one to the next, so both are shared.
pub(super) struct RowReader {
    topic: Topic,
    partition: PartitionId,
    key: Arc<str>,
}

impl RowReader {
    /// A reader of rows of `topic`.
    pub(super) fn new(topic: Topic) -> Self {
        Self { topic, partition: PartitionId::new(""), key: "".into() }
    }

    /// The message of a row; `None` for what no row holds.
    pub(super) fn read(&mut self, row: Row<'_>) -> Option<Message> {
        let (time, position, arrived_at, source, key, raw) = row;
        let position = self.position(position)?;
        if *self.key != *key {
            self.key = key.into();
        }
        Some(Message {
            topic: self.topic.clone(),
            time: Timestamp(time),
            time_source: TimeSource::from_byte(u8::try_from(source).ok()?)?,
            arrived_at: Timestamp(arrived_at),
            position,
            key: self.key.clone(),
            raw,
        })
    }

    /// [`Position::decode`], which makes a partition of each; here the one before is shared, where it is the same.
    fn position(&mut self, bytes: &[u8]) -> Option<Position> {
        let after = bytes.strip_prefix(self.partition.as_str().as_bytes());
        let Some([0, after @ ..]) = after else {
            let (position, _) = Position::decode(bytes)?;
            self.partition = position.partition.clone();
            return Some(position);
        };
        let (sequence, sub) = Sequence::decode(after)?;
        let sub = u32::from_be_bytes(*sub.first_chunk()?);
        Some(Position { partition: self.partition.clone(), sequence, sub })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_alike_whatever_came_before() {
        let partitions = ["a", "a", "ab", "a", "", "b", "b"];
        let mut reader = RowReader::new(Topic::new("t").unwrap());
        for (number, partition) in (0..).zip(partitions) {
            let sequence = Sequence::from(number * 1_000_000_007);
            let position = Position { partition: PartitionId::new(partition), sequence, sub: 7 };
            let mut bytes = Vec::new();
            position.encode(&mut bytes);
            assert_eq!(reader.position(&bytes), Some(position), "{partition}");
            for short in 0..bytes.len() {
                assert_eq!(reader.position(&bytes[..short]), None, "{partition}, {short} bytes");
            }
        }
    }
}
