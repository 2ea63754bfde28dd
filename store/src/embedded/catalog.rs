//! Streams and shapes: few, read whole, compared and set.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use schema::StreamName;
use schema::shape::Shape;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Embedded;
use super::blocking::{Fault, lock};
use super::tables::Tables;
use super::{keys, values};
use crate::{Catalog, StoreError, StreamRecord};

#[async_trait]
impl Catalog for Embedded {
    async fn streams(&self) -> Result<Vec<StreamRecord>, StoreError> {
        self.read("list streams", |tables| tables.streams()).await
    }

    async fn put_stream(&self, record: &StreamRecord) -> Result<bool, StoreError> {
        let (key, record) = (keys::meta_stream(record.name()), record.clone());
        self.write("write a stream", move |tables| {
            let version_of = |there: &StreamRecord| there.version;
            tables.change_catalog(tables.compare_and_set(key, record.version, &record, version_of)?)
        })
        .await
    }

    async fn shape(&self, stream: &StreamName) -> Result<Option<Shape>, StoreError> {
        let key = keys::meta_shape(stream);
        self.read("read a shape", move |tables| tables.document(&key)).await
    }

    async fn put_shape(&self, stream: &StreamName, shape: &Shape) -> Result<bool, StoreError> {
        let (key, shape) = (keys::meta_shape(stream), shape.clone());
        self.write("write a shape", move |tables| {
            let version_of = |there: &Shape| there.version;
            tables.change_catalog(tables.compare_and_set(key, shape.version, &shape, version_of)?)
        })
        .await
    }

    async fn catalog_revision(&self) -> Result<u64, StoreError> {
        if self.tables.failed() {
            return Err(StoreError::unavailable(
                "read the catalog's revision",
                "the last write to it failed",
            ));
        }
        // One process has the folder, so what it has changed since it opened is all that ever changes.
        Ok(self.tables.revisions.catalog.load(Ordering::SeqCst))
    }
}

impl Tables {
    /// All streams, by name.
    pub(super) fn streams(&self) -> Result<Vec<StreamRecord>, Fault> {
        let mut streams = Vec::new();
        for row in self.meta.prefix(keys::STREAMS) {
            let (key, value) = row.into_inner()?;
            let record = values::read_json(&value);
            streams.push(record.ok_or_else(|| corrupt(&key))?);
        }
        Ok(streams)
    }

    /// Counts a change of the catalog, if there was one. After the write: whoever sees the new number sees the new document.
    fn change_catalog(&self, changed: bool) -> Result<bool, Fault> {
        if changed {
            self.revisions.catalog.fetch_add(1, Ordering::SeqCst);
        }
        Ok(changed)
    }

    /// The document under `key`.
    pub(super) fn document<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, Fault> {
        let Some(value) = self.meta.get(key)? else { return Ok(None) };
        Ok(Some(values::read_json(&value).ok_or_else(|| corrupt(key))?))
    }

    /// Writes `next` as version `version`, if the document there is the one before it; durable when this is done.
    pub(super) fn compare_and_set<T: Serialize + DeserializeOwned>(
        &self,
        key: Vec<u8>,
        version: u64,
        next: &T,
        version_of: impl Fn(&T) -> u64,
    ) -> Result<bool, Fault> {
        let value = values::json(next).map_err(|error| Fault::Unwritable(error.into()))?;
        {
            let _one_at_a_time = lock(&self.catalog);
            let there = self.document(&key)?.as_ref().map_or(0, version_of);
            if there.checked_add(1) != Some(version) {
                return Ok(false);
            }
            self.meta.insert(key, value)?;
        }
        // What was promised to clients, or has begun, must not be another after a power failure.
        self.sync.run(&self.db)?;
        Ok(true)
    }
}

fn corrupt(key: &[u8]) -> Fault {
    let name = String::from_utf8_lossy(key.get(1..).unwrap_or_default());
    Fault::corrupt(format!("the catalog's entry of stream {name}"))
}
