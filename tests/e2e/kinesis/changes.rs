//! Shards are split and merged while messages come in, and the order of each key holds across parents and children.

use std::collections::{BTreeMap, BTreeSet};

use super::check;
use super::cluster::{Cluster, STREAM, balanced, partitions};
use super::watch::Watch;
use crate::support::kinesis::Emulator;
use crate::support::kinesis::producer::Plan;
use crate::support::{Turns, until};

/// How often the shards are changed.
const CHANGES: usize = 8;

#[test]
fn splits_and_merges_under_load_keep_the_order_of_keys() {
    let mut turns = Turns::seeded();
    let context = format!("seed {}", turns.seed());
    let Some(cluster) = Cluster::start("shards that are split and merged", Emulator::start(), 3) else {
        return;
    };
    let Cluster { emulator, .. } = &cluster;
    let client = cluster.client();
    balanced(&client, 3);
    let watch = Watch::from_now(&client);
    let plan = Plan { seed: turns.seed(), keys: 40, count: None, rate: Some(150), is_mixed: true };
    let producer = emulator.produce(STREAM, &plan);
    for change in 0..CHANGES {
        // For some time shards are changed that nobody has read to their end, and their children, and those of these.
        match change {
            2 => emulator.throttle("GetRecords", 100),
            6 => emulator.throttle("GetRecords", 0),
            _ => {}
        }
        producer.wait_for(60 + change * (20 + turns.below(200)));
        let open = emulator.open_shards(STREAM);
        if open.len() > 2 && turns.below(2) == 0 {
            let before_the_last = turns.below(open.len() - 1);
            let mut by_hash = open.clone();
            by_hash.sort_by_key(|shard| shard.hashes.0);
            emulator.merge(STREAM, &by_hash[before_the_last]);
        } else {
            emulator.split(STREAM, &open[turns.below(open.len())]);
        }
    }
    check::checkpoints(&client, || producer.acks(), &context);
    let acks = producer.stop();
    check::all_is_there(&client, &watch, &acks, &context);

    // What has ended says so, and all know what they came of.
    let shards = emulator.shards(STREAM);
    let open: BTreeSet<String> = emulator.open_shards(STREAM).into_iter().map(|shard| shard.id).collect();
    let known = until(
        &format!("{context}: the closed shards to end"),
        || partitions(&client),
        |known| {
            let going: BTreeSet<String> =
                known.iter().filter(|(_, known)| !known.ended).map(|(id, _)| id.clone()).collect();
            (going == open).then(|| known.clone())
        },
    );
    let sorted = |parents: &[String]| parents.iter().cloned().collect::<BTreeSet<_>>();
    let told: BTreeMap<_, _> = known.iter().map(|(id, known)| (id.clone(), sorted(&known.parents))).collect();
    let made: BTreeMap<_, _> =
        shards.iter().map(|shard| (shard.id.clone(), sorted(&shard.parents))).collect();
    assert_eq!(told, made, "{context}");
    balanced(&client, 3.min(open.len()));
    check::checkpoints(&client, || acks.clone(), &context);
    println!("{context}: {} acknowledged, {} shards, {} open", acks.len(), shards.len(), open.len());
}
