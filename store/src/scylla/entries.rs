//! Small documents that all nodes share, on a shelf of their own beside the catalog's.

use async_trait::async_trait;

use super::Scylla;
use super::shelf::{Change, ENTRIES, Place};
use crate::{Entries, Entry, StoreError};

#[async_trait]
impl Entries for Scylla {
    async fn entries(&self, kind: &str) -> Result<Vec<Entry>, StoreError> {
        self.shelved("list entries", ENTRIES, kind).await
    }

    async fn entry(&self, kind: &str, name: &str) -> Result<Option<Entry>, StoreError> {
        self.shelved_at("read an entry", Place { shelf: ENTRIES, kind, name }).await
    }

    async fn put_entry(&self, kind: &str, entry: &Entry) -> Result<bool, StoreError> {
        let change = Change::Put { version: entry.version, document: &entry.document };
        let place = Place { shelf: ENTRIES, kind, name: &entry.name };
        self.change("write an entry", place, change, Some(revision()?)).await
    }

    async fn remove_entry(&self, kind: &str, name: &str, version: u64) -> Result<bool, StoreError> {
        let (place, change) = (Place { shelf: ENTRIES, kind, name }, Change::Remove { version });
        self.change("remove an entry", place, change, Some(revision()?)).await
    }

    async fn entries_revision(&self) -> Result<u64, StoreError> {
        self.revision_of("read the entries' revision", ENTRIES).await
    }
}

/// A number that no other change has. Drawn, as an entry that was removed begins again with version 1: made of what changed, it would
/// be that of an older change.
fn revision() -> Result<i64, StoreError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::unavailable("number a change", error))?;
    Ok(i64::from_be_bytes(bytes))
}
