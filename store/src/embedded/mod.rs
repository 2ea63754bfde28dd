//! The embedded store: a folder on the local disk, opened by one process.
//!
//! ```
//! # async fn example(dir: &std::path::Path) -> Result<(), store::StoreError> {
//! use store::Catalog;
//! use store::embedded::{Embedded, EmbeddedOptions};
//!
//! let store = Embedded::open(dir, EmbeddedOptions::default())?;
//! assert!(store.streams().await?.is_empty());
//! # Ok(())
//! # }
//! # let dir = tempfile::tempdir().unwrap();
//! # tokio::runtime::Runtime::new().unwrap().block_on(example(dir.path())).unwrap();
//! ```
//!
//! It is the same model as everywhere on one [`fjall`] database. A message's bytes lie there once: its journal row says
//! where. Writes reach the operating system before they are acknowledged, so they outlive a killed process; the
//! catalog and every checkpoint are synced to the disk, and with a checkpoint all that was written before it.
//!
//! Files, in the order in which a message meets them: `blocking` (how a call gets to the disk), `messages` and `topics`,
//! `dead_letters`, `ids`, `journal`, `leases`, `catalog`; `sweep` forgets what retention has passed. All keys are made in
//! `keys`, all values in `values`.

mod blocking;
mod catalog;
mod dead_letters;
mod entries;
mod healing;
mod ids;
mod journal;
mod keys;
mod leases;
mod messages;
mod options;
mod sweep;
mod sync;
mod tables;
#[cfg(test)]
mod tests;
mod topics;
mod values;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use options::EmbeddedOptions;
pub use sweep::Swept;

use crate::StoreError;
use blocking::Gates;
use healing::Healing;

/// An open folder. Clones share it; it closes when the last one is dropped and no call is under way.
#[derive(Clone)]
pub struct Embedded {
    tables: Arc<Healing>,
    gates: Gates,
}

impl Embedded {
    /// Opens the folder `dir`, or makes it. Blocks while the last seconds before an unclean end are replayed.
    ///
    /// # Errors
    /// [`StoreError::Open`] names the folder, why it can't be opened (another process has it, its disk is full, it is
    /// damaged) and what to do.
    #[expect(clippy::needless_pass_by_value, reason = "the settings are the store's from here on")]
    pub fn open(dir: &Path, options: EmbeddedOptions) -> Result<Self, StoreError> {
        Ok(Self { tables: Arc::new(Healing::open(dir, &options)?), gates: Gates::new(&options) })
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}
