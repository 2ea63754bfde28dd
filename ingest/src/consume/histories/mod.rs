//! The rules of the journal that apply to one node, held by the consumer's core and the embedded store together: seeded
//! histories in which workers die before, in and after any step, replies are lost, batches are cut anew, zombies write late,
//! the log loses records, retention sweeps, and slow readers follow from the beginning.
//!
//! `TIDEGATE_SEED=n` runs that history alone, `TIDEGATE_SEEDS=n` so many.

mod model;
mod reader;
mod worker;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use store::testing::{Lived, histories};

use world::World;

const HISTORIES: u64 = 2_000;

/// What all histories came to, so that nobody is proud of nothing.
#[derive(Default)]
struct Totals {
    records: AtomicU64,
    lives: AtomicU64,
    gaps: AtomicU64,
    swept: AtomicU64,
}

#[test]
fn histories_agree_with_the_model() {
    let totals = Totals::default();
    let Lived { histories, time } = histories(HISTORIES, async |seed, store| {
        let world = World::live(seed, store).await;
        totals.records.fetch_add(world.records() as u64, Ordering::Relaxed);
        totals.lives.fetch_add(world.lives, Ordering::Relaxed);
        totals.gaps.fetch_add(world.gaps() as u64, Ordering::Relaxed);
        totals.swept.fetch_add(world.swept as u64, Ordering::Relaxed);
    });
    let Totals { records, lives, gaps, swept } = totals;
    println!(
        "{histories} histories in {time:?}: {records:?} records, {lives:?} lives of workers, {gaps:?} gaps told, {swept:?} messages swept"
    );
    assert!(histories < 100 || gaps.into_inner() > 0 && swept.into_inner() > 0);
}
