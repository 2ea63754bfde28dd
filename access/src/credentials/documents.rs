//! Documents in the store: read, compared and set.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Entries, Entry, StoreError};

/// The kinds of documents that there are.
pub(super) const KEY: &str = "key";
pub(super) const CLIENT: &str = "client";
pub(super) const DENIAL: &str = "denial";

/// The documents of all kinds.
pub(super) struct Documents(pub(super) Arc<dyn Entries>);

impl Documents {
    /// All of a kind, by name.
    pub(super) async fn all<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<(String, T)>, StoreError> {
        let entries = self.0.entries(kind).await?;
        entries.into_iter().map(|entry| Ok((entry.name.clone(), read(kind, &entry)?))).collect()
    }

    /// One of them and its version.
    pub(super) async fn one<T: DeserializeOwned>(
        &self,
        kind: &str,
        name: &str,
    ) -> Result<Option<(u64, T)>, StoreError> {
        let entry = self.0.entry(kind, name).await?;
        entry.map(|entry| Ok((entry.version, read(kind, &entry)?))).transpose()
    }

    /// Writes one as this version; `false` if the one before it is not there.
    pub(super) async fn put<T: Serialize>(
        &self,
        kind: &str,
        name: &str,
        version: u64,
        document: &T,
    ) -> Result<bool, StoreError> {
        let document = serde_json::to_string(document)
            .map_err(|error| StoreError::unavailable("write a credential", error))?;
        self.0.put_entry(kind, &Entry { name: name.into(), version, document }).await
    }
}

/// What an entry says. One that can't be read is never passed over: it may be what denies.
fn read<T: DeserializeOwned>(kind: &str, entry: &Entry) -> Result<T, StoreError> {
    let corrupt = |_| StoreError::Corrupt { what: format!("the {kind} {}", entry.name) };
    serde_json::from_str(&entry.document).map_err(corrupt)
}
