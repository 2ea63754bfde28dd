//! How a call gets to the disk and back: on a thread that may block, within a number of calls and a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::healing::Healing;
use super::tables::Tables;
use super::{Embedded, EmbeddedOptions};
use crate::StoreError;

/// What can go wrong inside a call.
pub(super) enum Fault {
    /// The database refused.
    Disk(fjall::Error),
    /// A value is not what was written.
    Corrupt(String),
    /// It is not open: an earlier write failed, and it could not be opened again.
    Closed,
    /// It could not be opened again, and why.
    Unopened(String),
    /// A value can't be put into bytes.
    Unwritable(Box<dyn std::error::Error + Send + Sync>),
}

impl From<fjall::Error> for Fault {
    fn from(error: fjall::Error) -> Self {
        Self::Disk(error)
    }
}

impl Fault {
    /// A value under `what` that can't be read.
    pub(super) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }

    fn while_doing(self, doing: &'static str) -> StoreError {
        match self {
            Self::Corrupt(what) => StoreError::Corrupt { what },
            Self::Unwritable(error) => StoreError::unavailable(doing, error),
            Self::Closed => StoreError::unavailable(doing, "an earlier write failed; see to the disk"),
            Self::Unopened(why) => StoreError::unavailable(doing, why),
            Self::Disk(error) => StoreError::unavailable(doing, error),
        }
    }
}

/// How many calls may be under way. Reads and writes are counted apart, as writes wait for merges when the disk is slow.
#[derive(Clone)]
pub(super) struct Gates {
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    call_time_max: Duration,
}

impl Gates {
    pub(super) fn new(options: &EmbeddedOptions) -> Self {
        Self {
            reads: Arc::new(Semaphore::new(options.calls_max)),
            writes: Arc::new(Semaphore::new(options.calls_max)),
            call_time_max: Duration::from_secs(options.call_seconds_max),
        }
    }
}

impl Embedded {
    /// Runs a read.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Tables) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call(&self.gates.reads, doing, |tables| tables.read(work)).await
    }

    /// Runs a write. It goes on when its caller goes away or its time is over: every write can be repeated.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Tables) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call(&self.gates.writes, doing, |tables| tables.write(work)).await
    }

    async fn call<T: Send + 'static>(
        &self,
        gate: &Arc<Semaphore>,
        doing: &'static str,
        work: impl FnOnce(&Healing) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let call = async {
            let permit = gate.clone().acquire_owned().await;
            let permit = permit.map_err(|error| StoreError::unavailable(doing, error))?;
            let tables = self.tables.clone();
            let done = tokio::task::spawn_blocking(move || {
                // The permit goes with the work, not with whoever waits for it.
                let _permit = permit;
                work(&tables)
            });
            // A panic in the database comes back as an error: the caller may try again, and others are not hurt.
            let done = done.await.map_err(|error| StoreError::unavailable(doing, error))?;
            done.map_err(|fault| fault.while_doing(doing))
        };
        match tokio::time::timeout(self.gates.call_time_max, call).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(StoreError::unavailable(doing, elapsed)),
        }
    }
}

/// Locks `mutex`, also after a panic of another holder: what the mutexes here guard is changed in one step at the end.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
