//! The consumer held against a plain reading of the log, with a store that fails and a process that ends at any step.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use schema::shape::{Learner, Opens};
use schema::{Clock, Limits, Sequence, Stream, Timestamp, Topic};
use store::{Journal, Leases, Next, Store, Unheard};

use super::*;
use crate::log::LogEntry;
use crate::testing::{Faulty, Memory};

fn settings() -> IngestSettings {
    IngestSettings {
        partitions_per_stream: 2,
        segment_bytes: 4_096,
        batch_rows: 5,
        checkpoint_rows: 7,
        retry_ms_min: 1,
        retry_ms_max: 1,
        ..IngestSettings::default()
    }
}

fn stream(name: &str) -> Stream {
    let text = format!(r#"{{"name":"{name}","topic":"/t","id":"/id"}}"#);
    serde_json::from_str(&text).unwrap()
}

/// A message as it is drawn: key, topic (none: it can't be routed), id.
type Drawn = (u8, Option<u8>, Option<u8>);

fn entry(stream: &str, (key, topic, id): Drawn, count: usize) -> LogEntry {
    let mut json = serde_json::json!({ "n": count, format!("field-{}", count % 9): true });
    if let Some(topic) = topic {
        json["t"] = format!("topic-{topic}").into();
    }
    if let Some(id) = id {
        json["id"] = id.into();
    }
    let stream = StreamName::new(stream).unwrap();
    LogEntry { stream, key: format!("key-{key}").into(), topic: None, data: json.to_string().into() }
}

struct World {
    _folder: tempfile::TempDir,
    log: Log,
    store: Arc<Memory>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock: Clock = Arc::new(|| Timestamp(1_700_000_000_000_000));
        let log = Log::open(folder.path(), &settings(), clock, &[], Arc::default()).unwrap();
        Self { _folder: folder, log, store: Arc::default() }
    }

    async fn consumer(&self, store: Arc<dyn Store>) -> Consumer {
        let streams = Streams::open(self.store.clone(), 10, true).await.unwrap();
        streams.define(vec![stream("a"), stream("b")], Timestamp::MIN).await.unwrap();
        let outlet = Outlet::new(store, &settings(), Arc::default(), Arc::default(), Arc::new(Unheard));
        Consumer::new(self.log.clone(), streams, settings(), outlet)
    }

    /// Runs until the process ends by a fault, or everything is consumed.
    async fn run(&self, seed: u64, percent: u64, steps: u64) {
        let store = Arc::new(Faulty::new(self.store.clone(), seed, percent, steps));
        let consumer = self.consumer(store.clone()).await;
        tokio::select! {
            outcome = consumer.run(watch::Sender::new(true).subscribe()) => assert_eq!(outcome, Ok(())),
            () = store.crashed.notified() => {}
        }
    }

    /// Everything that the journal tells somebody who reads it from the beginning.
    async fn journal(&self, stream: &StreamName, partition: &PartitionId) -> Vec<schema::Message> {
        let (mut consumed, mut all) = (Sequence::ZERO, Vec::new());
        loop {
            match self.store.next_journal(stream, partition, consumed).await.unwrap() {
                Next::Row(row) => {
                    all.extend(
                        row.messages.into_iter().filter(|message| message.position.sequence > consumed),
                    );
                    consumed = row.last;
                }
                Next::Wait => return all,
                Next::Gap { to } => panic!("a gap from {consumed} to {to}"),
            }
        }
    }
}

/// What the store must hold of `records`: the messages of each partition in order, and how many dead letters.
fn expect(records: &[LogRecord]) -> (BTreeMap<(StreamName, PartitionId), Vec<bytes::Bytes>>, usize) {
    let (mut messages, mut dead, mut ids) = (BTreeMap::<_, Vec<_>>::new(), 0, BTreeSet::new());
    for record in records {
        let json: serde_json::Value = serde_json::from_slice(&record.data).unwrap();
        let id = json.get("id").map(|id| (record.stream.clone(), record.key.clone(), id.to_string()));
        if json.get("t").is_none() {
            dead += 1;
        } else if id.is_none_or(|id| ids.insert(id)) {
            let partition = (record.stream.clone(), PartitionId::embedded(record.partition));
            messages.entry(partition).or_default().push(record.data.clone());
        }
    }
    (messages, dead)
}

async fn check(world: &World, records: &[LogRecord]) {
    let (expected, dead) = expect(records);
    let partitions: BTreeSet<_> = records
        .iter()
        .map(|record| (record.stream.clone(), PartitionId::embedded(record.partition)))
        .collect();
    for key in partitions {
        let journaled = world.journal(&key.0, &key.1).await;
        let raw: Vec<_> = journaled.iter().map(|message| message.raw.clone()).collect();
        assert_eq!(&raw, expected.get(&key).unwrap_or(&Vec::new()));
        let last =
            records.iter().rev().find(|r| r.stream == key.0 && PartitionId::embedded(r.partition) == key.1);
        let checkpoint = world.store.tables().leases[&key].checkpoint;
        assert_eq!(Some(checkpoint), last.map(|record| record.sequence.into()));
    }
    let tables = world.store.tables();
    let mut rows: Vec<_> = tables.rows.values().map(|message| message.raw.clone()).collect();
    let mut wanted: Vec<_> = expected.into_values().flatten().collect();
    rows.sort();
    wanted.sort();
    assert_eq!(rows, wanted);
    assert_eq!(tables.dead_letters.len(), dead);
    for ((_, position), letter) in &tables.dead_letters {
        assert_eq!(
            letter.reason,
            "the message has no text or number at /t, where its stream takes the topic from"
        );
        assert!(
            records
                .iter()
                .any(|record| record.data == letter.raw && position.sequence == record.sequence.into())
        );
    }
    for ((stream, _), message) in &tables.rows {
        let mut learned = tables.shapes[stream].learned.clone();
        let (opens, limits) = (Opens::default(), Limits::default());
        let news = Learner::new(&learned, &opens, &limits).learn(&mut learned, &message.raw).unwrap();
        assert!(!news, "the shape of {stream} lacks {message:?}");
    }
}

