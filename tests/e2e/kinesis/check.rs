//! What must be found of what was put: each message once, in the order of its key, poison among the dead letters, and no
//! checkpoint beyond what is in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cluster::{STREAM, partitions};
use super::watch::Watch;
use crate::support::kinesis::producer::{Ack, Kind, counts};
use crate::support::{Client, until};

/// How long all may need to be there once nothing is in the way any more, by the promise of the documentation.
const RECOVERY: Duration = Duration::from_secs(30);

/// As often as a record may be put whose answer was lost, at most: a connection ends no more often in one fault.
const TRIES: usize = 10;

/// What is in the store.
#[derive(Debug)]
struct Stored {
    /// The positions of each message.
    messages: BTreeMap<(String, usize), Vec<String>>,
    /// The positions of dead letters, and their texts.
    letters: BTreeMap<String, String>,
}

impl Stored {
    fn read<'a>(client: &Client, keys: impl Iterator<Item = &'a String>) -> Self {
        let mut messages = BTreeMap::<_, Vec<String>>::new();
        for key in keys {
            for (position, raw) in client.stored(STREAM, key) {
                messages.entry((key.clone(), number(key, &raw))).or_default().push(position);
            }
        }
        Self { messages, letters: dead_letters(client) }
    }

    fn has(&self, ack: &Ack) -> bool {
        match ack.kind {
            Kind::Poison => self.letters.contains_key(&ack.position),
            _ => self.messages.contains_key(&(ack.key.clone(), ack.n)),
        }
    }
}

/// The number of a message, which must be of its key.
pub(super) fn number(key: &str, raw: &str) -> usize {
    let value: Value = serde_json::from_str(raw).unwrap();
    assert_eq!(value["key"], *key, "{raw}");
    value["n"].as_u64().unwrap() as usize
}

/// All dead letters: their positions, and what they say.
fn dead_letters(client: &Client) -> BTreeMap<String, String> {
    let (mut all, mut after) = (BTreeMap::new(), Value::Null);
    loop {
        let document = format!(
            "query($after: String) {{ deadLetters(stream: \"{STREAM}\", first: 1000, after: $after) {{ position text }} }}"
        );
        let answer = client.graphql_answer(&document, &json!({ "after": after })).expect(200).json();
        let letters = answer["data"]["deadLetters"].as_array().unwrap_or_else(|| panic!("{answer}"));
        for letter in letters {
            let text = |name: &str| letter[name].as_str().unwrap_or_else(|| panic!("{letter}")).to_owned();
            let twice = all.insert(text("position"), text("text"));
            assert_eq!(twice, None, "{letter} is there twice");
        }
        match letters.last() {
            Some(last) if letters.len() == 1_000 => after = last["position"].clone(),
            _ => return all,
        }
    }
}

/// Fails where a checkpoint covers what is not in the store. `acks` is asked behind the checkpoints.
pub(super) fn checkpoints(client: &Client, acks: impl FnOnce() -> Vec<Ack>, context: &str) {
    let partitions = partitions(client);
    let acks = acks();
    let keys: BTreeSet<&String> = acks.iter().map(|ack| &ack.key).collect();
    let stored = Stored::read(client, keys.into_iter());
    for ack in &acks {
        let (shard, place) = place(&ack.position);
        let Some(partition) = partitions.get(shard) else { continue };
        let covered = partition.ended || place[0] <= rank(&partition.checkpoint);
        assert!(!covered || stored.has(ack), "{context}: {ack:?} is lost, which {partition:?} covers");
    }
}

/// Waits until what was acknowledged up to now is there, messages with `watch`; gives how long that took.
pub(super) fn what_was_put_is_there(client: &Client, watch: &Watch, acks: &[Ack], context: &str) -> Duration {
    let began = Instant::now();
    let (poison, messages): (Vec<&Ack>, Vec<&Ack>) = acks.iter().partition(|ack| ack.kind == Kind::Poison);
    let missing = || {
        let got: BTreeSet<(String, usize)> =
            watch.got(|got| got.iter().map(|seen| (seen.key.clone(), seen.n)).collect());
        let is_missing = |ack: &&&Ack| !got.contains(&(ack.key.clone(), ack.n));
        messages.iter().filter(is_missing).map(|ack| (*ack).clone()).collect::<Vec<_>>()
    };
    until(&format!("{context}: no message to be missing"), missing, |missing| {
        missing.is_empty().then_some(())
    });
    let missing = || {
        let letters = dead_letters(client);
        poison
            .iter()
            .filter(|ack| !letters.contains_key(&ack.position))
            .map(|ack| (*ack).clone())
            .collect::<Vec<_>>()
    };
    until(&format!("{context}: no poison to be missing"), missing, |missing| {
        missing.is_empty().then_some(())
    });
    let taken = began.elapsed();
    assert!(taken < RECOVERY, "{context}: it took {taken:?}");
    taken
}

/// Waits until all that was acknowledged is there, and holds it against what was put; gives how long that took.
/// `watch` has followed all the time.
pub(super) fn all_is_there(client: &Client, watch: &Watch, acks: &[Ack], context: &str) -> Duration {
    let taken = what_was_put_is_there(client, watch, acks, context);
    let counts = counts(acks);
    watch.expect_in_order(&counts, context);
    let stored = Stored::read(client, counts.keys());
    // By shard and key: the numbers in the order in which they stand there.
    let mut last = BTreeMap::new();
    for ((key, n), positions) in &stored.messages {
        assert_eq!(positions.len(), 1, "{context}: {n} of {key} is at {positions:?}");
        assert!(*n < counts[key], "{context}: nobody was told of {n} of {key}");
        let (shard, place) = place(&positions[0]);
        let before = last.insert((shard.to_owned(), key), place.clone());
        assert!(before.as_ref() < Some(&place), "{context}: {n} of {key} is at {place:?}, behind {before:?}");
    }
    for ack in acks.iter().filter(|ack| matches!(ack.kind, Kind::Message | Kind::Aggregated) && !ack.unsure) {
        let at = &stored.messages[&(ack.key.clone(), ack.n)];
        assert_eq!(at, std::slice::from_ref(&ack.position), "{context}: {ack:?} is elsewhere");
    }
    let poison: Vec<&Ack> = acks.iter().filter(|ack| ack.kind == Kind::Poison).collect();
    let unsure = poison.iter().filter(|ack| ack.unsure).count();
    let letters = &stored.letters;
    assert!(letters.values().all(|text| text.starts_with("poison of ")), "{context}: {letters:?}");
    let few = poison.len()..=poison.len() + unsure * TRIES;
    assert!(few.contains(&letters.len()), "{context}: {} dead letters, and not {few:?}", letters.len());
    Watch::from_start(client).expect_in_order(&counts, context);
    taken
}

/// The shard of a position, and what orders it there: of numbers without leading zeros, the longer one is greater.
fn place(position: &str) -> (&str, Vec<(usize, String)>) {
    let (shard, place) = position.split_once(':').unwrap();
    (shard, place.split(':').map(rank).collect())
}

fn rank(number: &str) -> (usize, String) {
    (number.len(), number.to_owned())
}
