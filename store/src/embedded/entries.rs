//! Small documents that all nodes share: here the one process that has the folder.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::Embedded;
use super::blocking::{Fault, lock};
use super::tables::Tables;
use super::{keys, values};
use crate::{Entries, Entry, StoreError};

/// An entry as it is kept, under a key that has its name.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u64,
    document: String,
}

#[async_trait]
impl Entries for Embedded {
    async fn entries(&self, kind: &str) -> Result<Vec<Entry>, StoreError> {
        let prefix = keys::meta_entries(kind);
        self.read("list entries", move |tables| tables.entries(&prefix)).await
    }

    async fn entry(&self, kind: &str, name: &str) -> Result<Option<Entry>, StoreError> {
        let (key, name) = (keys::meta_entry(kind, name), name.to_owned());
        self.read("read an entry", move |tables| {
            let kept = tables.document::<Kept>(&key)?;
            Ok(kept.map(|Kept { version, document }| Entry { name, version, document }))
        })
        .await
    }

    async fn put_entry(&self, kind: &str, entry: &Entry) -> Result<bool, StoreError> {
        let key = keys::meta_entry(kind, &entry.name);
        let kept = Kept { version: entry.version, document: entry.document.clone() };
        self.write("write an entry", move |tables| {
            let version_of = |there: &Kept| there.version;
            tables.change_entries(tables.compare_and_set(key, kept.version, &kept, version_of)?)
        })
        .await
    }

    async fn remove_entry(&self, kind: &str, name: &str, version: u64) -> Result<bool, StoreError> {
        let key = keys::meta_entry(kind, name);
        self.write("remove an entry", move |tables| {
            tables.change_entries(tables.compare_and_remove(key, version)?)
        })
        .await
    }

    async fn entries_revision(&self) -> Result<u64, StoreError> {
        if self.tables.failed() {
            return Err(StoreError::unavailable(
                "read the entries' revision",
                "the last write to the store failed",
            ));
        }
        // One process has the folder, so what it has changed since it opened is all that ever changes.
        Ok(self.tables.revisions.entries.load(Ordering::SeqCst))
    }
}

impl Tables {
    /// All entries that begin with `prefix`, by name.
    fn entries(&self, prefix: &[u8]) -> Result<Vec<Entry>, Fault> {
        let mut entries = Vec::new();
        for row in self.meta.prefix(prefix) {
            let (key, value) = row.into_inner()?;
            let name = String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned();
            let Some(Kept { version, document }) = values::read_json(&value) else {
                return Err(Fault::corrupt(format!("the entry {name}")));
            };
            entries.push(Entry { name, version, document });
        }
        Ok(entries)
    }

    /// Removes the entry under `key`, if it has this version; durable when this is done.
    fn compare_and_remove(&self, key: Vec<u8>, version: u64) -> Result<bool, Fault> {
        {
            let _one_at_a_time = lock(&self.catalog);
            if self.document::<Kept>(&key)?.is_none_or(|there| there.version != version) {
                return Ok(false);
            }
            self.meta.remove(key)?;
        }
        self.sync.run(&self.db)?;
        Ok(true)
    }

    /// Counts a change of the entries, if there was one. After the write: whoever sees the new number sees the new document.
    fn change_entries(&self, changed: bool) -> Result<bool, Fault> {
        if changed {
            self.revisions.entries.fetch_add(1, Ordering::SeqCst);
        }
        Ok(changed)
    }
}
