//! The stream, the store, the workers of now, and a producer that tries again until its messages are taken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ::store::testing::Turns;
use schema::{Clock, PartitionId, Sequence, Stream, StreamName, Timestamp};
use store::{Leases, Next, PublishError, Store, Unheard};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::source::{POISON, Source, data};
use crate::IngestSettings;
use crate::accept::Append;
use crate::consume::Outlet;
use crate::kinesis::KinesisSettings;
use crate::kinesis::put::Putter;
use crate::kinesis::worker::{Shared, Worker};
use crate::log::LogEntry;
use crate::streams::Streams;
use crate::testing::{Faulty, Memory};

const KEYS: u64 = 6;
const SETTLED_WITHIN: Duration = Duration::from_secs(600);

/// One life of a worker.
struct Life {
    task: JoinHandle<()>,
    draining: watch::Sender<bool>,
}

pub(super) struct World {
    source: Arc<Source>,
    memory: Arc<Memory>,
    clock: Clock,
    stream: StreamName,
    settings: Arc<KinesisSettings>,
    putter: Putter,
    lives: Vec<Life>,
    hired: u64,
    /// By key: how many messages were taken.
    sent: BTreeMap<String, u64>,
    poisoned: u64,
}

fn ingest() -> IngestSettings {
    IngestSettings {
        batch_rows: 7,
        batch_bytes: 400,
        checkpoint_rows: 9,
        checkpoint_interval_ms: 700,
        retry_ms_min: 20,
        retry_ms_max: 500,
        queue_wait_ms: 3_000,
        ..IngestSettings::default()
    }
}

impl World {
    pub(super) async fn new(turns: &mut Turns) -> Self {
        let began = tokio::time::Instant::now();
        let clock: Clock =
            Arc::new(move || Timestamp(1_700_000_000_000_000 + began.elapsed().as_micros() as i64));
        let percent = turns.one_of(&[0, 5, 25]);
        let count = 1 + turns.below(4) as u32;
        let source = Arc::new(Source::new(count, percent, Turns(turns.below(u64::MAX)), clock.clone()));
        let memory = Arc::<Memory>::default();
        let settings =
            Arc::new(KinesisSettings { region: "r".into(), lease_ms: 4_000, ..Default::default() });
        let stream = StreamName::new("s").unwrap();
        let streams = streams(memory.clone()).await;
        let putter = Putter::new(source.clone(), streams, &settings, &ingest());
        let (lives, hired, sent, poisoned) = (Vec::new(), 0, BTreeMap::new(), 0);
        Self { source, memory, clock, stream, settings, putter, lives, hired, sent, poisoned }
    }

    pub(super) fn reshard(&self) {
        self.source.state().reshard();
    }

    /// A worker comes, with a store that fails now and then.
    pub(super) async fn start(&mut self, turns: &mut Turns) {
        if self.lives.len() < 4 {
            let percent = turns.one_of(&[0, 0, 10]);
            self.hire(
                Faulty::new(self.memory.clone(), turns.below(u64::MAX), percent, u64::MAX).napping(3_000),
            )
            .await;
        }
    }

    async fn hire(&mut self, store: Faulty) {
        self.hired += 1;
        let outlet =
            Outlet::new(Arc::new(store), &ingest(), Arc::default(), Arc::default(), Arc::new(Unheard));
        let shared = Shared {
            id: format!("worker-{}", self.hired).into(),
            kinesis: self.source.clone(),
            outlet: Arc::new(outlet),
            streams: streams(self.memory.clone()).await,
            settings: self.settings.clone(),
            ingest: Arc::new(ingest()),
            status: Arc::default(),
            board: Arc::default(),
            room: Arc::new(Semaphore::new(self.settings.read_bytes as usize)),
            clock: self.clock.clone(),
            is_alone: false,
        };
        let draining = watch::Sender::new(false);
        let worker = Worker::new(shared, self.stream.clone(), self.stream.clone());
        let task = tokio::spawn(worker.run(draining.subscribe()));
        self.lives.push(Life { task, draining });
    }

    fn leave(&mut self, turns: &mut Turns) -> Option<Life> {
        (!self.lives.is_empty()).then(|| self.lives.remove(turns.below(self.lives.len() as u64) as usize))
    }

    /// A worker dies.
    pub(super) fn kill(&mut self, turns: &mut Turns) {
        if let Some(life) = self.leave(turns) {
            assert!(!life.task.is_finished(), "a worker ended by itself");
            life.task.abort();
        }
    }

    /// A worker is told to stop.
    pub(super) async fn stop(&mut self, turns: &mut Turns) {
        if let Some(life) = self.leave(turns) {
            life.draining.send_replace(true);
            tokio::time::timeout(SETTLED_WITHIN, life.task)
                .await
                .expect("it stops")
                .expect("without a panic");
        }
    }

    /// Messages are put. One that was perhaps taken is put again before its key's next one.
    pub(super) async fn put(&mut self, turns: &mut Turns) {
        let mut waiting: Vec<(String, u64, bool)> = Vec::new();
        let mut next = self.sent.clone();
        for _ in 0..1 + turns.below(20) {
            let key = format!("key-{}", turns.below(KEYS));
            if turns.one_in(30) {
                waiting.push((key, 0, true));
            } else {
                let n = next.entry(key.clone()).or_default();
                waiting.push((key, *n, false));
                *n += 1;
            }
        }
        let mut poisoned = 0;
        while !waiting.is_empty() {
            let entries = waiting.iter().map(|(key, n, is_poison)| LogEntry {
                stream: self.stream.clone(),
                key: key.as_str().into(),
                topic: None,
                data: data(key, *n, *is_poison),
            });
            let answers = self.putter.append(entries.collect()).await;
            let mut answers = answers.into_iter();
            waiting.retain(|(.., is_poison)| match answers.next().unwrap() {
                Ok(_) => {
                    poisoned += u64::from(*is_poison);
                    false
                }
                Err(PublishError::Unavailable(_)) => true,
                Err(other) => panic!("{other}"),
            });
        }
        self.poisoned += poisoned;
        self.sent = next;
    }

