//! Workers and readers on one CQL store, all at once: the workers take the same partitions from each other, die in the midst
//! of whatever they do, and stand still until somebody else has gone on, and then go on themselves.
//!
//! `TIDEGATE_SEED=n` draws what they do from another seed; how it is mixed up is up to the machine.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use schema::{Clock, PartitionId, Sequence, Stream, StreamName, Topic};
use store::testing::{Proxy, Trouble, Turns, cql};
use store::{Next, Store, StreamRecord};

use super::super::embedded::spans;
use super::model::messages;
use super::worker::{lane, outlet};
use super::world::whole;
use crate::log::LogRecord;
use crate::testing::Faulty;

const WORKERS: u64 = 5;
/// So many of them have a proxy between them and the server: all that they do takes long, and some of it goes wrong.
const TROUBLED: u64 = 1;
const READERS: usize = 2;
const PARTITIONS: usize = 2;
/// Of each partition.
const RECORDS: u64 = 500;
const TOPICS: [&str; 2] = ["a", "b"];
const WINDOW: i64 = 60_000_000;
/// Longer than any nap, and than a crowded machine needs.
const PATIENCE: Duration = Duration::from_secs(240);

/// What all share.
struct Crowd {
    stream: StreamRecord,
    log: Mutex<Vec<Vec<LogRecord>>>,
    over: AtomicBool,
    claims: AtomicU64,
    zombies: AtomicU64,
    deaths: AtomicU64,
}

impl Crowd {
    fn name(&self) -> &StreamName {
        self.stream.name()
    }

    fn last(&self, partition: usize) -> u64 {
        self.log.lock().unwrap()[partition].last().map_or(0, |record| record.sequence)
    }

    /// Records come in, a few at a time.
    async fn produce(&self, mut turns: Turns) {
        for sequence in 1..=RECORDS {
            for partition in 0..PARTITIONS {
                let mut json = serde_json::json!({ "n": sequence });
                if !turns.one_in(7) {
                    json["t"] = turns.one_of(&TOPICS).into();
                }
                if turns.one_in(2) {
                    json["id"] = turns.below(40).into();
                }
                let record = LogRecord {
                    stream: self.name().clone(),
                    partition: partition as u32,
                    sequence,
                    arrived_at: cql::now(),
                    key: format!("key-{partition}-{}", turns.below(2)).into(),
                    topic: None,
                    data: json.to_string().into(),
                };
                self.log.lock().unwrap()[partition].push(record);
            }
            if turns.one_in(4) {
                tokio::time::sleep(Duration::from_millis(turns.below(40))).await;
            }
        }
    }

