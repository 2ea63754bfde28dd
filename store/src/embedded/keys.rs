//! The keys of the embedded store: bytes that sort as what they stand for. Every key is built and read here.
//!
//! ```text
//! messages      stream 0 topic 0 time position            → values::message
//! topics        stream 0 topic                            → values::Span
//! journal       stream 0 partition 0 last after           → values::journal
//! dead letters  stream 0 position                         → values::dead_letter, or values::removed_letter
//! ids           stream 0 digest                           → values::Claimed, the id's head
//!               stream 0 digest 1 generation sequence sub → arrival
//! meta          's' stream | 'h' stream | 'd' stream      → stream, shape, decisions about dead letters
//!               'l' | 'b' stream 0 partition              → lease, heartbeat
//!               't' | 'e' stream 0 partition              → trimmed, empty rows seen
//!               'n' kind 0 name                           → a document that all nodes share
//!               'v'                                       → layout of this folder
//! ```
//! Names end with a zero byte, which none of them can hold; time is 8 bytes, big-endian, its sign flipped; positions
//! and sequences sort by themselves. Streams stand there by name: keys that follow each other share their beginnings
//! on disk, so a number in place of the name would save little and need a table of its own.

use schema::{PartitionId, Position, Sequence, StreamName, Timestamp, Topic};
use sha2::{Digest, Sha256};

use crate::{IdClaim, RowMark};

/// The layout of the folder.
pub(super) const LAYOUT: &[u8] = b"v";
/// Flipped, times before 1970 sort before those after it.
const SIGN: u64 = 1 << 63;
/// Where streams begin in `meta`.
pub(super) const STREAMS: &[u8] = b"s";

/// All rows of a stream begin so, in every table but `meta`.
pub(super) fn stream(stream: &StreamName) -> Vec<u8> {
    let mut key = Vec::with_capacity(96);
    key.extend_from_slice(stream.as_str().as_bytes());
    key.push(0);
    key
}

/// All messages of a topic begin so.
pub(super) fn topic_rows(stream: &StreamName, topic: &Topic) -> Vec<u8> {
    let mut key = self::topic(stream, topic.as_str());
    key.push(0);
    key
}

/// A message, `rows` being its topic's beginning.
pub(super) fn message(rows: &[u8], time: Timestamp, position: &Position) -> Vec<u8> {
    let mut key = from_time(rows, time);
    position.encode(&mut key);
    key
}

/// A message that stands at `mark`.
pub(super) fn mark(rows: &[u8], mark: &RowMark) -> Vec<u8> {
    message(rows, mark.time, &mark.position)
}

/// Where the messages of a topic begin whose time is `time` or later.
pub(super) fn from_time(rows: &[u8], time: Timestamp) -> Vec<u8> {
    let mut key = Vec::with_capacity(rows.len() + 64);
    key.extend_from_slice(rows);
    key.extend_from_slice(&flipped(time).to_be_bytes());
    key
}

/// Reads what follows a topic's beginning in the key of a message: its time, and its position's bytes.
pub(super) fn read_time(rest: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (time, position) = rest.split_first_chunk::<8>()?;
    Some((Timestamp((u64::from_be_bytes(*time) ^ SIGN) as i64), position))
}

/// A topic, or where the topics begin that begin with `name`.
pub(super) fn topic(stream: &StreamName, name: &str) -> Vec<u8> {
    let mut key = self::stream(stream);
    key.extend_from_slice(name.as_bytes());
    key
}

/// All journal rows, or dead letters, of a partition begin so.
pub(super) fn partition(stream: &StreamName, partition: &PartitionId) -> Vec<u8> {
    let mut key = self::stream(stream);
    key.extend_from_slice(partition.as_str().as_bytes());
    key.push(0);
    key
}

/// Reads the partition from what follows a stream's beginning.
pub(super) fn read_partition(rest: &[u8]) -> Option<PartitionId> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    Some(PartitionId::new(std::str::from_utf8(&rest[..end]).ok()?))
}

/// A journal row, `rows` being its partition's beginning.
pub(super) fn journal(rows: &[u8], last: &Sequence, after: &Sequence) -> Vec<u8> {
    let mut key = rows.to_vec();
    last.encode(&mut key);
    after.encode(&mut key);
    key
}

