//! Results kept beside the row that they were made of, so that equal subscriptions are executed once a row.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Deliveries, Selection};

/// What a result depends on, beside the row: equal keys have equal results.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MemoKey {
    /// The plan: operation, streams and their versions. No two have the same number.
    pub(crate) plan: u64,
    /// The topics that were chosen, of those that may be read.
    pub(crate) selection: Selection,
    /// The message of the row that the result begins with.
    pub(crate) start: usize,
}

type Cell = Arc<OnceLock<Arc<Deliveries>>>;

/// Results by what they depend on.
#[derive(Default)]
pub(crate) struct Memo {
    results: Mutex<HashMap<MemoKey, Cell>>,
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
