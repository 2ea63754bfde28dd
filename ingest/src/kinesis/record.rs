//! Records as Kinesis gives them, as records of any log.

use std::sync::Arc;

use bytes::Bytes;
use schema::{Sequence, Timestamp};

use crate::consume::{Body, Record, Span};

/// A record of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The partition key.
    pub key: Arc<str>,
    /// Its number in the shard.
    pub sequence: Sequence,
    /// When Kinesis took it, about.
    pub arrived_at: Timestamp,
    /// What was put.
    pub data: Bytes,
}

/// What was read behind `after`, in the order of the shard; `None` if that is nothing, as then nothing is known to be covered.
pub fn span(after: Sequence, fetched: &[Fetched]) -> Option<Span> {
    let last = fetched.last()?.sequence;
    let records = fetched.iter().map(record).collect();
    Some(Span { after, last, records })
}

fn record(fetched: &Fetched) -> Record {
    let Fetched { key, sequence, arrived_at, data } = fetched.clone();
    // Whoever may put into the stream has written it.
    Record { key, sequence, sub: 0, arrived_at, topic: None, body: Body::Foreign(data) }
}