/// Where the journal rows begin whose `last` lies beyond `consumed`.
pub(super) fn journal_beyond(rows: &[u8], consumed: &Sequence) -> Vec<u8> {
    let mut key = rows.to_vec();
    consumed.encode(&mut key);
    end(key)
}

/// Reads `last` and `after` from what follows a partition's beginning.
pub(super) fn read_journal(rest: &[u8]) -> Option<(Sequence, Sequence)> {
    let (last, rest) = Sequence::decode(rest)?;
    let (after, _) = Sequence::decode(rest)?;
    Some((last, after))
}

/// A dead letter.
pub(super) fn dead_letter(stream: &StreamName, position: &Position) -> Vec<u8> {
    let mut key = self::stream(stream);
    position.encode(&mut key);
    key
}

/// Length of an id's digest, in bytes.
pub(super) const DIGEST_BYTES: usize = 32;

/// The head of the id that `claim` claims; its other claims begin so. Key and id are hashed: they may be as long as a
/// message.
pub(super) fn id(stream: &StreamName, claim: &IdClaim) -> Vec<u8> {
    let mut digest = Sha256::new();
    digest.update((claim.key.len() as u64).to_be_bytes());
    digest.update(claim.key.as_bytes());
    digest.update(claim.id.as_bytes());
    let mut key = self::stream(stream);
    key.extend_from_slice(&digest.finalize());
    key
}

/// A claim that is not the head, behind the head's key: earlier claims sort before it.
pub(super) fn id_claim(head: &[u8], claim: &IdClaim) -> Vec<u8> {
    let mut key = head.to_vec();
    key.push(1);
    key.extend_from_slice(&claim.generation.to_be_bytes());
    claim.sequence.encode(&mut key);
    key.extend_from_slice(&claim.sub.to_be_bytes());
    key
}

/// A stream's entry.
pub(super) fn meta_stream(stream: &StreamName) -> Vec<u8> {
    [STREAMS, stream.as_str().as_bytes()].concat()
}

/// A stream's shape.
pub(super) fn meta_shape(stream: &StreamName) -> Vec<u8> {
    [b"h", stream.as_str().as_bytes()].concat()
}

/// What was decided about a stream's dead letters.
pub(super) fn meta_letters(stream: &StreamName) -> Vec<u8> {
    [b"d", stream.as_str().as_bytes()].concat()
}

/// All entries of a kind begin so.
pub(super) fn meta_entries(kind: &str) -> Vec<u8> {
    [b"n", kind.as_bytes(), b"\0"].concat()
}

/// An entry.
pub(super) fn meta_entry(kind: &str, name: &str) -> Vec<u8> {
    [meta_entries(kind).as_slice(), name.as_bytes()].concat()
}

/// All leases of a stream begin so.
pub(super) fn meta_leases(stream: &StreamName) -> Vec<u8> {
    tagged(b'l', self::stream(stream))
}

/// A partition's lease.
pub(super) fn meta_lease(stream: &StreamName, partition: &PartitionId) -> Vec<u8> {
    tagged(b'l', self::partition(stream, partition))
}

/// The heartbeat of a partition's owner.
pub(super) fn meta_heartbeat(stream: &StreamName, partition: &PartitionId) -> Vec<u8> {
    tagged(b'b', self::partition(stream, partition))
}

/// Up to where a partition's journal was swept.
pub(super) fn meta_trimmed(stream: &StreamName, partition: &PartitionId) -> Vec<u8> {
    tagged(b't', self::partition(stream, partition))
}

/// Up to where a partition's journal was seen, and when, for its empty rows.
pub(super) fn meta_seen(stream: &StreamName, partition: &PartitionId) -> Vec<u8> {
    tagged(b'e', self::partition(stream, partition))
}

/// The first key after all those that begin with `prefix`.
pub(super) fn end(mut prefix: Vec<u8>) -> Vec<u8> {
    while let Some(byte) = prefix.pop() {
        if byte < u8::MAX {
            prefix.push(byte + 1);
            return prefix;
        }
    }
    // Only a prefix of nothing but 0xFF comes here, and names are text, which never holds that byte.
    prefix
}

fn tagged(tag: u8, mut key: Vec<u8>) -> Vec<u8> {
    key.insert(0, tag);
    key
}

