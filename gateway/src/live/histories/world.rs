//! One history: a log that grows, writers, gateways, subscribers, sweeps, and who of them does the next step.

use std::sync::Arc;

use access::TopicScope;
use schema::{Message, PartitionId, Stream, StreamName, Timestamp};
use store::testing::{Ground, Turns};
use store::{Announce, JournalRow, Store, StreamRecord};

use super::super::{Hub, Selection};
use super::log::{Partition, SECOND, topic, topics};
use super::subscriber::{Begin, Subscriber};
use super::writer::{Done, Writer};
use crate::settings::LiveSettings;

const RETENTION: i64 = 300 * SECOND;
const GATES: usize = 2;
const SUBSCRIBERS_MAX: usize = 5;

pub(super) struct World {
    turns: Turns,
    ground: Ground,
    /// What the gateways see.
    store: Arc<dyn Store>,
    stream: StreamName,
    partitions: Vec<Partition>,
    now: i64,
    /// What arrived before may be gone.
    cutoff: i64,
    writers: Vec<Writer>,
    gates: Vec<Arc<Hub>>,
    /// Announcements on their way.
    bus: Vec<(usize, PartitionId, Arc<JournalRow>)>,
    pub(super) subscribers: Vec<Subscriber>,
    sweeps: bool,
    deaf: bool,
}

impl World {
    /// Lives a whole history, and holds what it came to against the model.
    pub(super) async fn live(seed: u64, ground: Ground) -> Self {
        let mut turns = Turns(seed);
        let stream = StreamName::new(&ground.name(seed)).unwrap();
        let text = format!(r#"{{"name":"{stream}","retention":"300s"}}"#);
        let definition: Stream = serde_json::from_str(&text).unwrap();
        // Each history is later than those before, so that their sweeps leave it alone.
        let now = (seed as i64 + 1) * 1_000_000 * SECOND;
        ground.set_time(now);
        let store = ground.process();
        assert!(store.put_stream(&StreamRecord::new(definition, &[])).await.unwrap());
        let mut world = Self {
            sweeps: turns.one_in(2),
            deaf: turns.one_in(8),
            stream,
            ground,
            store,
            partitions: vec![Partition::new(0), Partition::new(1)],
            now,
            cutoff: 0,
            writers: Vec::new(),
            gates: (0..GATES).map(|_| gate(&mut turns)).collect(),
            bus: Vec::new(),
            subscribers: vec![Subscriber::new(Begin::Start, Selection::All, 1)],
            turns,
        };
        // What others have left would take the sweeps' allowance.
        world.ground.sweep_others(Timestamp(now)).await.unwrap();
        let steps = 60 + world.turns.below(120);
        for _ in 0..steps {
            world.turn().await;
        }
        world.settle().await;
        world.check();
        world
    }

    pub(super) fn records(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.records.len() as u64).sum()
    }

    async fn turn(&mut self) {
        match self.turns.below(40) {
            0..4 => self.produce(),
            4..6 => self.employ(),
            6..18 => self.write().await,
            18..21 => self.hear(),
            21 => {
                let gate = self.turns.below(GATES as u64) as usize;
                self.poll(gate).await;
            }
            22..24 if self.sweeps => self.sweep().await,
            24 if self.turns.one_in(4) => {
                let gate_index = self.turns.below(GATES as u64) as usize;
                self.gates[gate_index] = gate(&mut self.turns);
                self.subscribers.iter_mut().for_each(Subscriber::disconnect);
            }
            25 => self.subscribe(),
            _ => self.read().await,
        }
    }

    fn produce(&mut self) {
        let turns = &mut self.turns;
        self.now += match turns.below(20) {
            0..2 => 100 * SECOND + turns.below(300) as i64 * SECOND,
            _ => turns.below(5) as i64 * SECOND,
        };
        if self.sweeps {
            self.ground.set_time(self.now);
            self.cutoff = self.cutoff.max(self.ground.cutoff(self.now, RETENTION));
        }
        if self.partitions.len() == 2 && turns.one_in(10) {
            self.partitions.push(Partition::new(2));
        }
        let partition = turns.below(self.partitions.len() as u64) as usize;
        self.partitions[partition].produce(turns, self.now);
    }

    /// A writer begins; the one before has died, in the midst of whatever it did, or lives on as a zombie.
    fn employ(&mut self) {
        let partition = self.turns.below(self.partitions.len() as u64) as usize;
        if !self.turns.one_in(4) {
            self.writers.retain(|writer| writer.partition != partition);
        }
        self.writers.push(Writer::new(partition, self.ground.process()));
    }

