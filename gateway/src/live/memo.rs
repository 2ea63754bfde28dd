//! Results kept beside the row that they were made of, so that equal subscriptions are executed once a row.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use super::{Deliveries, Selection};

/// What a result depends on, beside the row: equal keys have equal results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemoKey {
    /// Of the other two, but for the start: computed once a subscription.
    hash: u64,
    /// The plan: operation, streams and their versions. No two have the same number.
    plan: u64,
    /// The topics that were chosen, of those that may be read.
    selection: Selection,
    /// The message of the row that the result begins with.
    start: usize,
}

impl MemoKey {
    /// The key of the results of `plan` for `selection`.
    pub(crate) fn new(plan: u64, selection: Selection) -> Self {
        static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self { hash: STATE.hash_one((plan, &selection)), plan, selection, start: 0 }
    }

    /// The same, for a result that begins with a later message.
    pub(crate) fn from(&self, start: usize) -> Self {
        Self { start, ..self.clone() }
    }
}

impl Hash for MemoKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash.wrapping_add(self.start as u64));
    }
}

/// Takes a hash for what it is.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type Cell = Arc<OnceLock<Arc<Deliveries>>>;

/// Results by what they depend on.
#[derive(Default)]
pub(crate) struct Memo {
    results: Mutex<HashMap<MemoKey, Cell, BuildHasherDefault<AsIs>>>,
    bytes: AtomicUsize,
}

impl Memo {
    /// The result for `key`: made now, by one of those who ask for it, if it was not yet; then `true` comes with it.
    pub(crate) fn get(&self, key: MemoKey, make: impl FnOnce() -> Deliveries) -> (Arc<Deliveries>, bool) {
        let cell = {
            let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
            results.entry(key).or_default().clone()
        };
        let mut made = false;
        let result = cell.get_or_init(|| {
            made = true;
            Arc::new(make())
        });
        (result.clone(), made)
    }

    /// Counts what a result holds in memory.
    pub(super) fn grow(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What was counted, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}
