//! Rows as messages. Each message's JSON shares memory with the answer that brought it.

use std::sync::Arc;

use bytes::Bytes;
use schema::{Message, PartitionId, Position, TimeSource, Timestamp, Topic};

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
        let (mut position, _) = Position::decode(position)?;
        if position.partition != self.partition {
            self.partition = position.partition;
        }
        position.partition = self.partition.clone();
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
}