    async fn write(&mut self) {
        if self.writers.is_empty() {
            return;
        }
        let index = self.turns.below(self.writers.len() as u64) as usize;
        let writer = &mut self.writers[index];
        let partition = &self.partitions[writer.partition];
        match writer.step(&self.stream, partition, &mut self.turns).await {
            Done::Nothing => {}
            Done::Ended => drop(self.writers.remove(index)),
            Done::Journaled(row) => {
                let id = partition.id.clone();
                for gate in 0..GATES {
                    let copies = if self.deaf { 0 } else { self.turns.one_of(&[0, 1, 1, 1, 2]) };
                    self.bus.extend((0..copies).map(|_| (gate, id.clone(), row.clone())));
                }
            }
        }
    }

    /// Some announcement arrives.
    fn hear(&mut self) {
        if !self.bus.is_empty() {
            let index = if self.turns.one_in(3) { self.turns.below(self.bus.len() as u64) } else { 0 };
            let (gate, partition, row) = self.bus.remove(index as usize);
            self.gates[gate].announce(&self.stream, &partition, &row);
        }
    }

    async fn poll(&self, gate: usize) {
        let hub = &self.gates[gate];
        if hub.tip(&self.stream).is_some() {
            hub.catch_up(&self.stream, &*self.store).await.unwrap();
        }
    }

    async fn sweep(&mut self) {
        let now = self.now + self.turns.below(RETENTION as u64) as i64;
        self.cutoff = self.cutoff.max(now - RETENTION);
        let rows_max = 1 + self.turns.below(30) as usize;
        self.ground.sweep(&self.stream, &topics(), Timestamp(now), rows_max).await.unwrap();
    }

    fn subscribe(&mut self) {
        if self.subscribers.len() == SUBSCRIBERS_MAX {
            return;
        }
        let turns = &mut self.turns;
        let begin = match turns.below(4) {
            0 => Begin::Start,
            1 => Begin::Now,
            _ => Begin::Time(Timestamp(self.now - turns.one_of(&[0, 5, 60, 100_000]) * SECOND)),
        };
        let selection = match turns.below(4) {
            0 => Selection::All,
            1 => Selection::of_topics(vec![topic(turns)]),
            2 => Selection::of_topics(vec![topic(turns), topic(turns)]),
            _ => Selection::Within(Arc::new(TopicScope::of(&[
                topic(turns).as_str(),
                &format!("{}*", topic(turns)),
            ]))),
        };
        let slow = turns.one_of(&[1, 1, 3]);
        self.subscribers.push(Subscriber::new(begin, selection, slow));
    }

    async fn read(&mut self) {
        let index = self.turns.below(self.subscribers.len() as u64) as usize;
        let subscriber = &mut self.subscribers[index];
        if self.turns.one_in(15) {
            subscriber.disconnect();
        }
        if self.turns.one_in(subscriber.slow) {
            let gate = self.turns.one_of(&self.gates);
            subscriber.step(&gate, &self.store, &self.stream, Some(&mut self.turns)).await;
        }
    }

    /// No more faults: everything is journaled, and everybody reads to the end.
    async fn settle(&mut self) {
        for index in 0..self.partitions.len() {
            let (mut writer, partition) =
                (Writer::new(index, self.ground.process()), &self.partitions[index]);
            loop {
                match writer.step(&self.stream, partition, &mut self.turns).await {
                    Done::Ended => break,
                    Done::Nothing | Done::Journaled(_) => {}
                }
            }
        }
        for gate in 0..GATES {
            self.poll(gate).await;
        }
        for subscriber in &mut self.subscribers {
            let gate = self.turns.one_of(&self.gates);
            while subscriber.step(&gate, &self.store, &self.stream, None).await {}
        }
    }

    fn check(&self) {
        let records = self.partitions.iter().flat_map(|partition| &partition.records);
        let all: Vec<&Message> = records.flat_map(|record| &record.messages).collect();
        for subscriber in &self.subscribers {
            subscriber.check(&all, self.cutoff);
        }
    }
}

/// A gateway whose ring holds nothing, a row or two, or all.
fn gate(turns: &mut Turns) -> Arc<Hub> {
    let ring_bytes = turns.one_of(&[0, 2_000, 1 << 20]);
    let behind_bytes = turns.one_of(&[0, 1 << 20]);
    Hub::new(&LiveSettings { ring_bytes, behind_bytes, poll_ms: 3_600_000, ..LiveSettings::default() })
}
