//! The tables on disk, and what is kept of them in memory.

use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use fjall::config::FilterPolicy;
use fjall::{Database, Keyspace, KeyspaceCreateOptions};

use super::sweep::Sweeper;
use super::sync::GroupSync;
use super::topics::TopicTable;
use super::{EmbeddedOptions, keys};
use crate::StoreError;

/// The version of the layout that [`keys`] and [`super::values`] describe.
const LAYOUT: &[u8] = b"1";

/// Counts of changes since this process began.
pub(super) struct Revisions {
    pub(super) catalog: AtomicU64,
    pub(super) entries: AtomicU64,
}

/// One open folder.
pub(super) struct Tables {
    pub(super) db: Database,
    pub(super) messages: Keyspace,
    pub(super) topics: Keyspace,
    pub(super) journal: Keyspace,
    pub(super) dead_letters: Keyspace,
    pub(super) ids: Keyspace,
    pub(super) meta: Keyspace,
    /// Held while messages are written or swept, as both change the topic table by what they read of it.
    pub(super) topic_table: Mutex<TopicTable>,
    /// Held while ids are claimed or swept, as both write by what heads they find.
    pub(super) id_heads: Mutex<()>,
    /// Held while a lease is read and written again.
    pub(super) leases: Mutex<()>,
    /// Held while dead letters are written or removed, as both write by what they find.
    pub(super) letters: Mutex<()>,
    /// Held while a document of the catalog, or an entry, is compared and set.
    pub(super) catalog: Mutex<()>,
    pub(super) revisions: Arc<Revisions>,
    pub(super) sync: GroupSync,
    pub(super) sweeper: Mutex<Sweeper>,
}

impl Tables {
    /// Opens the folder `dir`, or makes it.
    pub(super) fn open(
        dir: &Path,
        options: &EmbeddedOptions,
        revisions: Arc<Revisions>,
    ) -> Result<Self, StoreError> {
        options.check()?;
        let refused = |error| StoreError::Open(refusal(dir, &error));
        let db = Database::builder(dir)
            .cache_size(options.block_cache_bytes)
            .max_journaling_size(options.journal_bytes_max)
            .worker_threads(options.workers)
            .open()
            .map_err(refused)?;
        let table = |name, tune: fn(KeyspaceCreateOptions) -> KeyspaceCreateOptions, share: u64| {
            let bytes = options.write_buffer_bytes / share;
            db.keyspace(name, || tune(KeyspaceCreateOptions::default().max_memtable_size(bytes)))
                .map_err(refused)
        };
        // Messages are got one by one only where the journal says that they are: filters would answer nothing.
        let messages = table("messages", |options| options.expect_point_read_hits(true), 1)?;
        let topics = table("topics", |options| options, 4)?;
        let journal = table("journal", |options| options, 4)?;
        let dead_letters =
            table("dead_letters", |options| options.filter_policy(FilterPolicy::disabled()), 4)?;
        let ids = table("ids", |options| options, 4)?;
        let meta = table("meta", |options| options, 4)?;
        match meta.get(keys::LAYOUT).map_err(refused)? {
            None => meta.insert(keys::LAYOUT, LAYOUT).map_err(refused)?,
            Some(layout) if &*layout == LAYOUT => {}
            Some(_) => {
                let dir = dir.display();
                let text = format!(
                    "the store in {dir} was written by another version of Tidegate: use that version, or an empty folder"
                );
                return Err(StoreError::Open(text));
            }
        }
        Ok(Self {
            db,
            messages,
            topics,
            journal,
            dead_letters,
            ids,
            meta,
            topic_table: Mutex::new(TopicTable::new(options.topic_cache_bytes)),
            id_heads: Mutex::default(),
            leases: Mutex::default(),
            letters: Mutex::default(),
            catalog: Mutex::default(),
            revisions,
            sync: GroupSync::default(),
            sweeper: Mutex::default(),
        })
    }
}

/// Why a folder can't be opened, and what to do.
fn refusal(dir: &Path, error: &fjall::Error) -> String {
    let dir = dir.display();
    match error {
        fjall::Error::Locked => {
            format!(
                "the store in {dir} is in use: stop the other Tidegate that runs on it, or choose another folder"
            )
        }
        fjall::Error::Io(error) => {
            format!(
                "the store in {dir} can't be opened: {error}; check that the folder may be written and the disk is not full"
            )
        }
        fjall::Error::InvalidVersion(_) => {
            format!(
                "the store in {dir} was written by another version of Tidegate: use that version, or an empty folder"
            )
        }
        error => format!(
            "the store in {dir} is damaged: {error:?}; restore the folder from a copy, or set it aside"
        ),
    }
}
