//! What a history must come to: each letter is one thing, and it is the same to whoever looks.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use schema::{Message, PartitionId, Position, Sequence, StreamName, TimeRange, Topic};
use store::{DeadLetter, Discarded, Next, Order, Replayed, Store, TopicPage};

use super::world::World;

/// Somebody who follows the journal of replays from its beginning.
pub(super) struct Reader {
    consumed: Sequence,
    pub(super) got: Vec<Message>,
    /// Of so many turns it takes one.
    pub(super) slow: u64,
}

impl Reader {
    pub(super) fn new(slow: u64) -> Self {
        Self { consumed: Sequence::ZERO, got: Vec::new(), slow }
    }

    /// Takes what comes next; `false` if it must wait.
    pub(super) async fn read(&mut self, store: &dyn Store, name: &StreamName) -> bool {
        match store.next_journal(name, &PartitionId::replays(), self.consumed).await.unwrap() {
            Next::Wait => false,
            Next::Gap { to } => panic!("a gap from {} to {to}", self.consumed),
            Next::Row(row) => {
                assert!(row.after <= self.consumed && self.consumed < row.last);
                let fresh = |message: &Message| message.position.sequence > self.consumed;
                self.got.extend(row.messages.into_iter().filter(fresh));
                self.consumed = row.last;
                true
            }
        }
    }
}

pub(super) async fn check(world: &mut World, read: &[Vec<Message>]) {
    let name = world.record.name().clone();
    let journal = &read[0];
    assert!(journal.is_sorted_by(|a, b| a.position < b.position), "repeated, or out of order: {journal:?}");
    assert!(read.iter().all(|other| other == journal), "readers differ: {read:?}");

    // History has the same.
    let mut rows = BTreeMap::new();
    for topic in ["0", "1"] {
        for row in world.store.read_topic(&name, &Topic::new(topic).unwrap(), whole()).await.unwrap() {
            assert_eq!(row.topic.as_str(), topic);
            assert_eq!(rows.insert(row.position.clone(), row), None, "two rows of one message");
        }
    }
    let journaled: BTreeMap<_, _> = journal.iter().map(|row| (row.position.clone(), row.clone())).collect();
    assert_eq!(rows, journaled, "history and the journal differ");

    // Each letter is a message, or nothing, or still a letter.
    let letters = world.store.dead_letters(&name, None, 10_000).await.unwrap();
    let left: BTreeSet<Position> = letters.iter().map(|letter| letter.position.clone()).collect();
    let mut messages: BTreeMap<Bytes, &Message> = BTreeMap::new();
    for message in journal {
        assert!(messages.insert(message.raw.clone(), message).is_none(), "twice: {message:?}");
    }
    world.messages = messages.len();
    let said = world.said.borrow();
    for (position, letter) in &world.letters {
        let message = messages.remove(&raw(letter));
        let said_gone = |outcome: &Discarded| *outcome == Discarded::Gone;
        let is_gone = said.discards.iter().any(|(of, outcome)| of == position && said_gone(outcome));
        let outcomes = said.replays.iter().filter(|(of, _)| of == position).map(|(_, outcome)| outcome);
        let mut is_folded = false;
        for outcome in outcomes {
            match outcome {
                Replayed::Message(at) => assert_eq!(message.map(|message| &message.position), Some(at)),
                Replayed::Folded => is_folded = true,
                Replayed::StillDead(_) => {}
                Replayed::NotFound => assert!(!left.contains(position), "{position} was there"),
            }
        }
        assert!(!is_gone || message.is_none(), "{position} was discarded, and is a message");
        if let Some(message) = message {
            assert!(!is_folded && !left.contains(position), "{position} is a letter, too");
            let unchanged = (message.arrived_at, &message.key) == (letter.arrived_at, &letter.key);
            assert!(unchanged, "{message:?} of {letter:?}");
        } else if left.contains(position) {
            assert!(!is_folded && !is_gone, "{position} is still there");
        } else if !said.tried_to_discard.contains(position) {
            assert!(may_be_folded(world, letter, journal), "{position} was lost");
            world.folded += 1;
        } else {
            world.discarded += 1;
        }
    }
    assert!(messages.is_empty(), "nobody knows where these come from: {messages:?}");

    // Of letters with one id, one is a message.
    let mut ids = BTreeSet::new();
    for message in journal {
        if let Some(id) = id(&message.raw) {
            assert!(ids.insert((message.key.clone(), id)), "the id of {message:?} had come before");
        }
    }
}

/// Whether something else has the letter's id: a message of replays, or of another partition.
fn may_be_folded(world: &World, letter: &DeadLetter, journal: &[Message]) -> bool {
    let Some(id) = id(&raw(letter)) else { return false };
    let is_same = |key: &str, other: &str| *key == *letter.key && other == id;
    journal.iter().any(|message| self::id(&message.raw).is_some_and(|other| is_same(&message.key, &other)))
        || world.claimed.iter().any(|claim| is_same(&claim.key, &claim.id))
}

fn raw(letter: &DeadLetter) -> Bytes {
    let text = std::str::from_utf8(&letter.raw).unwrap().trim();
    Bytes::copy_from_slice(text.as_bytes())
}

fn id(raw: &[u8]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(raw).ok()?;
    json.get("id").map(ToString::to_string)
}

fn whole() -> TopicPage {
    TopicPage {
        range: TimeRange::ALL,
        order: Order::Ascending,
        after: None,
        before: None,
        rows_max: usize::MAX >> 1,
        bytes_max: usize::MAX >> 1,
    }
}
