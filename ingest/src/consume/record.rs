//! Records of any log, as the core takes them: what they are is told by types, not by where they came from.

use std::sync::Arc;

use bytes::Bytes;
use schema::{Sequence, Timestamp, Topic};

/// One message of a record of the log, or what should be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The partition key.
    pub key: Arc<str>,
    /// The log's own number of the record.
    pub sequence: Sequence,
    /// Which message of that record: 0 where it carries one.
    pub sub: u32,
    /// When the log took it.
    pub arrived_at: Timestamp,
    /// The topic that its sender named and was entitled to, or its sender's own where the stream's topic is the caller.
    pub topic: Option<Topic>,
    /// The producer's bytes.
    pub body: Body,
}

/// The bytes of a [`Record`], and whether anybody has looked at them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// I-JSON within the limits that held when it was accepted: it was checked before the log, and is not again.
    Checked(Bytes),
    /// Whatever somebody wrote into the log.
    Foreign(Bytes),
}

/// Records of one partition that were read together, and what they cover: all that the log has in `(after, last]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The last sequence before. What lies between it and what was consumed is gone, and readers are told of a gap.
    pub after: Sequence,
    /// The last sequence that is covered, be it of a record or not.
    pub last: Sequence,
    /// In the order of the log. All messages of one record of the log are in one span.
    pub records: Vec<Record>,
}