fn flipped(time: Timestamp) -> u64 {
    time.0 as u64 ^ SIGN
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> StreamName {
        StreamName::new(text).unwrap()
    }

    fn positions() -> impl Strategy<Value = Position> {
        let partitions = prop::sample::select(vec!["a", "ab", "b", "shardId-000000000001"]);
        let sequences =
            prop_oneof![Just(u128::MAX), 0u128..3, any::<u128>(), (0u32..128).prop_map(|n| 1 << n)];
        (partitions, sequences, prop_oneof![0u32..3, any::<u32>()]).prop_map(|(partition, sequence, sub)| {
            Position {
                partition: PartitionId::new(partition),
                sequence: sequence.to_string().parse().unwrap(),
                sub,
            }
        })
    }

    fn rows() -> impl Strategy<Value = (Topic, Timestamp, Position)> {
        let topics = prop_oneof![Just("a".to_owned()), Just("a b".to_owned()), "[a-zé/.!~ ]{1,6}"];
        let times = prop_oneof![-3i64..3, any::<i64>()];
        (topics, times, positions())
            .prop_map(|(topic, time, position)| (Topic::new(&topic).unwrap(), Timestamp(time), position))
    }

    proptest! {
        #[test]
        fn messages_sort_as_topic_time_position(a in rows(), b in rows()) {
            let stream = name("s");
            let key = |(topic, time, position): &(Topic, Timestamp, Position)| {
                message(&topic_rows(&stream, topic), *time, position)
            };
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
            let prefix = topic_rows(&stream, &a.0);
            let whole = key(&a);
            let (time, position) = read_time(&whole[prefix.len()..]).unwrap();
            prop_assert_eq!((time, Position::decode(position)), (a.1, Some((a.2, &[][..]))));
            prop_assert!(key(&b).starts_with(&prefix) == (a.0 == b.0));
        }

        #[test]
        fn journal_rows_sort_as_last_after(a: (u128, u128), b: (u128, u128), consumed: u128) {
            let rows = partition(&name("s"), &PartitionId::new("p"));
            let number = |n: u128| n.to_string().parse::<Sequence>().unwrap();
            let key = |(last, after): (u128, u128)| journal(&rows, &number(last), &number(after));
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
            prop_assert_eq!(read_journal(&key(a)[rows.len()..]), Some((number(a.0), number(a.1))));
            for consumed in [consumed, a.0, a.0.saturating_sub(1)] {
                prop_assert_eq!(key(a) >= journal_beyond(&rows, &number(consumed)), a.0 > consumed);
            }
        }

        #[test]
        fn claims_sort_as_generation_sequence_sub(a: (u32, u64, u32), b: (u32, u64, u32)) {
            let claim = |(generation, sequence, sub): (u32, u64, u32)| IdClaim {
                key: "k".into(), id: "i".into(), generation, sequence: sequence.into(), sub, arrived_at: Timestamp(0),
            };
            let head = id(&name("s"), &claim(a));
            prop_assert_eq!(id_claim(&head, &claim(a)).cmp(&id_claim(&head, &claim(b))), a.cmp(&b));
        }

        #[test]
        fn an_end_parts_what_begins_so_from_what_follows(prefix in prop::collection::vec(any::<u8>(), 1..6), key: Vec<u8>) {
            prop_assume!(prefix.iter().any(|byte| *byte != u8::MAX));
            let (inside, reached) = (key.starts_with(&prefix), key >= prefix);
            prop_assert_eq!(inside, reached && key < end(prefix));
        }
    }

    #[test]
    fn streams_keep_apart() {
        let (a, ab) = (name("a"), name("ab"));
        assert!(!topic(&ab, "x").starts_with(&stream(&a)));
        assert!(!meta_lease(&ab, &PartitionId::new("p")).starts_with(&meta_leases(&a)));
        let partition = PartitionId::new("shardId-000000000003");
        let key = self::partition(&a, &partition);
        assert_eq!(read_partition(&key[stream(&a).len()..]), Some(partition));
    }

    #[test]
    fn key_and_id_do_not_run_together() {
        let claim = |key: &str, id: &str| {
            let claim = IdClaim {
                key: key.into(),
                id: id.into(),
                generation: 0,
                sequence: Sequence::ZERO,
                sub: 0,
                arrived_at: Timestamp(0),
            };
            super::id(&name("s"), &claim)
        };
        assert_ne!(claim("ab", "c"), claim("a", "bc"));
        assert_eq!(claim("ab", "c"), claim("ab", "c"));
    }
}
