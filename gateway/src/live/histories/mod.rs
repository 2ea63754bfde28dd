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

use store::testing::{Ground, Lived, cql_histories, histories};

use world::World;

const HISTORIES: u64 = 10_000;
/// A step takes milliseconds on a CQL server, and not microseconds.
const CQL_HISTORIES: u64 = 60;

/// What all histories came to, so that nobody is proud of nothing.
#[derive(Default)]
struct Totals {
    records: AtomicU64,
    deliveries: AtomicU64,
    shared: AtomicU64,
    reconnects: AtomicU64,
    gaps: AtomicU64,
}

impl Totals {
    async fn live(&self, seed: u64, ground: Ground) {
        let world = World::live(seed, ground).await;
        self.records.fetch_add(world.records(), Ordering::Relaxed);
        for subscriber in &world.subscribers {
            self.deliveries.fetch_add(subscriber.got.len() as u64, Ordering::Relaxed);
            self.shared.fetch_add(subscriber.shared, Ordering::Relaxed);
            self.reconnects.fetch_add(subscriber.reconnects, Ordering::Relaxed);
            self.gaps.fetch_add(subscriber.gaps.len() as u64, Ordering::Relaxed);
        }
    }

    fn tell(self, Lived { histories, time }: Lived, enough: u64) {
        let Self { records, deliveries, shared, reconnects, gaps } = self;
        println!(
            "{histories} histories in {time:?}: {records:?} records, {deliveries:?} deliveries, {shared:?} of them of shared rows, {reconnects:?} reconnects, {gaps:?} gaps told"
        );
        if histories >= enough {
            assert!(shared.into_inner() > 0 && reconnects.into_inner() > 0 && gaps.into_inner() > 0);
        }
    }
}

#[test]
fn subscribers_agree_with_the_model() {
    let totals = Totals::default();
    let lived = histories(HISTORIES, async |seed, ground| totals.live(seed, ground).await);
    totals.tell(lived, 100);
}

/// Each writer knows what a process of its own would know.
#[test]
fn subscribers_on_cql_agree_with_the_model() {
    let totals = Totals::default();
    let lived = cql_histories(CQL_HISTORIES, async |seed, ground| totals.live(seed, ground).await);
    if let Some(lived) = lived {
        totals.tell(lived, CQL_HISTORIES);
    }
}
