//! One history: letters, those who replay and discard them, and who of them does the next step.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use schema::{Limits, Message, PartitionId, Position, Stream, StreamName, Timestamp};
use store::testing::Turns;
use store::{DeadLetter, Discarded, IdClaim, Replayed, Store, StreamRecord, Unheard, letters};

use super::super::{Inner, TRIES};
use super::check::{Reader, check};
use crate::testing::{Faulty, Turnstile};

/// Where the stream takes its topics from, by turns: each letter has some of them.
pub(super) const PLACES: [&str; 3] = ["a", "b", "c"];
/// When everything arrives: now, so that nothing expires.
pub(super) const WINDOW: i64 = 60_000_000;
/// So many processes do something at the same time.
const WORKERS_MAX: usize = 4;

/// What was said of letters, by whoever was not cut short.
#[derive(Default)]
pub(super) struct Said {
    pub(super) replays: Vec<(Position, Replayed)>,
    pub(super) discards: Vec<(Position, Discarded)>,
    /// Whether anybody has tried.
    pub(super) tried_to_discard: Vec<Position>,
}

/// What a process does, a step at a time.
type Work = Pin<Box<dyn Future<Output = ()>>>;

pub(super) struct World {
    turns: Turns,
    /// What readers see.
    pub(super) store: Arc<dyn Store>,
    pub(super) record: StreamRecord,
    pub(super) letters: BTreeMap<Position, DeadLetter>,
    pub(super) said: Rc<RefCell<Said>>,
    /// Ids that records of other partitions have claimed.
    pub(super) claimed: Vec<IdClaim>,
    workers: Vec<(Arc<Turnstile>, Work)>,
    readers: Vec<Reader>,
    pub(super) messages: usize,
    pub(super) folded: usize,
    pub(super) discarded: usize,
    pub(super) cut_short: usize,
}

impl World {
    /// Lives a whole history, and holds what it came to against the model.
    pub(super) async fn live(seed: u64, name: &str, process: &dyn Fn() -> Arc<dyn Store>) -> Self {
        let mut turns = Turns(seed);
        let name = StreamName::new(name).unwrap();
        let store = process();
        let record = StreamRecord::new(definition(&name, turns.below(3)), &[]);
        assert!(store.put_stream(&record).await.unwrap());
        let readers = (0..3).map(|n| Reader::new([1, 4, 16][n]));
        let mut world = Self {
            readers: readers.collect(),
            store,
            record,
            letters: BTreeMap::new(),
            said: Rc::default(),
            claimed: Vec::new(),
            workers: Vec::new(),
            messages: 0,
            folded: 0,
            discarded: 0,
            cut_short: 0,
            turns,
        };
        let fault_percent = world.turns.one_of(&[0, 5, 20]);
        for _ in 0..150 + world.turns.below(250) {
            world.turn(process, fault_percent).await;
        }
        world.settle(process).await;
        let read: Vec<Vec<Message>> = world.readers.iter().map(|reader| reader.got.clone()).collect();
        check(&mut world, &read).await;
        world
    }

    async fn turn(&mut self, process: &dyn Fn() -> Arc<dyn Store>, fault_percent: u64) {
        match self.turns.below(80) {
            0..3 => self.bury().await,
            3 => self.redefine().await,
            4 => self.claim().await,
            5 => {
                let letters: Vec<DeadLetter> = self.letters.values().cloned().collect();
                self.store.write_dead_letters(self.record.name(), &letters).await.unwrap();
            }
            6..10 if self.workers.len() < WORKERS_MAX => self.hire(process(), fault_percent),
            10 if !self.workers.is_empty() => {
                let dies = self.turns.below(self.workers.len() as u64) as usize;
                drop(self.workers.remove(dies));
                self.cut_short += 1;
            }
            11..70 => self.work().await,
            _ => {
                let at = self.turns.below(self.readers.len() as u64) as usize;
                if self.turns.one_in(self.readers[at].slow) {
                    self.readers[at].read(&*self.store, self.record.name()).await;
                }
            }
        }
    }

    /// Some records become dead letters, of any partition and in any order.
    async fn bury(&mut self) {
        let mut written = Vec::new();
        for _ in 0..1 + self.turns.below(3) {
            let number = self.letters.len() + written.len();
            let mut json = serde_json::json!({ "n": number });
            for place in PLACES {
                if self.turns.one_in(2) {
                    json[place] = self.turns.below(2).to_string().into();
                }
            }
            if self.turns.one_in(2) {
                json["id"] = self.turns.below(4).into();
            }
            let raw = if self.turns.one_in(9) { format!("no JSON {number}") } else { format!(" {json}\n") };
            let partition = PartitionId::embedded(self.turns.below(2) as u32);
            let position =
                Position { partition, sequence: number.to_string().parse().unwrap(), sub: number as u32 % 2 };
            let arrived_at = Timestamp(store::testing::cql::now().0 - self.turns.below(9) as i64);
            let (key, reason) = (self.key(), "it had no topic".to_owned());
            written.push(DeadLetter { position, arrived_at, key, reason, raw: raw.into() });
        }
        self.store.write_dead_letters(self.record.name(), &written).await.unwrap();
        self.letters.extend(written.into_iter().map(|letter| (letter.position.clone(), letter)));
    }

