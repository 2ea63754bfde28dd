//! What the embedded store's keys point to: each value begins with a version byte, so that a layout can change.

mod entries;
mod lease;
mod message;

use bytes::Bytes;
use schema::{Position, Sequence, Timestamp};

pub(super) use entries::Entries;
pub(super) use lease::{Heartbeat, LeaseValue};
pub(super) use message::{MessageReader, message};

use crate::fields::{Fields, put};
use crate::{DeadLetter, IdClaim};

const V1: u8 = 1;
const V2: u8 = 2;

/// The time that a topic's messages span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Time of the first message.
    pub(super) first: Timestamp,
    /// Time of the last message.
    pub(super) last: Timestamp,
}

impl Span {
    /// The span of one message.
    pub(super) fn at(time: Timestamp) -> Self {
        Self { first: time, last: time }
    }

    /// What both span.
    pub(super) fn join(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    pub(super) fn encode(self) -> Vec<u8> {
        let mut value = vec![V1];
        value.extend_from_slice(&self.first.0.to_be_bytes());
        value.extend_from_slice(&self.last.0.to_be_bytes());
        value
    }

    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let mut fields = fields(value)?;
        Some(Self { first: fields.time()?, last: fields.time()? })
    }
}

/// A place in a partition, and when it was noted.
pub(super) fn mark(sequence: &Sequence, at: Timestamp) -> Vec<u8> {
    let mut value = vec![V1];
    value.extend_from_slice(&at.0.to_be_bytes());
    sequence.encode(&mut value);
    value
}

/// Reads a place and its time.
pub(super) fn read_mark(value: &[u8]) -> Option<(Sequence, Timestamp)> {
    let mut fields = fields(value)?;
    let at = fields.time()?;
    Some((fields.sequence()?, at))
}

/// The first claim of an id that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claimed {
    /// Generation, sequence and sub-sequence.
    pub(super) place: (u32, Sequence, u32),
    pub(super) arrived_at: Timestamp,
}

impl Claimed {
    pub(super) fn of(claim: &IdClaim) -> Self {
        Self { place: (claim.generation, claim.sequence, claim.sub), arrived_at: claim.arrived_at }
    }

    pub(super) fn encode(self) -> Vec<u8> {
        let mut value = arrival(self.arrived_at);
        value.extend_from_slice(&self.place.0.to_be_bytes());
        self.place.1.encode(&mut value);
        value.extend_from_slice(&self.place.2.to_be_bytes());
        value
    }

    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let mut fields = fields(value)?;
        let arrived_at = fields.time()?;
        Some(Self { place: (fields.u32()?, fields.sequence()?, fields.u32()?), arrived_at })
    }
}

/// The arrival of an id's further claim.
pub(super) fn arrival(at: Timestamp) -> Vec<u8> {
    let mut value = vec![V1];
    value.extend_from_slice(&at.0.to_be_bytes());
    value
}

/// Reads the arrival with which a value begins: of an id's claim, or a dead letter, also one that was removed.
pub(super) fn read_arrival(value: &[u8]) -> Option<Timestamp> {
    fields_of(value, V2)?.1.time()
}

/// A dead letter: arrival, key, reason, and then the bytes that came.
pub(super) fn dead_letter(letter: &DeadLetter) -> Vec<u8> {
    let mut value = arrival(letter.arrived_at);
    put(&mut value, letter.key.as_bytes());
    put(&mut value, letter.reason.as_bytes());
    value.extend_from_slice(&letter.raw);
    value
}

/// What is left of a dead letter that was removed, for as long as it would have been kept: its arrival.
pub(super) fn removed_letter(arrived_at: Timestamp) -> Vec<u8> {
    let mut value = arrival(arrived_at);
    value[0] = V2;
    value
}

/// Whether that is all.
pub(super) fn is_removed(value: &[u8]) -> bool {
    value.first() == Some(&V2)
}

/// Reads a dead letter.
pub(super) fn read_dead_letter(position: Position, value: &Bytes) -> Option<DeadLetter> {
    let mut fields = fields(value)?;
    let arrived_at = fields.time()?;
    let (key, reason) = (fields.text()?.into(), fields.text()?.to_owned());
    let raw = value.slice(value.len() - fields.0.len()..);
    Some(DeadLetter { position, arrived_at, key, reason, raw })
}

/// A document of the catalog: the version byte and JSON.
pub(super) fn json<T: serde::Serialize>(document: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut value = vec![V1];
    serde_json::to_writer(&mut value, document)?;
    Ok(value)
}

/// Reads a document of the catalog.
pub(super) fn read_json<T: serde::de::DeserializeOwned>(value: &[u8]) -> Option<T> {
    serde_json::from_slice(fields(value)?.0).ok()
}

/// The fields of `value`, if it is of the first version.
fn fields(value: &[u8]) -> Option<Fields<'_>> {
    fields_of(value, V1).map(|(_, fields)| fields)
}

/// The version of `value`, if it is none later than `newest`, and its fields.
fn fields_of(value: &[u8], newest: u8) -> Option<(u8, Fields<'_>)> {
    let (&version, rest) = value.split_first()?;
    (V1..=newest).contains(&version).then_some((version, Fields(rest)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schema::Topic;

    use super::*;

    proptest! {
        #[test]
        fn what_is_not_a_value_is_never_a_panic(mut bytes: Vec<u8>, version in V1..=V2) {
            bytes.insert(0, version);
            let value = Bytes::from(bytes);
            let position = Position { partition: schema::PartitionId::embedded(0), sequence: Sequence::ZERO, sub: 0 };
            let mut key = super::super::keys::from_time(b"", Timestamp(0));
            position.encode(&mut key);
            let _ = MessageReader::new(Topic::new("t").unwrap()).read(&key, &value);
            let _ = (Entries::decode(&value), Entries::newest_arrival(&value), Span::decode(&value), Claimed::decode(&value));
            let _ = (LeaseValue::decode(&value), Heartbeat::decode(&value), read_mark(&value), read_arrival(&value));
            let _ = read_dead_letter(position, &value);
            let _ = read_json::<schema::shape::Shape>(&value);
        }

        #[test]
        fn what_is_not_a_key_is_never_a_panic(bytes: Vec<u8>) {
            let value = Bytes::from_static(&[V1; 64]);
            let _ = MessageReader::new(Topic::new("t").unwrap()).read(&bytes, &value);
        }
    }
}
