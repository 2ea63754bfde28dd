//! The core: what a partition's records become. Pure functions of the records, their stream's entry in the catalog, and
//! the store's answers about ids, so that a batch that is decoded again after a crash becomes the same again.

use std::sync::Arc;

use schema::{Message, PartitionId, Position, Sequence, Stream, Topic};
use store::{DeadLetter, IdClaim, JournalRow, StreamRecord};

use crate::log::LogRecord;

/// The embedded log's partitions have no parents.
const GENERATION: u32 = 1;

/// Records of one partition, decoded; which of them came before is not known yet.
#[derive(Debug)]
pub(crate) struct Decoded {
    after: Sequence,
    last: Sequence,
    outcomes: Vec<Outcome>,
}

/// What a record is.
#[derive(Debug)]
enum Outcome {
    Message { message: Message, id: Option<Id> },
    Dead(DeadLetter),
}

/// A message's own id, and how long equal ones are folded.
#[derive(Debug)]
struct Id {
    text: String,
    window_micros: i64,
}

/// Claims that are to be made together: equal windows, in the order of the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) window_micros: i64,
    pub(crate) claims: Vec<IdClaim>,
}

/// What is to be written for some records of one partition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Records that are no messages.
    pub(crate) dead_letters: Vec<DeadLetter>,
    /// The messages, and which records they cover.
    pub(crate) row: Arc<JournalRow>,
    /// How many messages were left out, as their id had come before.
    pub(crate) folded: usize,
}

/// Decodes what follows `after` in a partition; `None` if nothing does. Records up to `after` are skipped: they were
/// journaled before.
///
/// `records` are of that partition and follow each other without a jump; each is decoded by the definition that was in force
/// when it arrived. What lies between `after` and the first of them is gone, and so not of the row: a reader that comes there
/// is told of a gap.
pub(crate) fn decode(
    records: &[LogRecord],
    stream: &StreamRecord,
    partition: &PartitionId,
    after: u64,
) -> Option<Decoded> {
    let new = &records[records.partition_point(|record| record.sequence <= after)..];
    let (first, last) = (new.first()?.sequence, new.last()?.sequence);
    let outcomes = new.iter().map(|record| outcome(record, stream, partition)).collect();
    Some(Decoded { after: (first - 1).into(), last: last.into(), outcomes })
}

fn outcome(record: &LogRecord, stream: &StreamRecord, partition: &PartitionId) -> Outcome {
    let definition = stream.in_force(record.arrived_at);
    let position = Position { partition: partition.clone(), sequence: record.sequence.into(), sub: 0 };
    match topic_of(record, definition) {
        Ok(topic) => {
            let (time, time_source) = definition.time_of(&record.data, record.arrived_at);
            let id = definition.id_of(&record.data);
            let id = id.map(|text| Id { text, window_micros: definition.id_window.micros() });
            let message = Message {
                topic,
                time,
                time_source,
                arrived_at: record.arrived_at,
                position,
                key: record.key.clone(),
                raw: record.data.clone(),
            };
            Outcome::Message { message, id }
        }
        Err(reason) => Outcome::Dead(DeadLetter {
            position,
            arrived_at: record.arrived_at,
            key: record.key.clone(),
            reason,
            raw: record.data.clone(),
        }),
    }
}

fn topic_of(record: &LogRecord, definition: &Stream) -> Result<Topic, String> {
    // The key that stands in for a missing one is the topic itself, so routing by the key gives the same topic again.
    definition
        .route(record.topic.as_ref(), &record.key, &record.data)
        .map_err(|unroutable| unroutable.to_string())
}

impl Decoded {
    /// The ids to claim, in runs of equal windows. Runs are claimed one after another, so that each message is told of
    /// all that came before it.
    pub(crate) fn claims(&self) -> Vec<Claims> {
        let mut runs: Vec<Claims> = Vec::new();
        for outcome in &self.outcomes {
            let Outcome::Message { message, id: Some(id) } = outcome else { continue };
            let claim = IdClaim {
                key: message.key.clone(),
                id: id.text.clone(),
                generation: GENERATION,
                sequence: message.position.sequence,
                sub: message.position.sub,
                arrived_at: message.arrived_at,
            };
            match runs.last_mut() {
                Some(run) if run.window_micros == id.window_micros => run.claims.push(claim),
                _ => runs.push(Claims { window_micros: id.window_micros, claims: vec![claim] }),
            }
        }
        runs
    }

    /// What is to be written, given for each claim, in order, whether its id had come before.
    pub(crate) fn fold(self, came_before: impl IntoIterator<Item = bool>) -> Batch {
        let mut came_before = came_before.into_iter();
        let (mut messages, mut dead_letters, mut folded) = (Vec::new(), Vec::new(), 0);
        for outcome in self.outcomes {
            match outcome {
                Outcome::Dead(letter) => dead_letters.push(letter),
                Outcome::Message { message, id } => {
                    if id.is_some() && came_before.next().unwrap_or(false) {
                        folded += 1;
                    } else {
                        messages.push(message);
                    }
                }
            }
        }
        let row = JournalRow { after: self.after, last: self.last, messages };
        Batch { dead_letters, row: Arc::new(row), folded }
    }
}
