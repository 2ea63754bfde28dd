//! The whole consumer, on time that a test moves: several workers that die, sleep and come back, a stream that is resharded and
//! fails, a store that fails. In the end every message that was acknowledged is in the store once, in its key's order.

mod source;
mod world;

use ::store::testing::{Telltale, Turns, seeds};

use world::World;

/// How many histories the normal tests run.
const HISTORIES: u64 = 1_000;

async fn history(seed: u64) {
    let mut turns = Turns(seed);
    let mut world = World::new(&mut turns).await;
    let steps = 10 + turns.below(50);
    for _ in 0..steps {
        match turns.below(12) {
            0 => world.reshard(),
            1 | 2 => world.kill(&mut turns),
            3 => world.stop(&mut turns).await,
            4 | 5 => world.start(&mut turns).await,
            6..=9 => world.put(&mut turns).await,
            _ => world.pass(&mut turns).await,
        }
    }
    world.settle().await;
    world.check();
}

/// `TIDEGATE_SEED=n` lives that one alone, `TIDEGATE_SEEDS=n` so many.
#[test]
fn histories_of_workers_lose_nothing_and_repeat_nothing() {
    for seed in seeds(HISTORIES) {
        let _telltale = Telltale(seed);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(history(seed));
    }
}
