//! The rules of the journal that apply to one node, held by the consumer's core and a real store together, the embedded one or
//! one on CQL: seeded histories in which workers die before, in and after any step, replies are lost, batches are cut anew,
//! zombies write late, the log loses records, retention passes, and slow readers follow from the beginning.
//!
//! `TIDEGATE_SEED=n` runs that history alone, `TIDEGATE_SEEDS=n` so many.

mod crowd;
mod model;
mod reader;
mod worker;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use store::testing::{Ground, Lived, cql_histories, histories};

use world::World;

const HISTORIES: u64 = 2_000;
/// A step takes milliseconds on a CQL server, and not microseconds.
const CQL_HISTORIES: u64 = 60;

/// What all histories came to, so that nobody is proud of nothing.
#[derive(Default)]
struct Totals {
    records: AtomicU64,
    lives: AtomicU64,
    gaps: AtomicU64,
    swept: AtomicU64,
}

impl Totals {
    async fn live(&self, seed: u64, ground: Ground) {
        let world = World::live(seed, ground).await;
        self.records.fetch_add(world.records() as u64, Ordering::Relaxed);
        self.lives.fetch_add(world.lives, Ordering::Relaxed);
        self.gaps.fetch_add(world.gaps() as u64, Ordering::Relaxed);
        self.swept.fetch_add(world.swept as u64, Ordering::Relaxed);
    }

    fn tell(self, Lived { histories, time }: Lived, enough: u64) {
        let Self { records, lives, gaps, swept } = self;
        println!(
            "{histories} histories in {time:?}: {records:?} records, {lives:?} lives of workers, {gaps:?} gaps told, {swept:?} messages swept"
        );
        assert!(histories < enough || gaps.into_inner() > 0 && swept.into_inner() > 0);
    }
}

#[test]
fn histories_agree_with_the_model() {
    let totals = Totals::default();
    let lived = histories(HISTORIES, async |seed, ground| totals.live(seed, ground).await);
    totals.tell(lived, 100);
}

/// Each worker knows what a process of its own would know.
#[test]
fn histories_on_cql_agree_with_the_model() {
    let totals = Totals::default();
    let lived = cql_histories(CQL_HISTORIES, async |seed, ground| totals.live(seed, ground).await);
    if let Some(lived) = lived {
        totals.tell(lived, CQL_HISTORIES);
    }
}
