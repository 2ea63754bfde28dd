//! Streams of one shard each: by any of them alone nobody has too much, and yet whoever comes later gets its part of them all.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cluster::migrated;
use crate::support::cql::Cql;
use crate::support::kinesis::Emulator;
use crate::support::{Client, Server, Setup, until};

const STREAMS: [&str; 6] = ["s0", "s1", "s2", "s3", "s4", "s5"];

/// How often each owner's name stands beside a shard, and the greatest epoch of all.
fn owners(client: &Client) -> (BTreeMap<Option<String>, usize>, u64) {
    let answer = client.graphql("{ streams { partitions { owner epoch } } }");
    let (mut owners, mut epoch) = (BTreeMap::<_, usize>::new(), 0);
    for partition in answer["streams"].as_array().into_iter().flatten() {
        for partition in partition["partitions"].as_array().into_iter().flatten() {
            *owners.entry(partition["owner"].as_str().map(ToOwned::to_owned)).or_default() += 1;
            epoch = epoch.max(partition["epoch"].as_u64().unwrap_or(0));
        }
    }
    (owners, epoch)
}

/// Waits until so many owners have `each` shards.
fn shared(client: &Client, count: usize, each: usize) -> u64 {
    until(
        &format!("{count} owners to have {each} shards each"),
        || owners(client),
        |(owners, epoch)| {
            let even = owners.iter().all(|(owner, shards)| owner.is_some() && *shards == each);
            (owners.len() == count && even).then_some(*epoch)
        },
    )
}

#[test]
fn many_streams_of_one_shard_are_shared_by_all_workers() {
    let Some(server) = Cql::server("streams that workers share") else { return };
    let (emulator, keyspace) = (Emulator::start(), migrated(&server));
    let streams: Vec<String> =
        STREAMS.iter().map(|name| format!("[[stream]]\nname = \"{name}\"\n")).collect();
    let settings = format!(
        "{}\n{}\n{}",
        server.settings_at(&server.address, keyspace.name()),
        // Nobody is taken for dead, or for deaf, however busy this machine is.
        emulator.settings().replace("lease_ms = 3000", "lease_ms = 60000"),
        streams.concat()
    );
    STREAMS.iter().for_each(|name| emulator.create(name, 1));
    let start = |role: &str| Setup::configured(&settings).role(role).with_credentials().start();
    let gateway = start("gateway");
    let client = gateway.client();
    let mut workers: Vec<Server> = Vec::new();
    for (count, each) in [(1, 6), (2, 3), (3, 2)] {
        workers.push(start("ingest"));
        let epoch = shared(&client, count, each);
        // One owner after another, and nobody twice: what was moved stayed where it went.
        assert!(epoch <= count as u64, "a shard had {epoch} owners, and there were {count}");
    }
    // Each was handed over, and none taken from somebody who had not stored what it had read.
    for worker in &workers {
        let log = worker.log();
        assert!(!log.contains("another worker's now"), "{log}");
    }
    let said = |stream: &Value| stream["partitions"][0]["progress"]["lag"].is_number();
    until(
        "all owners to say how they are doing",
        || client.graphql("{ streams { partitions { progress { lag } } } }"),
        |answer| answer["streams"].as_array().is_some_and(|all| all.iter().all(said)).then_some(()),
    );
}
