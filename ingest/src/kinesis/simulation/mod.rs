//! A stream whose shards are split and merged at random, and workers that come, stand still, die, and look at what is no longer
//! so: held against the plain rules, by what really happened and not by what anybody saw.
//!
//! `TIDEGATE_SEED=n` lives that one alone, `TIDEGATE_SEEDS=n` so many.

mod source;
mod store;
mod worker;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ::store::testing::{Telltale, Turns, seeds};

use source::Source;
use store::Leases;
use worker::Worker;

const LIVES: u64 = 400;
const TERM: Duration = Duration::from_secs(10);

/// Everything that there is.
struct World {
    turns: Turns,
    now: Instant,
    source: Source,
    leases: Leases,
    workers: Vec<Worker>,
    hired: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut turns = Turns(seed);
        let source = Source::new(1 + turns.below(6));
        let leases = Leases::default();
        Self { turns, now: Instant::now(), source, leases, workers: Vec::new(), hired: 0 }
    }

    fn hire(&mut self) {
        self.hired += 1;
        self.workers.push(Worker::new(format!("worker-{}", self.hired)));
    }

    /// Something happens.
    fn turn(&mut self) {
        self.now += Duration::from_millis(self.turns.below(1_500));
        match self.turns.below(40) {
            0..2 => self.source.reshard(&mut self.turns),
            2 => self.source.forget(&mut self.turns),
            3 => {
                let oldest = self.workers.iter().filter_map(Worker::looked).min();
                self.leases.forget(oldest.unwrap_or(self.leases.looks), &mut self.turns);
            }
            4 if self.workers.len() < 7 => self.hire(),
            5 if !self.workers.is_empty() && self.turns.one_in(2) => {
                let index = self.turns.below(self.workers.len() as u64) as usize;
                self.workers.remove(index);
            }
            // Somebody who seldom has a turn stands still for longer than a term.
            _ if !self.workers.is_empty() => {
                let ahead = self.workers.len() as u64;
                let index = self.turns.below(ahead).min(self.turns.below(ahead)) as usize;
                let (worker, turns) = (&mut self.workers[index], &mut self.turns);
                match turns.below(3) {
                    0 => worker.look(&self.source, &mut self.leases, self.now, turns),
                    1 => {
                        worker.act(&self.source, &mut self.leases, turns);
                    }
                    _ => {
                        worker.work(&self.source, &mut self.leases, 1 + turns.below(4), turns);
                    }
                }
            }
            _ => {}
        }
    }

    /// Everybody has a turn, one after the other; `true` if anybody moved, or anything was consumed.
    fn round(&mut self) -> bool {
        self.now += Duration::from_secs(4);
        let mut moved = false;
        for worker in &mut self.workers {
            worker.beat(&mut self.leases);
            worker.look(&self.source, &mut self.leases, self.now, &mut self.turns);
            moved |= worker.act(&self.source, &mut self.leases, &mut Turns(0));
        }
        for worker in &mut self.workers {
            moved |= worker.work(&self.source, &mut self.leases, 10, &mut self.turns);
        }
        moved
    }

    /// No more trouble: it comes to rest, and all is as it should be.
    fn settle(&mut self) {
        while self.workers.is_empty() || self.turns.one_in(3) && self.workers.len() < 9 {
            self.hire();
        }
        self.source.calm();
        // Enough to walk down the longest line of shards, and to steal one by one.
        let (most, mut rounds, mut quiet) = (60 + 6 * self.source.shards.len(), 0, 0);
        // What expires does so within three rounds.
        while quiet < 6 {
            quiet = if self.round() { 0 } else { quiet + 1 };
            rounds += 1;
            assert!(rounds < most, "it does not settle in {rounds} rounds");
        }
        let mut loads: BTreeMap<&str, usize> = self.workers.iter().map(|worker| (&*worker.id, 0)).collect();
        for shard in &self.source.listed() {
            let lease = self.leases.get(&shard.id);
            if shard.ending.is_some() {
                assert!(lease.is_none_or(|lease| lease.has_ended()), "{} was not consumed", shard.id);
                assert!(self.leases.ended.contains_key(&shard.id), "{} was passed over", shard.id);
                continue;
            }
            let lease = lease.unwrap_or_else(|| panic!("{} has no lease", shard.id));
            let owner = lease.owner.as_deref().unwrap();
            *loads
                .get_mut(owner)
                .unwrap_or_else(|| panic!("{} is held by {owner}, who is dead", shard.id)) += 1;
            let worker = self.workers.iter().find(|worker| &*worker.id == owner).unwrap();
            assert_eq!(worker.running.get(&shard.id), Some(&lease.epoch), "{} does not run", shard.id);
        }
        let running: usize = self.workers.iter().map(|worker| worker.running.len()).sum();
        assert_eq!(running, loads.values().sum::<usize>(), "something runs twice, or for nothing");
        let (least, most) = (loads.values().min().unwrap(), loads.values().max().unwrap());
        assert!(most - least <= 1, "loads are uneven: {loads:?}");
        self.bytes_are_even();
        assert!(
            self.leases.all().iter().all(|lease| lease.has_ended() || !self.source.is_gone(&lease.partition))
        );
    }

    /// No move of one shard from a worker that has one more makes the bytes of two workers far more even.
    fn bytes_are_even(&self) {
        let all = |worker: &Worker| worker.running.keys().map(store::bytes).sum::<u64>();
        for (rich, poor) in
            self.workers.iter().flat_map(|rich| self.workers.iter().map(move |poor| (rich, poor)))
        {
            let (most, least) = (all(rich), all(poor));
            if rich.running.len() == poor.running.len() + 1 && most > least + most / 2 {
                let gap = most - least;
                let left = rich.running.keys().map(|id| gap.abs_diff(2 * store::bytes(id))).min().unwrap();
                assert!(left >= gap / 2 || gap < 128 << 10, "{} of {most} could go to {least}", rich.id);
            }
        }
    }
}

#[test]
fn every_shard_is_consumed_after_its_parents_and_loads_become_even() {
    let seeds = seeds(LIVES);
    let enough = seeds.end - seeds.start >= LIVES;
    let (mut shards, mut claims, mut asked, mut steals, mut zombies, mut lost) = (0, 0, 0, 0, 0, 0);
    for seed in seeds {
        let _telltale = Telltale(seed);
        let mut world = World::new(seed);
        for _ in 0..world.turns.below(600) {
            world.turn();
        }
        world.settle();
        shards += world.source.shards.len();
        claims += world.leases.claims;
        asked += world.leases.asked;
        steals += world.leases.steals;
        zombies += world.leases.zombies;
        lost += world.leases.lost;
    }
    println!(
        "{shards} shards, {lost} of them lost, {claims} claims, {asked} asked for, {steals} of them taken unheard, {zombies} zombies that were told"
    );
    assert!(!enough || [shards, claims, asked, steals, zombies, lost].iter().all(|count| *count > 20));
}
