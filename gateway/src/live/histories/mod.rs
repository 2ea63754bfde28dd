//! The rules of readers, held by the real reader, hub and ring over the real store: seeded histories in which writers die
//! in the midst of a batch or live on as zombies, batches are cut anew, data comes late, announcements are lost, doubled and
//! mixed up, gateways begin anew, retention sweeps, and subscribers are slow, stop within a batch and come back elsewhere.
//!
//! `TIDEGATE_SEED=n` runs that history alone, `TIDEGATE_SEEDS=n` so many.

mod log;
mod subscriber;
mod world;
mod writer;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use store::embedded::{Embedded, EmbeddedOptions};

use world::World;

const HISTORIES: u64 = 10_000;
/// So many share a store, with streams of their own.
const A_STORE: u64 = 50;
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
    deliveries: AtomicU64,
    shared: AtomicU64,
    reconnects: AtomicU64,
    gaps: AtomicU64,
}

async fn run(seeds: Range<u64>, totals: &Totals) {
    // In memory where that can be had: it is the order of steps that is tested, and not the disk.
    let shared = std::path::Path::new("/dev/shm");
    let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.unwrap();
    let options = EmbeddedOptions { workers: 1, ..EmbeddedOptions::default() };
    let store = Embedded::open(folder.path(), options).unwrap();
    for seed in seeds {
        let _telltale = Telltale(seed);
        let world = World::live(seed, store.clone()).await;
        totals.records.fetch_add(world.records(), Ordering::Relaxed);
        for subscriber in &world.subscribers {
            totals.deliveries.fetch_add(subscriber.got.len() as u64, Ordering::Relaxed);
            totals.shared.fetch_add(subscriber.shared, Ordering::Relaxed);
            totals.reconnects.fetch_add(subscriber.reconnects, Ordering::Relaxed);
            totals.gaps.fetch_add(subscriber.gaps.len() as u64, Ordering::Relaxed);
        }
    }
}

#[test]
fn subscribers_agree_with_the_model() {
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
    let Totals { records, deliveries, shared, reconnects, gaps } = totals;
    println!(
        "{} histories in {:?}: {records:?} records, {deliveries:?} deliveries, {shared:?} of them of shared rows, {reconnects:?} reconnects, {gaps:?} gaps told",
        all.end - all.start,
        began.elapsed()
    );
    if all.end - all.start >= 100 {
        assert!(shared.into_inner() > 0 && reconnects.into_inner() > 0 && gaps.into_inner() > 0);
    }
}
