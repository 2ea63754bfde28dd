//! Making writes durable, several callers at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use fjall::{Database, PersistMode};

use super::blocking::lock;

/// Callers that wait for the disk together share one sync: with many partitions there are many checkpoints.
#[derive(Default)]
pub(super) struct GroupSync {
    asked: AtomicU64,
    done: Mutex<u64>,
}

impl GroupSync {
    /// Returns once everything that the caller wrote before is on the disk.
    pub(super) fn run(&self, db: &Database) -> fjall::Result<()> {
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut done = lock(&self.done);
        if *done >= mine {
            return Ok(());
        }
        // Whoever asked before this moment had written before it, so the sync below covers them all.
        let covers = self.asked.load(Ordering::SeqCst);
        db.persist(PersistMode::SyncAll)?;
        *done = covers;
        Ok(())
    }
}
