//! A database that has failed, opened again.
//!
//! After one write that failed, as on a full disk, fjall takes no more until it is opened anew; reads go on. So the next
//! write opens it: what was acknowledged is in its write-ahead log, and what was not is repeated by whoever waits for it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::EmbeddedOptions;
use super::blocking::Fault;
use super::tables::{Revisions, Tables};
use crate::StoreError;

/// The database's threads let go of the folder a moment after it was closed.
const CLOSING_TRIES: u32 = 5;
const CLOSING_WAIT: Duration = Duration::from_millis(100);

/// The tables of one folder, and what it takes to open them again.
pub(super) struct Healing {
    dir: PathBuf,
    options: EmbeddedOptions,
    /// None while they can't be opened.
    tables: RwLock<Option<Tables>>,
    /// Whether a write has failed since they were opened.
    failed: AtomicBool,
    pub(super) revisions: Arc<Revisions>,
}

impl Healing {
    pub(super) fn open(dir: &Path, options: &EmbeddedOptions) -> Result<Self, StoreError> {
        let revisions = Arc::new(Revisions { catalog: 1.into(), entries: 1.into() });
        let tables = Tables::open(dir, options, revisions.clone())?;
        Ok(Self {
            dir: dir.to_owned(),
            options: options.clone(),
            tables: RwLock::new(Some(tables)),
            failed: AtomicBool::new(false),
            revisions,
        })
    }

    /// Whether writes fail: until one has worked again.
    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }

    /// Runs a read.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Tables) -> Result<T, Fault>) -> Result<T, Fault> {
        match &*self.tables.read().unwrap_or_else(PoisonError::into_inner) {
            Some(tables) => work(tables),
            None => Err(Fault::Closed),
        }
    }

    /// Runs a write, on tables that were opened again if they had failed.
    pub(super) fn write<T>(&self, work: impl FnOnce(&Tables) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.failed() {
            self.heal()?;
        }
        let outcome = self.read(work);
        if let Err(Fault::Disk(error)) = &outcome {
            tracing::warn!(error = ?error, "a write to the store failed: it is opened again for the next");
            self.failed.store(true, Ordering::SeqCst);
        }
        outcome
    }

    /// Closes the tables and opens them again; waits for calls that are under way.
    fn heal(&self) -> Result<(), Fault> {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have done it while this call waited.
        if !self.failed() {
            return Ok(());
        }
        *tables = None;
        let mut tries = 0;
        let opened = loop {
            match Tables::open(&self.dir, &self.options, self.revisions.clone()) {
                Err(_) if tries < CLOSING_TRIES => {
                    tries += 1;
                    std::thread::sleep(CLOSING_WAIT);
                }
                opened => break opened,
            }
        };
        *tables = Some(opened.map_err(|error| Fault::Unopened(error.to_string()))?);
        self.failed.store(false, Ordering::SeqCst);
        // Whoever follows them looks again.
        self.revisions.catalog.fetch_add(1, Ordering::SeqCst);
        self.revisions.entries.fetch_add(1, Ordering::SeqCst);
        tracing::info!("the store was opened again after a failed write");
        Ok(())
    }

    /// The open tables, for tests that meddle with them.
    #[cfg(test)]
    pub(super) fn with<T>(&self, work: impl FnOnce(&Tables) -> T) -> T {
        work(self.tables.read().unwrap_or_else(PoisonError::into_inner).as_ref().expect("open tables"))
    }
}
