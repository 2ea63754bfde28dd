//! What is asked of Kinesis, in the words of this crate: the only place that knows its client.

mod client;
mod credentials;
mod failure;

use async_trait::async_trait;
use schema::{PartitionId, Sequence, StreamName, Timestamp};

pub(super) use client::Client;
pub(crate) use failure::Failure;

use super::record::Fetched;
use super::shards::Shard;

/// Where reading a shard begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// With the oldest record that is still there.
    Oldest,
    /// With what has come since.
    Time(Timestamp),
    /// Behind a record.
    After(Sequence),
}

/// What a shard gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// In the order of the shard.
    pub(crate) records: Vec<Fetched>,
    /// What to ask with next; nothing where the shard is closed and this was its end.
    pub(crate) next: Option<String>,
    /// How long ago what comes next was put, in milliseconds; 0 at the tip.
    pub(crate) behind_ms: u64,
}

/// A message to put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: std::sync::Arc<str>,
    pub(crate) data: bytes::Bytes,
}

/// Where a message was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Put {
    pub(crate) shard: PartitionId,
    pub(crate) sequence: Sequence,
}

/// Kinesis. `stream` is its own name of a stream.
#[async_trait]
pub(crate) trait Kinesis: Send + Sync {
    /// All shards that Kinesis still knows, closed ones too.
    async fn shards(&self, stream: &StreamName) -> Result<Vec<Shard>, Failure>;

    /// How long records are kept, in hours.
    async fn retention_hours(&self, stream: &StreamName) -> Result<u64, Failure>;

    /// What to ask a shard with. It is good for five minutes.
    async fn open(&self, stream: &StreamName, shard: &PartitionId, from: Begin) -> Result<String, Failure>;

    /// What comes next, at most `records_max` records; it may be nothing though there is more.
    async fn next(&self, iterator: &str, records_max: u32) -> Result<Given, Failure>;

    /// Puts messages, and says of each, in their order, what became of it. Their order is not kept.
    async fn put(&self, stream: &StreamName, entries: &[Entry])
    -> Result<Vec<Result<Put, Failure>>, Failure>;
}
