//! One process with the embedded store: what boto3 puts is queried and followed, through a kill.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::check;
use super::cluster::{STREAM, partitions, put_first, settings};
use super::watch::Watch;
use crate::support::kinesis::Emulator;
use crate::support::kinesis::producer::{Kind, Plan, has_boto3};
use crate::support::{Setup, Turns, until};

#[test]
fn what_boto3_puts_is_queried_and_followed_through_a_kill() {
    if !has_boto3("a node that reads from Kinesis") {
        return;
    }
    let seed = Turns::seeded().seed();
    let context = format!("seed {seed}");
    let emulator = Emulator::start();
    emulator.create(STREAM, 3);
    let mut node = Setup::configured(&settings(&emulator, "")).with_credentials().start();
    put_first(&emulator, &node.client());
    let watch = Watch::from_now(&node.client());

    let plan = Plan { seed, keys: 10, count: Some(1_500), rate: None, is_mixed: true };
    let acks = emulator.produce(STREAM, &plan).finish();
    for kind in [Kind::Message, Kind::Aggregated, Kind::Again, Kind::Poison] {
        assert!(acks.iter().any(|ack| ack.kind == kind), "{context}: {kind:?}");
    }
    check::all_is_there(&node.client(), &watch, &acks, &context);
    check::checkpoints(&node.client(), || acks.clone(), &context);

    // A message of an aggregated record says which of its messages it is.
    let inner = acks.iter().find(|ack| ack.kind == Kind::Aggregated && ack.position.split(':').count() == 3);
    let inner = inner.unwrap_or_else(|| panic!("{context}: no record holds two"));
    let stored = node.client().stored(STREAM, &inner.key);
    assert!(
        stored.iter().any(|(position, _)| *position == inner.position),
        "{context}: {inner:?} in {stored:?}"
    );

    // Its partitions are the shards; it has them all.
    let shards: BTreeMap<String, Vec<String>> =
        emulator.shards(STREAM).into_iter().map(|shard| (shard.id, shard.parents)).collect();
    let known = until(
        "all shards to be consumed",
        || partitions(&node.client()),
        |known| known.values().all(|known| known.owner.is_some() && !known.ended).then(|| known.clone()),
    );
    let parents: BTreeMap<_, _> =
        known.iter().map(|(id, known)| (id.clone(), known.parents.clone())).collect();
    assert_eq!(parents, shards);

    // It asks each shard no oftener than it is told to: every 200 ms.
    let (calls, began) = (emulator.calls("GetRecords"), Instant::now());
    thread::sleep(Duration::from_secs(2));
    let calls = emulator.calls("GetRecords") - calls;
    let most = (began.elapsed().as_millis() as usize / 200 + 2) * shards.len();
    assert!((1..=most).contains(&calls), "{calls} calls, {most} at most");

    // Killed, and started again: it goes on behind what it has.
    let before = node.client().stored(STREAM, "k1");
    node.kill_9();
    emulator.put(STREAM, "k1", json!({ "id": "late", "key": "k1", "n": 7_000_000 }).to_string().as_bytes());
    node.restart();
    let after = until(
        "what was put meanwhile to be there",
        || node.client().stored(STREAM, "k1"),
        |stored| (stored.len() > before.len()).then(|| stored.clone()),
    );
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(after.len(), before.len() + 1);
}