    /// Takes one partition after the other, and now and then dies.
    async fn work(&self, store: Arc<dyn Store>, mut turns: Turns) {
        while !self.over.load(Ordering::Relaxed) {
            let partition = turns.below(PARTITIONS as u64) as usize;
            let lives = Duration::from_millis(if turns.one_in(3) { turns.below(200) } else { 60_000 });
            let batches = 1 + turns.below(30);
            // Now and then somebody is left alone for long enough to do something.
            tokio::time::sleep(Duration::from_millis(turns.below(400))).await;
            let owns = self.own(&store, partition, batches, Turns(turns.below(u64::MAX)));
            if tokio::time::timeout(lives, owns).await.is_err() {
                self.deaths.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Claims a partition, and brings so many batches of it into the store, unless it loses it.
    async fn own(&self, store: &Arc<dyn Store>, index: usize, batches: u64, mut turns: Turns) {
        let partition = PartitionId::embedded(index as u32);
        let outlet = outlet(store.clone());
        let claim = || store.claim_lease(self.name(), &partition);
        let lease = outlet.patience.until_done("claim a partition", claim).await;
        self.claims.fetch_add(1, Ordering::Relaxed);
        let mut lane = lane(partition.clone(), &lease);
        for left in (0..batches).rev() {
            let batch: Vec<LogRecord> = {
                let log = self.log.lock().unwrap();
                let records = &log[index];
                let next = records.partition_point(|record| lane.consumed >= record.sequence.into());
                let first = next.saturating_sub(turns.below(3) as usize);
                records[first..records.len().min(next + 1 + turns.below(6) as usize)].to_vec()
            };
            outlet.walk(&self.stream, &mut lane, &spans(batch)).await;
            if lane.consumed > lane.checkpoint && (turns.one_in(3) || left == 0) {
                let mark = || store.checkpoint(self.name(), &partition, lane.epoch, lane.consumed);
                if !outlet.patience.until_done("write a checkpoint", mark).await {
                    self.zombies.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                lane.checkpoint = lane.consumed;
            }
        }
    }

    /// Follows a partition to its end: the sequences of its messages, in the order in which they came.
    async fn read(&self, store: Arc<dyn Store>, index: usize) -> Vec<u64> {
        let partition = PartitionId::embedded(index as u32);
        let (mut consumed, mut got) = (Sequence::ZERO, Vec::new());
        while consumed < RECORDS.into() {
            match store.next_journal(self.name(), &partition, consumed).await.unwrap() {
                Next::Wait => tokio::time::sleep(Duration::from_millis(5)).await,
                Next::Gap { to } => {
                    panic!("a gap from {consumed} to {to} of {index}: the checkpoint is ahead")
                }
                Next::Row(row) => {
                    assert!(row.after <= consumed && consumed < row.last);
                    let sequences = row.messages.iter().map(|message| message.position.sequence);
                    got.extend(sequences.filter(|at| *at > consumed).filter_map(|at| at.as_u64()));
                    consumed = row.last;
                }
            }
        }
        got
    }

    /// What has come of it is what one worker alone would have done.
    async fn check(&self, store: &dyn Store, read: Vec<(usize, Vec<u64>)>) {
        let log = self.log.lock().unwrap().clone();
        let mut rows: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for topic in TOPICS {
            for row in store.read_topic(self.name(), &Topic::new(topic).unwrap(), whole()).await.unwrap() {
                let index = usize::from(row.position.partition == PartitionId::embedded(1));
                rows.entry(index).or_default().push(row.position.sequence.as_u64().unwrap());
            }
        }
        for (index, records) in log.iter().enumerate() {
            let expect: Vec<u64> = messages(records, WINDOW).into_iter().collect();
            assert!(expect.len() > 50, "{} messages", expect.len());
            let mut rows = rows.remove(&index).unwrap_or_default();
            rows.sort_unstable();
            assert_eq!(rows, expect, "rows of {index}");
            for (_, got) in read.iter().filter(|(of, _)| *of == index) {
                assert_eq!(*got, expect, "what a reader of {index} got");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_does_what_one_would_do() {
    if cql::left_out() {
        return;
    }
    let seed = std::env::var("TIDEGATE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut turns = Turns(seed);
    let name = cql::fresh("crowd");
    let text = format!(r#"{{"name":"{name}","topic":"/t","id":"/id","id_window":"60s"}}"#);
    let definition: Stream = serde_json::from_str(&text).unwrap();
    let crowd = Arc::new(Crowd {
        stream: StreamRecord::new(definition, &[]),
        log: Mutex::new(vec![Vec::new(); PARTITIONS]),
        over: AtomicBool::new(false),
        claims: AtomicU64::new(0),
        zombies: AtomicU64::new(0),
        deaths: AtomicU64::new(0),
    });
    // Each a process: with a connection of its own, and memory of its own. Slots are rolled after a few rows.
    let process = async |server| {
        let clock: Clock = Arc::new(cql::now);
        let store = cql::open(&cql::options_at(server, cql::KEYSPACE)).await.unwrap();
        Arc::new(store.another(clock)) as Arc<dyn Store>
    };
    let server = cql::server();
    let calm = process(server).await;
    assert!(calm.put_stream(&crowd.stream).await.unwrap());
    let mut readers = Vec::new();
    for number in 0..READERS * PARTITIONS {
        let (crowd, store) = (crowd.clone(), process(server).await);
        let index = number % PARTITIONS;
        readers.push(tokio::spawn(async move { (index, crowd.read(store, index).await) }));
    }
    let mut workers = Vec::new();
    let mut proxies = Vec::new();
    for number in 0..WORKERS {
        let (crowd, seed) = (crowd.clone(), turns.below(u64::MAX));
        let address = if number < TROUBLED {
            let mut proxy = Proxy::start(server).await;
            proxy.trouble_by(&mut turns, 40, &Trouble::that_passes());
            proxies.push(proxy);
            proxies[number as usize].address()
        } else {
            server
        };
        let store = Arc::new(Faulty::new(process(address).await, seed, 2, u64::MAX).napping(400));
        workers.push(tokio::spawn(async move { crowd.work(store, Turns(seed)).await }));
    }
    crowd.produce(Turns(turns.below(u64::MAX))).await;
    // They go on until one partition has been done by them alone.
    let began = Instant::now();
    while calm.leases(crowd.name()).await.unwrap().iter().all(|lease| lease.checkpoint < RECORDS.into()) {
        assert!(began.elapsed() < PATIENCE, "they stand still, with seed {seed}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    crowd.over.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    for index in 0..PARTITIONS {
        crowd.own(&calm, index, RECORDS, Turns(0)).await;
        assert_eq!(crowd.last(index), RECORDS);
    }
    let mut read = Vec::new();
    for reader in readers {
        read.push(tokio::time::timeout(PATIENCE, reader).await.expect("a reader stands still").unwrap());
    }
    let leases = calm.leases(crowd.name()).await.unwrap();
    assert!(leases.iter().all(|lease| lease.checkpoint == RECORDS.into()), "{leases:?}");
    crowd.check(&*calm, read).await;
    let [claims, zombies, deaths] =
        [&crowd.claims, &crowd.zombies, &crowd.deaths].map(|count| count.load(Ordering::Relaxed));
    println!(
        "seed {seed}: {claims} claims, {zombies} zombies that were told, {deaths} deaths, in {:?}",
        began.elapsed()
    );
    assert!(claims > 20 && zombies > 0 && deaths > 0);
}
