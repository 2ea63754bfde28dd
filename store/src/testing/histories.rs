//! Seeded histories: many, side by side, each with streams of its own in a store that some share.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::stream::{StreamExt, iter};
use tokio::runtime::Runtime;

use super::{Ground, Proxy, Trouble, Turns, cql};
use crate::embedded::{Embedded, EmbeddedOptions};
use crate::scylla::{Scylla, ScyllaOptions};

/// So many share an embedded store.
const A_STORE: u64 = 50;
/// Of so many histories on a CQL store one has a proxy between it and the server, which makes trouble.
const TROUBLED: u64 = 5;
/// So many of those are lived at once: most of their time they wait until trouble is over.
const AT_ONCE: usize = 12;
const THREADS: u64 = 2;

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Lived {
    /// How many histories.
    pub histories: u64,
    /// How long they took.
    pub time: Duration,
}

/// Lives the histories of the seeds from 0 to `count` on embedded stores, which must each fail by a panic.
/// `TIDEGATE_SEED=n` lives that one alone, `TIDEGATE_SEEDS=n` so many.
///
/// # Panics
/// If one of them does; its seed is printed.
pub fn histories(count: u64, live: impl AsyncFn(u64, Ground) + Sync) -> Lived {
    let (seeds, began) = (seeds(count), Instant::now());
    let next = AtomicU64::new(seeds.start);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let runtime = runtime();
                loop {
                    let from = next.fetch_add(A_STORE, Ordering::Relaxed);
                    if from >= seeds.end {
                        return;
                    }
                    let (_folder, store) = store();
                    for seed in from..seeds.end.min(from + A_STORE) {
                        let _telltale = Telltale(seed);
                        runtime.block_on(live(seed, Ground::Embedded(store.clone())));
                    }
                }
            });
        }
    });
    Lived { histories: seeds.end - seeds.start, time: began.elapsed() }
}

/// As [`histories`], on the CQL server that `TIDEGATE_TEST_CQL` names; for a share of them a proxy makes trouble, drawn from
/// the seed. `None` where `TIDEGATE_WITHOUT` leaves it out.
///
/// # Panics
/// If one of them does; its seed is printed.
#[expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test says what it does, and fails where it can't go on"
)]
pub fn cql_histories(count: u64, live: impl AsyncFn(u64, Ground) + Sync) -> Option<Lived> {
    if cql::left_out() {
        println!("no histories on CQL: TIDEGATE_WITHOUT leaves them out");
        return None;
    }
    let (seeds, began) = (seeds(count), Instant::now());
    let is_troubled = |seed: &u64| seed % TROUBLED == 1;
    let options = ScyllaOptions { request_ms: 1_000, ..cql::options_at(cql::server(), cql::KEYSPACE) };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = runtime();
            let store = runtime.block_on(cql::open(&options)).expect("the server is there");
            for seed in seeds.clone().filter(|seed| !is_troubled(seed)) {
                let _telltale = Telltale(seed);
                runtime.block_on(live(seed, Ground::cql(store.clone(), store.clone())));
            }
        });
        scope.spawn(|| {
            runtime().block_on(async {
                let straight = cql::open(&options).await.expect("the server is there");
                let troubled = iter(seeds.clone().filter(is_troubled));
                let lives = troubled.for_each_concurrent(AT_ONCE, async |seed| {
                    let lived =
                        AssertUnwindSafe(trouble(seed, &options, &straight, &live)).catch_unwind().await;
                    // Told here: with it, all that are lived at once end.
                    if let Err(panic) = lived {
                        println!("the history of TIDEGATE_SEED={seed} failed");
                        resume_unwind(panic);
                    }
                });
                lives.await;
            });
        });
    });
    Some(Lived { histories: seeds.end - seeds.start, time: began.elapsed() })
}

/// Lives a history with a proxy of its own.
#[expect(clippy::expect_used, reason = "a test fails where it can't go on")]
async fn trouble(seed: u64, options: &ScyllaOptions, straight: &Scylla, live: &impl AsyncFn(u64, Ground)) {
    let mut proxy = Proxy::start(cql::server()).await;
    let url = cql::options_at(proxy.address(), cql::KEYSPACE).url;
    let store = cql::open(&ScyllaOptions { url, ..options.clone() }).await;
    let store = store.expect("the server is there behind the proxy");
    let (mut turns, troubles) = (Turns(!seed), Trouble::that_passes());
    proxy.trouble_by(&mut turns, 10, &troubles);
    proxy.trouble_deciding_by(&store, &mut turns, 20, &troubles);
    live(seed, Ground::cql(store, straight.clone())).await;
    proxy.end().await;
}

/// The seeds of a run that would take `count`: `TIDEGATE_SEED=n` asks for that one alone, `TIDEGATE_SEEDS=n` for so many.
///
/// # Panics
/// If what is asked for is no number.
#[expect(clippy::expect_used, reason = "a test fails where it can't go on")]
pub fn seeds(count: u64) -> Range<u64> {
    let asked = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("seeds are numbers"));
    match asked("TIDEGATE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked("TIDEGATE_SEEDS").unwrap_or(count),
    }
}

#[expect(clippy::expect_used, reason = "a test fails where it can't go on")]
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// In memory where that can be had: it is the order of steps that is tested, and not the disk.
#[expect(clippy::expect_used, reason = "a test fails where it can't go on")]
fn store() -> (tempfile::TempDir, Embedded) {
    let shared = Path::new("/dev/shm");
    let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    let options = EmbeddedOptions { workers: 1, ..EmbeddedOptions::default() };
    let store = Embedded::open(folder.path(), options).expect("a store");
    (folder, store)
}

/// Says which seed it was, if it is dropped by a panic.
#[derive(Debug)]
pub struct Telltale(pub u64);

impl Drop for Telltale {
    #[expect(clippy::print_stdout, reason = "a test prints its seed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the history of TIDEGATE_SEED={} failed", self.0);
        }
    }
}