    pub(super) async fn pass(&self, turns: &mut Turns) {
        tokio::time::sleep(Duration::from_millis(turns.below(9_000))).await;
    }

    /// Nothing fails any more: all that was put comes into the store.
    pub(super) async fn settle(&mut self) {
        self.source.calm();
        for life in self.lives.drain(..) {
            assert!(!life.task.is_finished(), "a worker ended by itself");
            life.task.abort();
        }
        self.hire(Faulty::new(self.memory.clone(), 0, 0, u64::MAX)).await;
        self.hire(Faulty::new(self.memory.clone(), 0, 0, u64::MAX)).await;
        let until = tokio::time::Instant::now() + SETTLED_WITHIN;
        while let Some(left) = self.left().await {
            assert!(tokio::time::Instant::now() < until, "it does not settle: {left}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        // Both have their share, and give it up when they are told to stop.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let leases = self.memory.leases(&self.stream).await.unwrap();
        let open: Vec<_> = leases.iter().filter(|lease| !lease.has_ended()).collect();
        let of = |name: String| open.iter().filter(|lease| lease.owner.as_ref() == Some(&name)).count();
        let (one, two) = (of(format!("worker-{}", self.hired - 1)), of(format!("worker-{}", self.hired)));
        assert!(one + two == open.len() && one.abs_diff(two) <= 1, "{one} and {two} of {}", open.len());
        for life in self.lives.drain(..) {
            life.draining.send_replace(true);
            life.task.await.unwrap();
        }
        let leases = self.memory.leases(&self.stream).await.unwrap();
        assert!(leases.iter().all(|lease| lease.owner.is_none() || lease.has_ended()), "{leases:?}");
    }

    /// What is not in the store yet.
    async fn left(&self) -> Option<String> {
        let leases = self.memory.leases(&self.stream).await.unwrap();
        let state = self.source.state();
        state.shards.iter().find_map(|(shard, records)| {
            let lease = leases.iter().find(|lease| lease.partition == shard.id);
            let done = lease.map_or(Sequence::ZERO, |lease| lease.checkpoint);
            let to = match shard.ending {
                Some(_) => Sequence::END,
                None => records.last().map_or(Sequence::ZERO, |record| record.sequence),
            };
            (done < to).then(|| format!("{} is done up to {done} of {to}", shard.id))
        })
    }

    /// Every message once, in its key's order over parents and children; what is none set aside once.
    pub(super) fn check(&self) {
        let state = self.source.state();
        let mut read: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let mut letters = BTreeSet::new();
        // Shards stand behind their parents here.
        for (shard, records) in &state.shards {
            let mut messages = Vec::new();
            for row in self.journal(&shard.id) {
                messages.extend(row.messages.into_iter().map(|message| (message.position, message.raw)));
            }
            for (position, raw) in messages {
                let record =
                    records.iter().find(|record| record.sequence == position.sequence).expect("it was put");
                assert_eq!(record.data, raw);
                let message: serde_json::Value = serde_json::from_slice(&raw).unwrap();
                let n = message["n"].as_u64().unwrap();
                read.entry(message["k"].as_str().unwrap().to_owned()).or_default().push(n);
            }
            let poison = records.iter().filter(|record| record.data == POISON);
            letters.extend(poison.map(|record| (shard.id.clone(), record.sequence)));
        }
        let expect: BTreeMap<String, Vec<u64>> =
            self.sent.iter().map(|(key, count)| (key.clone(), (0..*count).collect())).collect();
        assert_eq!(read, expect);
        let tables = self.memory.tables();
        let kept: BTreeSet<_> = tables
            .dead_letters
            .keys()
            .map(|(_, position)| (position.partition.clone(), position.sequence))
            .collect();
        assert_eq!(kept, letters);
        assert!(kept.len() as u64 >= self.poisoned);
        assert_eq!(
            tables.rows.len(),
            read.values().map(Vec::len).sum::<usize>(),
            "rows that nobody journaled"
        );
    }

    /// What a reader of the partition is given, from its beginning to its end.
    fn journal(&self, partition: &PartitionId) -> Vec<store::JournalRow> {
        let (mut rows, mut at) = (Vec::new(), Sequence::ZERO);
        loop {
            let next = futures_util::FutureExt::now_or_never(store::Journal::next_journal(
                self.memory.as_ref(),
                &self.stream,
                partition,
                at,
            ));
            match next.expect("it is in memory").unwrap() {
                Next::Row(mut row) => {
                    row.messages.retain(|message| message.position.sequence > at);
                    at = row.last;
                    rows.push(row);
                }
                Next::Wait => return rows,
                Next::Gap { to } => {
                    let tables = self.memory.tables();
                    let rows = &tables.journal[&(self.stream.clone(), partition.clone())];
                    let covered: Vec<_> = rows.keys().collect();
                    panic!("{partition} lacks what lies between {at} and {to}: {covered:?}")
                }
            }
            if at == Sequence::END {
                return rows;
            }
        }
    }
}

async fn streams(store: Arc<dyn Store>) -> Streams {
    let definition: Stream = serde_json::from_str(r#"{"name":"s","id":"/id"}"#).unwrap();
    let streams = Streams::open(store, 10, false).await.unwrap();
    streams.define(vec![definition], Timestamp::MIN).await.unwrap();
    streams
}
