//! The core: what a partition's records become. Pure functions of the records, their stream's entry in the catalog, and
//! the store's answers about ids, so that a batch that is decoded again after a crash becomes the same again.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use schema::json::CheckLimits;
use schema::{Message, PartitionId, Position, Sequence, Topic, TopicRule};
use store::{DeadLetter, IdClaim, JournalRow, StreamRecord};

use super::record::{Body, Record, Span};
use crate::admissible;

/// What records are decoded by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    /// Each is decoded by the definition that was in force when it arrived.
    pub(crate) stream: &'a StreamRecord,
    /// The partition that they are of.
    pub(crate) partition: &'a PartitionId,
    /// 1 + the highest generation of the partition's parents.
    pub(crate) generation: u32,
    /// What a message that was not checked before the log must keep within.
    pub(crate) limits: CheckLimits,
}

/// Records of one partition, decoded; which of them came before is not known yet.
#[derive(Debug)]
pub(crate) struct Decoded {
    generation: u32,
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

/// Decodes what `span` has behind `consumed`; `None` if that is nothing. Records up to there are skipped: they were journaled
/// before.
///
/// What lies between `consumed` and the span is gone, and so not of the row: a reader that comes there is told of a gap.
pub(crate) fn decode(span: &Span, rules: Rules<'_>, consumed: Sequence) -> Option<Decoded> {
    if span.last <= consumed {
        return None;
    }
    let new = &span.records[span.records.partition_point(|record| record.sequence <= consumed)..];
    let outcomes = new.iter().map(|record| outcome(record, rules)).collect();
    let after = span.after.max(consumed);
    Some(Decoded { generation: rules.generation, after, last: span.last, outcomes })
}

fn outcome(record: &Record, rules: Rules<'_>) -> Outcome {
    let Record { key, sequence, sub, arrived_at, .. } = record;
    let position = Position { partition: rules.partition.clone(), sequence: *sequence, sub: *sub };
    match admit(record, rules) {
        Ok((topic, raw)) => {
            let definition = rules.stream.in_force(*arrived_at);
            let (time, time_source) = definition.time_of(&raw, *arrived_at);
            let id = definition.id_of(&raw);
            let id = id.map(|text| Id { text, window_micros: definition.id_window.micros() });
            // As for a message that came without a key in a request: its topic stands in for it.
            let key = if key.is_empty() { topic.as_str().into() } else { key.clone() };
            let arrived_at = *arrived_at;
            Outcome::Message {
                message: Message { topic, time, time_source, arrived_at, position, key, raw },
                id,
            }
        }
        Err(reason) => {
            let (Body::Checked(raw) | Body::Foreign(raw)) = &record.body;
            let (arrived_at, key, raw) = (*arrived_at, key.clone(), raw.clone());
            Outcome::Dead(DeadLetter { position, arrived_at, key, reason, raw })
        }
    }
}

/// The topic and the message of a record, or why it is none.
fn admit(record: &Record, rules: Rules<'_>) -> Result<(Topic, Bytes), String> {
    let raw = match &record.body {
        Body::Checked(raw) => raw.clone(),
        Body::Foreign(bytes) => {
            let raw = admissible::message(bytes, rules.limits).map_err(|fault| fault.to_string())?;
            admissible::key(&record.key)?;
            raw
        }
    };
    let definition = rules.stream.in_force(record.arrived_at);
    if matches!((&record.body, &definition.topic), (Body::Foreign(_), TopicRule::Caller)) {
        // Whoever may write into such a log writes in its own name: there the key says who that is.
        return Ok((Topic::new(&record.key).map_err(|error| error.to_string())?, raw));
    }
    // The key that stands in for a missing one is the topic itself, so routing by the key gives the same topic again.
    let topic = definition.route(record.topic.as_ref(), &record.key, &raw);
    Ok((topic.map_err(|unroutable| unroutable.to_string())?, raw))
}

impl Batch {
    /// Makes messages dead letters, each with what is said of it.
    pub(crate) fn set_aside(&mut self, refused: &[(Position, String)]) {
        let reason = |position: &Position| refused.iter().find(|(of, _)| of == position);
        let JournalRow { after, last, messages, children } = (*self.row).clone();
        let (mut kept, mut letters) = (Vec::with_capacity(messages.len()), Vec::new());
        for message in messages {
            match reason(&message.position) {
                None => kept.push(message),
                Some((_, reason)) => letters.push(DeadLetter {
                    position: message.position,
                    arrived_at: message.arrived_at,
                    key: message.key,
                    reason: reason.clone(),
                    raw: message.raw,
                }),
            }
        }
        self.dead_letters.extend(letters);
        self.row = Arc::new(JournalRow { after, last, messages: kept, children });
    }
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
                generation: self.generation,
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
        let row = JournalRow { after: self.after, last: self.last, messages, children: Vec::new() };
        Batch { dead_letters, row: Arc::new(row), folded }
    }
}