fn records(log: &Log) -> Vec<LogRecord> {
    log.reader().read(LogOffset::ZERO, usize::MAX >> 1, usize::MAX).unwrap().records
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn crashes_at_any_step_lose_nothing_and_repeat_nothing(
        lives in prop::collection::vec((
            prop::collection::vec((any::<bool>(), (0..3u8, prop::option::weighted(0.9, 0..3u8), prop::option::of(0..4u8))), 0..9),
            1..30u64,
        ), 1..8),
        seed: u64, percent in prop_oneof![Just(0u64), Just(5), Just(30)],
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let world = World::new();
            let mut all: Vec<LogRecord> = Vec::new();
            for (n, (drawn, steps)) in lives.into_iter().enumerate() {
                let entries: Vec<LogEntry> = drawn
                    .into_iter()
                    .map(|(a, message)| entry(if a { "a" } else { "b" }, message, all.len()))
                    .collect();
                let placed = world.log.append(entries.clone()).await.unwrap();
                all.extend(entries.into_iter().zip(placed).map(|(entry, placed)| LogRecord {
                    stream: entry.stream,
                    partition: placed.partition,
                    sequence: placed.sequence,
                    arrived_at: placed.arrived_at,
                    key: entry.key,
                    topic: entry.topic,
                    data: entry.data,
                }));
                world.run(seed.wrapping_add(n as u64), percent, steps).await;
            }
            world.run(seed, percent, u64::MAX).await;
            check(&world, &all).await;
        });
    }
}

#[tokio::test]
async fn what_is_checkpointed_leaves_the_log() {
    let world = World::new();
    for n in 0..200 {
        world.log.append(vec![entry("a", (n, Some(1), None), usize::from(n))]).await.unwrap();
    }
    let all = records(&world.log);
    let before = world.log.size_bytes();
    world.run(0, 0, u64::MAX).await;
    check(&world, &all).await;
    assert!(before > 20_000 && world.log.size_bytes() < 4_096 + 500, "{before} {}", world.log.size_bytes());
    // And a restart does nothing again.
    world.run(0, 0, u64::MAX).await;
    check(&world, &all).await;
}

#[tokio::test]
async fn a_partition_that_was_taken_over_is_left_alone() {
    let world = World::new();
    world.log.append(vec![entry("a", (1, Some(1), None), 0)]).await.unwrap();
    let all = records(&world.log);
    let consumer = world.consumer(world.store.clone()).await;
    let progress = consumer.progress();
    let draining = watch::Sender::new(false);
    let running = tokio::spawn(consumer.run(draining.subscribe()));
    while progress.records() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (stream, partition) = (all[0].stream.clone(), PartitionId::embedded(all[0].partition));
    world.store.claim_lease(&stream, &partition).await.unwrap();
    draining.send_replace(true);
    assert_eq!(running.await.unwrap(), Err(ConsumeError::LostLease(stream, partition)));
    assert!(progress.failure().unwrap().contains("was taken over by another process"));
}

#[tokio::test]
async fn a_record_is_read_by_the_definition_in_force_when_it_arrived() {
    let world = World::new();
    let streams = Streams::open(world.store.clone(), 10, true).await.unwrap();
    let name = StreamName::new("c").unwrap();
    let define = async |topic: &str| {
        let mut definition = Stream::with_defaults(name.clone());
        definition.topic = schema::TopicRule::Constant(Topic::new(topic).unwrap());
        streams.define(vec![definition], world.log.now()).await.unwrap();
    };
    for topic in ["first", "second", "third"] {
        define(topic).await;
        world.log.append(vec![entry("c", (1, None, None), 0)]).await.unwrap();
    }
    world.run(0, 0, u64::MAX).await;
    let tables = world.store.tables();
    let topics: Vec<&str> = tables.rows.values().map(|message| message.topic.as_str()).collect();
    assert_eq!(topics, ["first", "second", "third"]);
}

#[tokio::test]
async fn what_the_store_refuses_is_set_aside_and_others_come_through() {
    let world = World::new();
    let poison = r#"{"t":"topic-1","n":"too large"}"#;
    for n in 0..12 {
        let mut entry = entry("a", (1, Some(1), Some(n)), usize::from(n));
        if n % 5 == 3 {
            entry.data = poison.into();
        }
        world.log.append(vec![entry]).await.unwrap();
    }
    // Faults besides count for nothing.
    let store = Arc::new(Faulty::new(world.store.clone(), 7, 30, u64::MAX).refusing("too large"));
    let consumer = world.consumer(store.clone()).await;
    assert_eq!(consumer.run(watch::Sender::new(true).subscribe()).await, Ok(()));
    let tables = world.store.tables();
    assert_eq!((tables.rows.len(), tables.dead_letters.len()), (10, 2));
    for letter in tables.dead_letters.values() {
        assert_eq!((&letter.raw[..], &*letter.key), (poison.as_bytes(), "key-1"));
        assert_eq!(letter.reason, "the store will not write messages: it is too large");
    }
    let journaled: usize =
        tables.journal.values().flat_map(|rows| rows.values()).map(|row| row.messages.len()).sum();
    assert_eq!(journaled, 10);
    // Twenty by itself, and once with each batch that it was in.
    let refusals = store.refusals.load(std::sync::atomic::Ordering::Relaxed);
    assert!((2 * 20 + 1..=2 * 20 + 2).contains(&refusals), "{refusals}");
}
