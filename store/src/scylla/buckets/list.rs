//! The list of a topic's buckets, as the servers keep it: by their ends, the last to end first.

use schema::{StreamName, Topic};
use scylla::serialize::row::SerializeRow;
use scylla::statement::prepared::PreparedStatement;

use super::region::{List, Listed};
use super::{Bucket, ROW_BYTES};
use crate::StoreError;
use crate::scylla::Scylla;

/// The buckets of one topic.
pub(in crate::scylla) struct TopicBuckets<'a> {
    pub(in crate::scylla) store: &'a Scylla,
    pub(in crate::scylla) stream: &'a StreamName,
    pub(in crate::scylla) topic: &'a Topic,
}

/// End, width, part, bytes of a message.
type Row = (i64, i64, i32, Option<i32>);

impl List for TopicBuckets<'_> {
    async fn oldest(&self, after: i64, count: usize) -> Result<Vec<Listed>, StoreError> {
        let (stream, topic) = (self.stream.as_str(), self.topic.as_str());
        self.ask(&self.store.0.statements.buckets_oldest, (stream, topic, after, count as i32)).await
    }

    async fn newest(&self, after: i64, before: i64, count: usize) -> Result<Vec<Listed>, StoreError> {
        let (stream, topic) = (self.stream.as_str(), self.topic.as_str());
        let key = (stream, topic, after, before, count as i32);
        self.ask(&self.store.0.statements.buckets_newest, key).await
    }

    async fn ending(&self, ends: &[i64]) -> Result<Vec<Listed>, StoreError> {
        let (stream, topic) = (self.stream.as_str(), self.topic.as_str());
        self.ask(&self.store.0.statements.buckets_ending, (stream, topic, ends)).await
    }
}

impl TopicBuckets<'_> {
    /// Every one of them.
    #[cfg(any(test, feature = "testing"))]
    pub(in crate::scylla) async fn all(&self) -> Result<Vec<Listed>, StoreError> {
        self.newest(i64::MIN, i64::MAX, i32::MAX as usize).await
    }

    async fn ask(
        &self,
        statement: &PreparedStatement,
        key: impl SerializeRow,
    ) -> Result<Vec<Listed>, StoreError> {
        let doing = "list buckets";
        let rows = self.store.0.calls.query(doing, statement, key).await?;
        let rows = rows.rows::<Row>().map_err(|error| StoreError::unavailable(doing, error))?;
        let listed = rows.map(|row| {
            let (end, width, part, row_bytes) = row.map_err(|error| StoreError::unavailable(doing, error))?;
            let row_bytes = row_bytes.unwrap_or(0).max(0) as u64 + ROW_BYTES;
            Ok(Listed { bucket: Bucket::ending(end, width, part), row_bytes })
        });
        listed.collect()
    }
}
