//! What producers wrote: the truth that all else is held against.

use schema::{Message, PartitionId, Position, TimeSource, Timestamp, Topic};
use store::testing::Turns;

pub(super) const SECOND: i64 = 1_000_000;
const TOPICS: [&str; 3] = ["a", "b", "c"];

/// One of the topics.
pub(super) fn topic(turns: &mut Turns) -> Topic {
    Topic::new(turns.one_of(&TOPICS)).unwrap()
}

/// All of them.
pub(super) fn topics() -> [Topic; 3] {
    TOPICS.map(|topic| Topic::new(topic).unwrap())
}

/// A record of the log, and the messages that it becomes: none where it is rejected, or said before.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) sequence: u64,
    pub(super) messages: Vec<Message>,
}

/// A partition's records.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub(super) id: PartitionId,
    pub(super) records: Vec<Record>,
}

impl Partition {
    pub(super) fn new(index: u32) -> Self {
        Self { id: PartitionId::embedded(index), records: Vec::new() }
    }

    /// The last sequence.
    pub(super) fn end(&self) -> u64 {
        self.records.last().map_or(0, |record| record.sequence)
    }

    /// Some records arrive.
    pub(super) fn produce(&mut self, turns: &mut Turns, now: i64) {
        for _ in 0..1 + turns.below(4) {
            let sequence = self.end() + 1 + if turns.one_in(5) { turns.below(3) } else { 0 };
            let count = turns.one_of(&[0, 1, 1, 1, 1, 3]);
            let messages = (0..count).map(|sub| {
                let late = turns.one_of(&[0, 0, 5, 200]);
                Message {
                    topic: topic(turns),
                    time: Timestamp(now - late * SECOND),
                    time_source: TimeSource::Message,
                    arrived_at: Timestamp(now),
                    position: Position { partition: self.id.clone(), sequence: sequence.into(), sub },
                    key: "key".into(),
                    raw: format!("{{\"n\":{sequence}}}").into(),
                }
            });
            let messages = messages.collect();
            self.records.push(Record { sequence, messages });
        }
    }
}
