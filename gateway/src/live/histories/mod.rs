//! The rules of readers, held by the real reader, hub and ring over the real store: seeded histories in which writers die
//! in the midst of a batch or live on as zombies, batches are cut anew, data comes late, announcements are lost, doubled and
//! mixed up, gateways begin anew, retention sweeps, and subscribers are slow, stop within a batch and come back elsewhere.
//!
//! `TIDEGATE_SEED=n` runs that history alone, `TIDEGATE_SEEDS=n` so many.

mod log;
mod subscriber;
mod world;
mod writer;

use std::sync::atomic::{AtomicU64, Ordering};

use store::testing::{Lived, histories};

use world::World;

const HISTORIES: u64 = 10_000;

/// What all histories came to, so that nobody is proud of nothing.
#[derive(Default)]
struct Totals {
    records: AtomicU64,
    deliveries: AtomicU64,
    shared: AtomicU64,
    reconnects: AtomicU64,
    gaps: AtomicU64,
}

#[test]
fn subscribers_agree_with_the_model() {
    let totals = Totals::default();
    let Lived { histories, time } = histories(HISTORIES, async |seed, store| {
        let world = World::live(seed, store).await;
        totals.records.fetch_add(world.records(), Ordering::Relaxed);
        for subscriber in &world.subscribers {
            totals.deliveries.fetch_add(subscriber.got.len() as u64, Ordering::Relaxed);
            totals.shared.fetch_add(subscriber.shared, Ordering::Relaxed);
            totals.reconnects.fetch_add(subscriber.reconnects, Ordering::Relaxed);
            totals.gaps.fetch_add(subscriber.gaps.len() as u64, Ordering::Relaxed);
        }
    });
    let Totals { records, deliveries, shared, reconnects, gaps } = totals;
    println!(
        "{histories} histories in {time:?}: {records:?} records, {deliveries:?} deliveries, {shared:?} of them of shared rows, {reconnects:?} reconnects, {gaps:?} gaps told"
    );
    if histories >= 100 {
        assert!(shared.into_inner() > 0 && reconnects.into_inner() > 0 && gaps.into_inner() > 0);
    }
}
