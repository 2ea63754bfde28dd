//! Streams and shapes: few, read whole, compared and set.

use async_trait::async_trait;
use schema::StreamName;
use schema::shape::Shape;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::Scylla;
use super::shelf::{CATALOG, Change, Place};
use crate::{Catalog, StoreError, StreamRecord};

/// The kind of entry that has what was decided about a stream's dead letters.
pub(super) const LETTERS: &str = "letters";

#[async_trait]
impl Catalog for Scylla {
    async fn streams(&self) -> Result<Vec<StreamRecord>, StoreError> {
        let doing = "list streams";
        let corrupt = |_| StoreError::Corrupt { what: "the catalog".into() };
        let all = self.shelved(doing, CATALOG, "stream").await?;
        all.iter().map(|entry| serde_json::from_str(&entry.document).map_err(corrupt)).collect()
    }

    async fn put_stream(&self, record: &StreamRecord) -> Result<bool, StoreError> {
        let put = self.put("stream", record.name().as_str(), record.version, record).await;
        self.0.expiry.forget(record.name());
        put
    }

    async fn shape(&self, stream: &StreamName) -> Result<Option<Shape>, StoreError> {
        Ok(self.catalogued("shape", stream.as_str()).await?.map(|(_, shape)| shape))
    }

    async fn put_shape(&self, stream: &StreamName, shape: &Shape) -> Result<bool, StoreError> {
        self.put("shape", stream.as_str(), shape.version, shape).await
    }

    async fn catalog_revision(&self) -> Result<u64, StoreError> {
        self.revision_of("read the catalog's revision", CATALOG).await
    }
}

impl Scylla {
    /// An entry and its version.
    pub(super) async fn catalogued<T: DeserializeOwned>(
        &self,
        kind: &str,
        name: &str,
    ) -> Result<Option<(u64, T)>, StoreError> {
        let place = Place { shelf: CATALOG, kind, name };
        let Some(entry) = self.shelved_at("read the catalog", place).await? else { return Ok(None) };
        let corrupt = |_| StoreError::Corrupt { what: format!("the catalog's {kind} {name}") };
        Ok(Some((entry.version, serde_json::from_str(&entry.document).map_err(corrupt)?)))
    }

    /// Notes that the log with this id feeds this keyspace; `false` where another does.
    ///
    /// # Errors
    /// [`StoreError`] if nobody could be asked.
    pub async fn bind_log(&self, id: &str) -> Result<bool, StoreError> {
        let (kind, name) = ("log", "embedded");
        if self.put(kind, name, 1, &id).await? {
            return Ok(true);
        }
        let there: Option<(_, String)> = self.catalogued(kind, name).await?;
        Ok(there.is_some_and(|(_, there)| there == id))
    }

    /// Writes `next` as version `version` if the entry there is the one before it, and with it another revision, unless it is
    /// about dead letters.
    pub(super) async fn put<T: Serialize>(
        &self,
        kind: &str,
        name: &str,
        version: u64,
        next: &T,
    ) -> Result<bool, StoreError> {
        let doing = "write the catalog";
        let document = serde_json::to_string(next).map_err(|error| StoreError::unavailable(doing, error))?;
        // Nobody follows decisions.
        let revision = (kind != LETTERS).then(|| revision(kind, name, version));
        let change = Change::Put { version, document: &document };
        self.change(doing, Place { shelf: CATALOG, kind, name }, change, revision).await
    }
}

/// A number that no other change has: made of what changed, so that a change that is made again is the same.
fn revision(kind: &str, name: &str, version: u64) -> i64 {
    let digest = Sha256::digest(format!("{kind}/{name}/{version}"));
    digest.iter().take(8).fold(0, |number, byte| number << 8 | i64::from(*byte))
}
