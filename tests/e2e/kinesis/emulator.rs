//! The emulator itself, beside producers, changes of shards and faults: whoever reads it by iterators gets each record once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Turns;
use crate::support::http::Request;
use crate::support::kinesis::Emulator;
use crate::support::kinesis::producer::{Plan, has_boto3};

/// What an operation answers, if it succeeds.
fn ask(address: SocketAddr, operation: &str, input: &Value) -> Option<Value> {
    let request = Request::new("POST", "/")
        .header("X-Amz-Target", &format!("Kinesis_20131202.{operation}"))
        .header("X-Amz-Date", "20260101T000000Z")
        .header("Authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=y")
        .body("application/x-amz-json-1.1", input.to_string());
    let answer = request.try_send(address).ok()?;
    (answer.status == 200).then(|| answer.json())
}

/// A reader of all shards of a stream, each from its first record on.
#[derive(Debug, Default)]
struct Reader {
    /// What comes next of each shard; none: it has ended.
    iterators: BTreeMap<String, Option<String>>,
    /// The positions that came, in this order.
    got: Vec<String>,
}

impl Reader {
    fn read(&mut self, emulator: &Emulator, address: SocketAddr) {
        for shard in emulator.shards("orders") {
            let first =
                json!({ "StreamName": "orders", "ShardId": shard.id, "ShardIteratorType": "TRIM_HORIZON" });
            if !self.iterators.contains_key(&shard.id) {
                let Some(answer) = ask(address, "GetShardIterator", &first) else { return };
                let iterator = answer["ShardIterator"].as_str().map(ToOwned::to_owned);
                self.iterators.insert(shard.id.clone(), iterator);
            }
            let Some(iterator) = self.iterators.get(&shard.id).cloned().flatten() else { continue };
            let input = json!({ "ShardIterator": iterator, "Limit": 100 });
            let Some(answer) = ask(address, "GetRecords", &input) else { return };
            let position =
                |record: &Value| format!("{}:{}", shard.id, record["SequenceNumber"].as_str().unwrap());
            self.got.extend(answer["Records"].as_array().unwrap().iter().map(position));
            let next = answer["NextShardIterator"].as_str().map(ToOwned::to_owned);
            self.iterators.insert(shard.id, next);
        }
    }
}

#[test]
fn an_emulator_gives_each_record_once() {
    if !has_boto3("the emulator of Kinesis") {
        return;
    }
    let seed = Turns::seeded().seed();
    let emulator = Emulator::start();
    emulator.create("orders", 2);
    let address: SocketAddr = emulator.endpoint().trim_start_matches("http://").parse().unwrap();
    let plan = Plan { seed, keys: 12, count: None, rate: Some(2_000), is_mixed: true };
    let producer = emulator.produce("orders", &plan);
    let mut reader = Reader::default();
    for (step, count) in (1..).map(|step| (step, step * 150)).take(8) {
        producer.wait_for(count);
        match step {
            2 | 4 => emulator.split("orders", &emulator.open_shards("orders")[0]),
            5 => emulator.merge("orders", &emulator.open_shards("orders")[0]),
            3 => emulator.throttle("GetRecords", 50),
            6 => emulator.throttle("PutRecords", 50),
            7 => {
                emulator.set_cut(true);
                thread::sleep(Duration::from_millis(100));
                emulator.set_cut(false);
            }
            _ => {}
        }
        reader.read(&emulator, address);
    }
    let acks = producer.stop();
    let records: BTreeSet<String> =
        acks.iter().map(|ack| ack.position.split(':').take(2).collect::<Vec<_>>().join(":")).collect();
    emulator.throttle("GetRecords", 0);
    for _ in 0..acks.len() / 100 + 3 {
        reader.read(&emulator, address);
    }
    let shards = emulator.shards("orders");
    let open = shards.iter().filter(|shard| shard.is_open).map(|shard| &shard.id);
    let read_on = reader.iterators.iter().filter(|(_, next)| next.is_some()).map(|(id, _)| id);
    assert!(open.eq(read_on), "seed {seed}: {shards:?}; {:?}", reader.iterators);
    assert_eq!(shards.iter().map(|shard| shard.parents.len()).collect::<Vec<_>>(), [0, 0, 1, 1, 1, 1, 2]);

    let got: BTreeSet<String> = reader.got.iter().cloned().collect();
    assert_eq!(got.len(), reader.got.len(), "seed {seed}: some came twice");
    let lost: Vec<_> = records.difference(&got).collect();
    assert!(lost.is_empty(), "seed {seed}: {lost:?}");
    // What was put and not acknowledged is there besides, once for each key that was told of it.
    let unsure = acks.iter().filter(|ack| ack.unsure).count();
    assert!(got.len() - records.len() <= unsure, "seed {seed}: {} of {}, {unsure}", got.len(), records.len());

    // What retention has passed is gone for whoever comes later.
    let gone = emulator.trim("orders", &shards[0].id, 7);
    let (mut late, calls) = (Reader::default(), emulator.calls("GetRecords"));
    for _ in 0..got.len() / 100 + 3 {
        late.read(&emulator, address);
    }
    assert!(emulator.calls("GetRecords") > calls);
    assert_eq!((gone, late.got.len()), (7, got.len() - 7), "seed {seed}");
}
