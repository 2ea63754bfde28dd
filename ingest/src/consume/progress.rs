//! How far the consumer is: written by its loop, read by whoever asks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::lane::Outlet;

/// How far the consumer is.
pub(crate) struct Progress {
    outlet: Arc<Outlet>,
    /// Records of the log that are in the store.
    records: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Since when something is in the store, or on its way, without a checkpoint.
    unmarked_since: Option<Instant>,
    stopped: Option<String>,
}

impl Progress {
    pub(super) fn new(outlet: Arc<Outlet>) -> Self {
        Self { outlet, records: AtomicU64::new(0), state: Mutex::default() }
    }

    /// How many records of the log were walked, of those that it held when it was opened and since.
    pub(crate) fn records(&self) -> u64 {
        self.records.load(Ordering::Acquire)
    }

    /// How long the oldest work without a checkpoint has waited for one.
    pub(crate) fn checkpoint_age(&self) -> Duration {
        self.unmarked_since().map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Why the consumer does not go on now, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        self.state().stopped.clone().or_else(|| self.outlet.patience.parked())
    }

    pub(super) fn unmarked_since(&self) -> Option<Instant> {
        self.state().unmarked_since
    }

    pub(super) fn begin(&self) {
        self.state().unmarked_since.get_or_insert_with(Instant::now);
    }

    pub(super) fn walked(&self, records: u64) {
        self.records.fetch_add(records, Ordering::AcqRel);
    }

    pub(super) fn marked(&self) {
        self.state().unmarked_since = None;
    }

    pub(super) fn stopped(&self, why: String) {
        self.state().stopped = Some(why);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
