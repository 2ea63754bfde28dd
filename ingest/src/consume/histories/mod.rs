//! The rules of the journal that apply to one node, held by the consumer's core and the embedded store together: seeded
//! histories in which workers die before, in and after any step, replies are lost, batches are cut anew, zombies write late,
//! the log loses records, retention sweeps, and slow readers follow from the beginning.
//!
//! `TIDEGATE_SEED=n` runs that history alone, `TIDEGATE_SEEDS=n` so many.

mod model;
mod reader;
mod worker;
mod world;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use store::embedded::{Embedded, EmbeddedOptions};

use world::World;

const HISTORIES: u64 = 2_000;
/// So many share a store, with streams of their own.
const A_STORE: u64 = 20;
const THREADS: u64 = 2;

fn seeds() -> Range<u64> {
    let asked = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (asked("TIDEGATE_SEED"), asked("TIDEGATE_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(HISTORIES),
    }
}

/// Says which history it was.
struct Telltale(u64);

impl Drop for Telltale {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the history of TIDEGATE_SEED={} failed", self.0);
        }
    }
}

/// What all histories came to, so that nobody is proud of nothing.
#[derive(Default)]
struct Totals {
    records: AtomicU64,
    lives: AtomicU64,
    gaps: AtomicU64,
    swept: AtomicU64,
}

async fn run(seeds: Range<u64>, totals: &Totals) {
    // In memory where that can be had: it is the order of writes that is tested, and not the disk.
    let shared = std::path::Path::new("/dev/shm");
    let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.unwrap();
    let options = EmbeddedOptions { workers: 1, ..EmbeddedOptions::default() };
    let store = Embedded::open(folder.path(), options).unwrap();
    for seed in seeds {
        let _telltale = Telltale(seed);
        let world = World::live(seed, store.clone()).await;
        totals.records.fetch_add(world.records() as u64, Ordering::Relaxed);
        totals.lives.fetch_add(world.lives, Ordering::Relaxed);
        totals.gaps.fetch_add(world.gaps() as u64, Ordering::Relaxed);
        totals.swept.fetch_add(world.swept as u64, Ordering::Relaxed);
    }
}

#[test]
fn histories_agree_with_the_model() {
    let (all, began, totals) = (seeds(), Instant::now(), Totals::default());
    let next = AtomicU64::new(all.start);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                loop {
                    let from = next.fetch_add(A_STORE, Ordering::Relaxed);
                    if from >= all.end {
                        return;
                    }
                    runtime.block_on(run(from..all.end.min(from + A_STORE), &totals));
                }
            });
        }
    });
    let Totals { records, lives, gaps, swept } = totals;
    println!(
        "{} histories in {:?}: {records:?} records, {lives:?} lives of workers, {gaps:?} gaps told, {swept:?} messages swept",
        all.end - all.start,
        began.elapsed()
    );
    assert!(all.end - all.start < 100 || gaps.into_inner() > 0 && swept.into_inner() > 0);
}
