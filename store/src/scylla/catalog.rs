//! Streams and shapes: few, read whole, compared and set.

use async_trait::async_trait;
use schema::StreamName;
use schema::shape::Shape;
use scylla::response::query_result::QueryRowsResult;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::Scylla;
use super::call::Cas;
use super::leases::again;
use crate::{Catalog, StoreError, StreamRecord};

/// The kind of entry that has what was decided about a stream's dead letters.
pub(super) const LETTERS: &str = "letters";

#[async_trait]
impl Catalog for Scylla {
    async fn streams(&self) -> Result<Vec<StreamRecord>, StoreError> {
        let doing = "list streams";
        let rows = self.0.calls.query(doing, &self.0.statements.entries, ("stream",)).await?;
        let rows = rows.rows::<(&str,)>().map_err(|error| StoreError::unavailable(doing, error))?;
        rows.map(|row| {
            let (document,) = row.map_err(|error| StoreError::unavailable(doing, error))?;
            serde_json::from_str(document).map_err(|_| StoreError::Corrupt { what: "the catalog".into() })
        })
        .collect()
    }

    async fn put_stream(&self, record: &StreamRecord) -> Result<bool, StoreError> {
        let put = self.put("stream", record.name().as_str(), record.version, record).await;
        self.0.expiry.forget(record.name());
        put
    }

    async fn shape(&self, stream: &StreamName) -> Result<Option<Shape>, StoreError> {
        Ok(self.entry("shape", stream.as_str()).await?.map(|(_, shape)| shape))
    }

    async fn put_shape(&self, stream: &StreamName, shape: &Shape) -> Result<bool, StoreError> {
        self.put("shape", stream.as_str(), shape.version, shape).await
    }

    async fn catalog_revision(&self) -> Result<u64, StoreError> {
        let doing = "read the catalog's revision";
        let rows = self.0.calls.query(doing, &self.0.statements.revision, ()).await?;
        let row = rows.maybe_first_row::<(Option<i64>,)>();
        let row = row.map_err(|error| StoreError::unavailable(doing, error))?;
        Ok(row.and_then(|(revision,)| revision).unwrap_or(0) as u64)
    }
}

impl Scylla {
    /// An entry and its version.
    pub(super) async fn entry<T: DeserializeOwned>(
        &self,
        kind: &str,
        name: &str,
    ) -> Result<Option<(u64, T)>, StoreError> {
        let rows = self.0.calls.query("read the catalog", &self.0.statements.entry, (kind, name)).await?;
        let Some((version, document)) = read(&rows)? else { return Ok(None) };
        let corrupt = |_| StoreError::Corrupt { what: format!("the catalog's {kind} {name}") };
        Ok(Some((version, serde_json::from_str(document).map_err(corrupt)?)))
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
        let there: Option<(_, String)> = self.entry(kind, name).await?;
        Ok(there.is_some_and(|(_, there)| there == id))
    }

    /// Writes `next` as version `version` if the entry there is the one before it, and with it another revision, unless it is
    /// about dead letters. Where no answer comes, a serial read says what became of it.
    pub(super) async fn put<T: Serialize>(
        &self,
        kind: &str,
        name: &str,
        version: u64,
        next: &T,
    ) -> Result<bool, StoreError> {
        let doing = "write the catalog";
        let document = serde_json::to_string(next).map_err(|error| StoreError::unavailable(doing, error))?;
        let Some(before) = version.checked_sub(1) else { return Ok(false) };
        let (version, before) = (version as i64, before as i64);
        let (first, next) = ((kind, name, version, &*document), (version, &*document, kind, name, before));
        let revision = revision(kind, name, version);
        let statements = &self.0.statements;
        let deadline = self.0.calls.deadline();
        let mut in_doubt = false;
        loop {
            let outcome = match (kind, before) {
                // Nobody follows these.
                (LETTERS, 0) => self.0.calls.cas(doing, &statements.first_entry, first).await?,
                (LETTERS, _) => self.0.calls.cas(doing, &statements.next_entry, next).await?,
                (_, 0) => {
                    let batch = statements.with_revision(&statements.first_entry);
                    self.0.calls.cas_batch(doing, &batch, (first, (revision,))).await?
                }
                _ => {
                    let batch = statements.with_revision(&statements.next_entry);
                    self.0.calls.cas_batch(doing, &batch, (next, (revision,))).await?
                }
            };
            match outcome {
                Cas::Applied => return Ok(true),
                Cas::Refused if !in_doubt => return Ok(false),
                // Perhaps by the one before it.
                Cas::Refused => {}
                Cas::Unknown => in_doubt = true,
            }
            let there = self.0.calls.query(doing, &statements.entry_settled, (kind, name)).await?;
            match read(&there)? {
                Some((there, text)) if there == version as u64 && text == document => return Ok(true),
                Some((there, _)) if there != before as u64 => return Ok(false),
                None if before != 0 => return Ok(false),
                _ => again(doing, deadline).await?,
            }
        }
    }
}

/// Version and document of an entry.
fn read(rows: &QueryRowsResult) -> Result<Option<(u64, &str)>, StoreError> {
    let row = rows.maybe_first_row::<(Option<i64>, Option<&str>)>();
    let row = row.map_err(|error| StoreError::unavailable("read the catalog", error))?;
    Ok(row.and_then(|(version, document)| Some((version? as u64, document?))))
}

/// A number that no other change has: made of what changed, so that a change that is made again is the same.
fn revision(kind: &str, name: &str, version: i64) -> i64 {
    let digest = Sha256::digest(format!("{kind}/{name}/{version}"));
    digest.iter().take(8).fold(0, |number, byte| number << 8 | i64::from(*byte))
}
