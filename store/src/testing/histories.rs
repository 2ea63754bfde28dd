//! Seeded histories: many, side by side, each with streams of its own in a store that some share.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::embedded::{Embedded, EmbeddedOptions};

/// So many share a store.
const A_STORE: u64 = 50;
const THREADS: u64 = 2;

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Lived {
    /// How many histories.
    pub histories: u64,
    /// How long they took.
    pub time: Duration,
}

/// Lives the histories of the seeds from 0 to `count`, which must each fail by a panic. `TIDEGATE_SEED=n` lives that one
/// alone, `TIDEGATE_SEEDS=n` so many.
///
/// # Panics
/// If one of them does; its seed is printed.
#[expect(clippy::expect_used, reason = "a test fails where it can't go on")]
pub fn histories(count: u64, live: impl AsyncFn(u64, Embedded) + Sync) -> Lived {
    let asked = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, end) = match asked("TIDEGATE_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, asked("TIDEGATE_SEEDS").unwrap_or(count)),
    };
    let (began, next) = (Instant::now(), AtomicU64::new(first));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.expect("a runtime");
                loop {
                    let from = next.fetch_add(A_STORE, Ordering::Relaxed);
                    if from >= end {
                        return;
                    }
                    let (_folder, store) = store();
                    for seed in from..end.min(from + A_STORE) {
                        let _telltale = Telltale(seed);
                        runtime.block_on(live(seed, store.clone()));
                    }
                }
            });
        }
    });
    Lived { histories: end - first, time: began.elapsed() }
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

/// Says which history it was.
struct Telltale(u64);

impl Drop for Telltale {
    #[expect(clippy::print_stdout, reason = "a test prints its seed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the history of TIDEGATE_SEED={} failed", self.0);
        }
    }
}
