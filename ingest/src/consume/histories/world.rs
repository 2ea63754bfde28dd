//! One history: a log that grows, workers, readers, sweeps, and who of them does the next step.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use schema::{PartitionId, Sequence, Stream, StreamName, TimeRange, Timestamp, Topic};
use store::testing::{Ground, Turns};
use store::{Order, Store, StreamRecord, TopicPage};

use super::model::{Log, Partition, is_dead, messages};
use super::reader::Reader;
use super::worker::Worker;
use crate::log::LogRecord;

const SECOND: i64 = 1_000_000;
const WINDOW: i64 = 60 * SECOND;
const RETENTION: i64 = 300 * SECOND;
const PARTITIONS: usize = 2;
const TOPICS: [&str; 2] = ["a", "b"];

pub(super) struct World {
    turns: Turns,
    ground: Ground,
    /// What readers see.
    store: Arc<dyn Store>,
    record: Arc<StreamRecord>,
    log: Log,
    now: i64,
    /// What arrived before may be gone.
    cutoff: i64,
    workers: Vec<Worker>,
    readers: Vec<Reader>,
    fault_percent: u64,
    loses: bool,
    sweeps: bool,
    pub(super) lives: u64,
    pub(super) swept: usize,
}

impl World {
    /// Lives a whole history, and holds what it came to against the model.
    pub(super) async fn live(seed: u64, ground: Ground) -> Self {
        let mut turns = Turns(seed);
        let name = StreamName::new(&ground.name(seed)).unwrap();
        let text =
            format!(r#"{{"name":"{name}","topic":"/t","id":"/id","id_window":"60s","retention":"300s"}}"#);
        let definition: Stream = serde_json::from_str(&text).unwrap();
        let record = StreamRecord::new(definition, &[]);
        // Each history is later than those before, so that their sweeps leave it alone.
        let now = (seed as i64 + 1) * 1_000_000 * SECOND;
        ground.set_time(now);
        let store = ground.process();
        assert!(store.put_stream(&record).await.unwrap());
        let readers =
            (0..PARTITIONS * 2).map(|n| Reader::new(n % PARTITIONS, [1, 2, 8][turns.below(3) as usize]));
        let readers = readers.collect();
        let mut world = Self {
            fault_percent: [0, 3, 10, 25][turns.below(4) as usize],
            loses: turns.one_in(3),
            sweeps: turns.one_in(2),
            ground,
            store,
            record: Arc::new(record),
            log: Rc::new(RefCell::new((0..PARTITIONS).map(|_| Partition::default()).collect())),
            now,
            cutoff: 0,
            workers: Vec::new(),
            readers,
            lives: 0,
            swept: 0,
            turns,
        };
        // What others have left would take the sweeps' allowance.
        world.ground.sweep_others(Timestamp(now)).await.unwrap();
        let steps = 50 + world.turns.below(100);
        for _ in 0..steps {
            world.turn().await;
        }
        world.settle().await;
        world.check().await;
        world
    }

    pub(super) fn records(&self) -> usize {
        self.log.borrow().iter().map(|partition| partition.records.len()).sum()
    }

    pub(super) fn gaps(&self) -> usize {
        self.readers.iter().map(|reader| reader.gaps.len()).sum()
    }

    fn name(&self) -> &StreamName {
        self.record.name()
    }

    async fn turn(&mut self) {
        match self.turns.below(20) {
            0..4 => self.produce(),
            4..6 => self.employ(),
            6..14 => self.work().await,
            14 if self.sweeps => self.sweep().await,
            _ => {
                let reader = self.turns.below(self.readers.len() as u64) as usize;
                if self.turns.one_in(self.readers[reader].slow) {
                    let (store, name) = (&*self.store, self.record.name());
                    self.readers[reader].read(store, name, Some(&mut self.turns)).await;
                }
            }
        }
    }

    /// Some records arrive; now and then the log loses some before anybody has read them.
    fn produce(&mut self) {
        let turns = &mut self.turns;
        self.now += match turns.below(30) {
            0 => 2 * 3_600 * SECOND,
            1..4 => WINDOW / 2 + turns.below(40) as i64 * SECOND,
            _ => turns.below(5) as i64 * SECOND,
        };
        if self.sweeps {
            self.ground.set_time(self.now);
            self.cutoff = self.cutoff.max(self.ground.cutoff(self.now, RETENTION));
        }
        let index = turns.below(PARTITIONS as u64) as usize;
        let partition = &mut self.log.borrow_mut()[index];
        let mut sequence = partition.last();
        if self.loses && turns.one_in(6) {
            let lost = 1 + turns.below(4);
            partition.holes.extend(sequence + 1..=sequence + lost);
            sequence += lost;
        }
        for _ in 0..1 + turns.below(4) {
            sequence += 1;
            let mut json = serde_json::json!({ "n": sequence });
            if !turns.one_in(7) {
                json["t"] = TOPICS[turns.below(2) as usize].into();
            }
            if !turns.one_in(3) {
                json["id"] = turns.below(4).into();
            }
            partition.records.push(LogRecord {
                stream: self.record.name().clone(),
                partition: index as u32,
                sequence,
                arrived_at: Timestamp(self.now),
                key: format!("key-{index}-{}", turns.below(2)).into(),
                topic: None,
                data: json.to_string().into(),
            });
        }
    }

    /// A worker begins; the one before has died, in the midst of whatever it did, or lives on as a zombie.
    fn employ(&mut self) {
        let partition = self.turns.below(PARTITIONS as u64) as usize;
        if !self.turns.one_in(3) {
            self.workers.retain(|worker| worker.partition != partition);
        }
        let seed = self.turns.below(u64::MAX);
        self.hire(partition, seed, self.fault_percent);
    }

    fn hire(&mut self, partition: usize, seed: u64, fault_percent: u64) {
        self.lives += 1;
        let (store, record, log) = (self.ground.process(), self.record.clone(), self.log.clone());
        self.workers.push(Worker::hire(partition, Turns(seed), fault_percent, store, record, log));
    }

    /// Some worker does one step.
    async fn work(&mut self) {
        if !self.workers.is_empty() {
            let index = self.turns.below(self.workers.len() as u64) as usize;
            if self.workers[index].step().await {
                self.workers.remove(index);
            }
        }
    }

    async fn sweep(&mut self) {
        let now = self.now + self.turns.below(RETENTION as u64) as i64;
        self.cutoff = self.cutoff.max(now - RETENTION);
        let topics = TOPICS.map(|topic| Topic::new(topic).unwrap());
        let rows_max = 1 + self.turns.below(30) as usize;
        let name = self.record.name();
        self.swept += self.ground.sweep(name, &topics, Timestamp(now), rows_max).await.unwrap();
    }

    /// No more faults: everything is consumed, and everybody reads to the end.
    async fn settle(&mut self) {
        for partition in 0..PARTITIONS {
            self.workers.retain(|worker| worker.partition != partition);
            self.hire(partition, 0, 0);
            let mut worker = self.workers.pop().unwrap();
            while !worker.step().await {}
        }
        if self.sweeps {
            self.sweep().await;
        }
        for reader in &mut self.readers {
            while reader.read(&*self.store, self.record.name(), None).await {}
        }
    }

    async fn check(&self) {
        let name = self.name();
        let log = self.log.borrow().clone();
        let leases = self.store.leases(name).await.unwrap();
        let mut kept = BTreeMap::new();
        for (index, partition) in log.iter().enumerate() {
            let id = PartitionId::embedded(index as u32);
            let checkpoint = leases.iter().find(|lease| lease.partition == id).map(|lease| lease.checkpoint);
            let checkpoint = checkpoint.unwrap_or(Sequence::ZERO);
            assert_eq!(checkpoint, Sequence::from(partition.last()), "the checkpoint of {id}");
            let messages = messages(&partition.records, WINDOW);
            for reader in self.readers.iter().filter(|reader| reader.partition == index) {
                reader.check(partition, &messages, self.cutoff);
            }
            for record in partition.records.iter().filter(|record| messages.contains(&record.sequence)) {
                kept.insert((index, record.sequence), record.arrived_at.0);
            }
        }
        let mut rows = BTreeSet::new();
        for topic in TOPICS {
            for row in self.store.read_topic(name, &Topic::new(topic).unwrap(), whole()).await.unwrap() {
                let index = usize::from(row.position.partition == PartitionId::embedded(1));
                let place = (index, row.position.sequence.as_u64().unwrap());
                assert!(kept.contains_key(&place), "{place:?} is no message, and yet a row");
                assert!(rows.insert(place), "{place:?} has two rows");
            }
        }
        for (place, arrived) in &kept {
            assert!(rows.contains(place) || *arrived < self.cutoff, "{place:?} has no row");
        }
        self.check_letters(&log).await;
    }

    async fn check_letters(&self, log: &[Partition]) {
        let letters = self.store.dead_letters(self.name(), None, 10_000).await.unwrap();
        let letters: BTreeSet<(PartitionId, u64)> = letters
            .iter()
            .map(|letter| (letter.position.partition.clone(), letter.position.sequence.as_u64().unwrap()))
            .collect();
        let mut expect = BTreeMap::new();
        for (index, partition) in log.iter().enumerate() {
            for record in partition.records.iter().filter(|record| is_dead(record)) {
                expect.insert((PartitionId::embedded(index as u32), record.sequence), record.arrived_at.0);
            }
        }
        assert!(letters.iter().all(|letter| expect.contains_key(letter)), "a letter that nobody wrote");
        for (place, arrived) in &expect {
            assert!(letters.contains(place) || *arrived < self.cutoff, "{place:?} is no dead letter");
        }
    }
}

/// All of a topic, oldest first.
pub(super) fn whole() -> TopicPage {
    TopicPage {
        range: TimeRange::ALL,
        order: Order::Ascending,
        after: None,
        before: None,
        rows_max: usize::MAX >> 1,
        bytes_max: usize::MAX >> 1,
    }
}
