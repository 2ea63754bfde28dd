//! Which buckets a reader has to look into.

use futures_util::future::try_join_all;
use schema::{StreamName, Topic};
use scylla::serialize::row::SerializeRow;
use scylla::statement::prepared::PreparedStatement;

use super::{Bucket, WIDTHS};
use crate::scylla::Scylla;
use crate::{Order, StoreError};

/// A topic that has fewer buckets than this is known by one look.
const LOOK: i32 = 200;
/// Where it has more: so many of each width at first.
const STEP: i32 = 32;

/// A bucket, and about how large its messages are.
#[derive(Clone, Copy, Debug)]
pub(in crate::scylla) struct Listed {
    pub(in crate::scylla) bucket: Bucket,
    /// Bytes of a message, about.
    pub(in crate::scylla) row_bytes: u64,
}

/// All buckets that may hold messages of a span of time.
#[derive(Debug)]
pub(in crate::scylla) struct Region {
    pub(in crate::scylla) buckets: Vec<Listed>,
    /// The first instant of the span.
    pub(in crate::scylla) from: i64,
    /// The first instant after it.
    pub(in crate::scylla) to: i64,
}

type Row = (i64, i64, i32, Option<i32>);

impl Scylla {
    /// The buckets of the first part, in `order`, of the times `[from, to)`: as much of it as a few looks can tell for sure.
    pub(in crate::scylla) async fn region(
        &self,
        stream: &StreamName,
        topic: &Topic,
        (from, to): (i64, i64),
        order: Order,
    ) -> Result<Region, StoreError> {
        let overlaps = |listed: &Listed| listed.bucket.start < to && listed.bucket.end() > from;
        let all = self.look_up(&self.0.statements.buckets, (stream.as_str(), topic.as_str(), LOOK)).await?;
        if all.len() < LOOK as usize {
            return Ok(Region { buckets: all.into_iter().filter(overlaps).collect(), from, to });
        }
        let mut rows_max = STEP;
        loop {
            let region = self.widths(stream, topic, (from, to), order, rows_max).await?;
            if region.from < region.to {
                return Ok(region);
            }
            // All that was looked at begins together: a bucket of many parts.
            rows_max = rows_max.saturating_mul(4);
        }
    }

    /// Looks at the first few buckets of each width, and says how far that reaches.
    async fn widths(
        &self,
        stream: &StreamName,
        topic: &Topic,
        (from, to): (i64, i64),
        order: Order,
        rows_max: i32,
    ) -> Result<Region, StoreError> {
        let statement = match order {
            Order::Ascending => &self.0.statements.buckets_ascending,
            Order::Descending => &self.0.statements.buckets_descending,
        };
        let looks = WIDTHS.iter().map(|width| {
            let key = (stream.as_str(), topic.as_str(), *width, from.saturating_sub(*width), to, rows_max);
            self.look_up(statement, key)
        });
        let mut region = Region { buckets: Vec::new(), from, to };
        for listed in try_join_all(looks).await? {
            let last = listed.last().filter(|_| listed.len() >= rows_max as usize).map(|last| last.bucket);
            // There may be more of this width: it is known only up to where those begin.
            match (last, order) {
                (None, _) => {}
                (Some(last), Order::Ascending) => region.to = region.to.min(last.start),
                (Some(last), Order::Descending) => region.from = region.from.max(last.end()),
            }
            region.buckets.extend(listed);
        }
        Ok(region)
    }

    async fn look_up(
        &self,
        statement: &PreparedStatement,
        key: impl SerializeRow,
    ) -> Result<Vec<Listed>, StoreError> {
        let doing = "list buckets";
        let rows = self.0.calls.query(doing, statement, key).await?;
        let rows = rows.rows::<Row>().map_err(|error| StoreError::unavailable(doing, error))?;
        let listed = rows.map(|row| {
            let (width, start, part, row_bytes) =
                row.map_err(|error| StoreError::unavailable(doing, error))?;
            let row_bytes = row_bytes.unwrap_or(0).max(0) as u64 + super::ROW_BYTES;
            Ok(Listed { bucket: Bucket { width, start, part }, row_bytes })
        });
        listed.collect()
    }
}