    async fn redefine(&mut self) {
        let next = definition(self.record.name(), self.turns.below(3));
        if let Some(next) = self.record.redefined(next, Timestamp(self.letters.len() as i64)) {
            assert!(self.store.put_stream(&next).await.unwrap());
            self.record = next;
        }
    }

    /// A record with an id comes into another partition.
    async fn claim(&mut self) {
        let claim = IdClaim {
            key: self.key(),
            id: self.turns.below(4).to_string(),
            generation: 1,
            sequence: (1_000 + self.claimed.len() as u64).into(),
            sub: 0,
            arrived_at: store::testing::cql::now(),
        };
        let claims = std::slice::from_ref(&claim);
        self.store.claim_ids(self.record.name(), claims, WINDOW).await.unwrap();
        self.claimed.push(claim);
    }

    fn key(&mut self) -> Arc<str> {
        format!("key-{}", self.turns.below(2)).into()
    }

    /// A process begins to do something with some letters, beside all others.
    fn hire(&mut self, store: Arc<dyn Store>, fault_percent: u64) {
        let one_in = 1 + self.letters.len() as u64 / 4;
        let some = self.letters.keys().filter(|_| self.turns.one_in(one_in));
        let mut some: Vec<Position> = some.cloned().collect();
        some.push(Position { partition: PartitionId::embedded(7), sequence: 1.into(), sub: 0 });
        let (turnstile, seed) = (Arc::new(Turnstile::default()), self.turns.below(u64::MAX));
        let store: Arc<dyn Store> =
            Arc::new(Faulty::new(store, seed, fault_percent, u64::MAX).behind(turnstile.clone()));
        let (name, said) = (self.record.name().clone(), self.said.clone());
        let work: Work = match self.turns.below(6) {
            0 => {
                some.truncate(2);
                said.borrow_mut().tried_to_discard.extend(some.iter().cloned());
                Box::pin(async move {
                    if let Ok(outcomes) = letters::discard(&*store, &name, &some).await {
                        said.borrow_mut().discards.extend(some.into_iter().zip(outcomes));
                    }
                })
            }
            1 => Box::pin(async move {
                let _ = inner(store).look(&mut HashMap::new(), true).await;
            }),
            _ => Box::pin(async move {
                if let Ok(outcomes) = inner(store).replay(&name, &some).await {
                    said.borrow_mut().replays.extend(some.into_iter().zip(outcomes));
                }
            }),
        };
        self.workers.push((turnstile, work));
    }

    /// Somebody does one step.
    async fn work(&mut self) {
        if !self.workers.is_empty() {
            let at = self.turns.below(self.workers.len() as u64) as usize;
            let (turnstile, work) = &mut self.workers[at];
            if turnstile.advance(work).await.is_some() {
                drop(self.workers.remove(at));
            }
        }
    }

    /// No more faults: what was left behind is done, zombies go on for a while, and everybody reads to the end.
    async fn settle(&mut self, process: &dyn Fn() -> Arc<dyn Store>) {
        self.cut_short += self.workers.len();
        self.look(process()).await;
        for _ in 0..self.turns.below(60) {
            self.work().await;
        }
        self.workers.clear();
        self.look(process()).await;
        for reader in &mut self.readers {
            while reader.read(&*self.store, self.record.name()).await {}
        }
    }

    async fn look(&self, store: Arc<dyn Store>) {
        // What a process had sent before it died may come meanwhile.
        let mut seen = HashMap::new();
        for _ in 0..TRIES {
            if inner(store.clone()).look(&mut seen, true).await.is_ok() {
                return;
            }
        }
        panic!("what is left behind can't be done");
    }
}

/// A replayer that waits a millisecond for others.
fn inner(store: Arc<dyn Store>) -> Inner {
    Inner {
        store,
        limits: Arc::new(Limits::default()),
        announce: Arc::new(Unheard),
        turns: Default::default(),
        replayed: Default::default(),
        wait: std::time::Duration::from_millis(1),
    }
}

fn definition(name: &StreamName, place: u64) -> Stream {
    let place = PLACES[place as usize];
    let text = format!(r#"{{"name":"{name}","topic":"/{place}","id":"/id","id_window":"60s"}}"#);
    serde_json::from_str(&text).unwrap()
}
