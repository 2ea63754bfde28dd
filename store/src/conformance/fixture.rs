//! What the cases are made of: streams that nobody used, messages, and turns drawn from a seed.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use schema::{Message, PartitionId, Position, Sequence, StreamName, TimeRange, TimeSource, Timestamp, Topic};

use crate::{Order, TopicPage};

/// A stream that no case, of this run or another on the same store, has used.
pub(super) fn fresh_stream(purpose: &str) -> StreamName {
    static USED: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let number = USED.fetch_add(1, Ordering::Relaxed);
    sound(StreamName::new(&format!("{purpose}-{:x}-{since:x}-{number}", std::process::id())))
}

/// The value, which the case itself made soundly.
pub(super) fn sound<T, E: std::fmt::Display>(made: Result<T, E>) -> T {
    match made {
        Ok(made) => made,
        Err(error) => panic!("the case itself is wrong: {error}"),
    }
}

pub(super) fn topic(name: &str) -> Topic {
    sound(Topic::new(name))
}

pub(super) fn partition(number: u64) -> PartitionId {
    PartitionId::embedded(number as u32)
}

/// A position in a partition.
pub(super) fn position(in_partition: u64, sequence: u64) -> Position {
    Position { partition: partition(in_partition), sequence: sequence.into(), sub: 0 }
}

/// A message of `topic` at `time`. Everything else of it follows from its position.
pub(super) fn message(name: &str, time: i64, position: Position) -> Message {
    let raw = format!(r#"{{"at":"{position}","time":{time}}}"#);
    let number = position.sequence.as_u64().unwrap_or(0);
    Message {
        topic: topic(name),
        time: Timestamp(time),
        time_source: TimeSource::from_byte((number % 4) as u8).unwrap_or(TimeSource::Message),
        arrived_at: Timestamp(time + 1_000 + number as i64),
        key: format!("key {}", number % 3).into(),
        position,
        raw: Bytes::from(raw),
    }
}

/// A page over all of a topic, larger than any that a case writes.
pub(super) fn whole(order: Order) -> TopicPage {
    TopicPage {
        range: TimeRange::ALL,
        order,
        after: None,
        before: None,
        rows_max: 100_000,
        bytes_max: 1 << 30,
    }
}

pub(super) fn sequence(text: &str) -> Sequence {
    sound(text.parse())
}

/// The seeds of a case: some that are always the same, or those that the environment asks for.
pub(super) fn seeds(count: u64) -> Range<u64> {
    let asked = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (asked("TIDEGATE_SEED"), asked("TIDEGATE_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(count)) => 0..count,
        (None, None) => 0..count,
    }
}

/// Random turns, the same for the same seed (xorshift64*).
pub(super) struct Turns(u64);

impl Turns {
    pub(super) fn new(seed: u64) -> Self {
        // Zero would stay zero, and small seeds would begin alike.
        let mut turns = Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        turns.below(1);
        turns
    }

    /// A number less than `n`, which is not 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    /// Whether a thing of chance `1 / n` happens.
    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of `things`, which are some.
    pub(super) fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len() as u64) as usize]
    }

    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for at in (1..things.len()).rev() {
            things.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}
