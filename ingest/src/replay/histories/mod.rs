//! Replays held against a model: seeded histories in which several processes replay and discard the same dead letters, die before,
//! in and after any step, or go on as zombies, while streams are defined anew, consumers write letters again that were removed,
//! records come with the same ids, and slow readers follow.
//!
//! `TIDEGATE_SEED=n` runs that history alone, `TIDEGATE_SEEDS=n` so many.

mod check;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use store::Store;
use store::testing::{Ground, Lived, cql_histories, histories};

use crate::testing::Memory;
use world::World;

const HISTORIES: u64 = 1_500;
/// A step takes milliseconds on a CQL server, and not microseconds.
const CQL_HISTORIES: u64 = 20;

/// What all histories came to, so that nobody is proud of nothing.
#[derive(Default)]
struct Totals {
    letters: AtomicU64,
    messages: AtomicU64,
    folded: AtomicU64,
    discarded: AtomicU64,
    cut_short: AtomicU64,
}

impl Totals {
    async fn live(&self, seed: u64, name: &str, process: &dyn Fn() -> Arc<dyn Store>) {
        let world = World::live(seed, name, process).await;
        let add = |total: &AtomicU64, count: usize| total.fetch_add(count as u64, Ordering::Relaxed);
        add(&self.letters, world.letters.len());
        add(&self.messages, world.messages);
        add(&self.folded, world.folded);
        add(&self.discarded, world.discarded);
        add(&self.cut_short, world.cut_short);
    }

    fn tell(self, Lived { histories, time }: Lived, enough: u64) {
        println!("{histories} histories in {time:?}");
        let Self { letters, messages, folded, discarded, cut_short } = self;
        let mut is_something = true;
        for (what, count) in [
            ("letters", letters),
            ("messages", messages),
            ("folded", folded),
            ("discarded", discarded),
            ("cut short", cut_short),
        ] {
            let count = count.into_inner();
            println!("  {count} {what}");
            is_something &= count > 0;
        }
        assert!(histories < enough || is_something);
    }
}

#[test]
fn histories_agree_with_the_model() {
    let totals = Totals::default();
    let lived = histories(HISTORIES, async |seed, ground: Ground| {
        // Half of them where it is noticed that anything is written again with other content.
        let memory: Arc<dyn Store> = Arc::new(Memory::default());
        match seed % 2 {
            0 => totals.live(seed, &ground.name(seed), &|| ground.process()).await,
            _ => totals.live(seed, &ground.name(seed), &|| memory.clone()).await,
        }
    });
    totals.tell(lived, 100);
}

/// Each replayer knows what a process of its own would know.
#[test]
fn histories_on_cql_agree_with_the_model() {
    let totals = Totals::default();
    let lived = cql_histories(CQL_HISTORIES, async |seed, ground: Ground| {
        // Far from the end of any retention.
        ground.set_time(store::testing::cql::now().0);
        totals.live(seed, &ground.name(seed), &|| ground.process()).await;
    });
    if let Some(lived) = lived {
        totals.tell(lived, CQL_HISTORIES);
    }
}
