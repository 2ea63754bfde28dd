//! The way in, as others see it. Ingest implements it, the gateway's `publish` calls it, and `src` hands it over: so the
//! two need not know each other.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use schema::json::Fault;
use schema::stream::Unroutable;
use schema::{Position, StreamName, Topic};

/// Who may write what: asked about the *routed* topic, before anything reaches the log.
pub trait WritePolicy: Send + Sync + Debug {
    /// Whether the caller may write `topic` of `stream`.
    ///
    /// # Errors
    /// A sentence for the caller.
    fn may_write(&self, stream: &StreamName, topic: &Topic) -> Result<(), String>;

    /// Whether the caller may write some topic of `stream`, one that is there or not: asked before it is told whether it is.
    ///
    /// # Errors
    /// A sentence for the caller.
    fn may_write_some(&self, stream: &StreamName) -> Result<(), String>;

    /// The caller's own topic, for streams whose topic is the caller.
    fn own_topic(&self) -> Topic;
}

/// One message to be accepted.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    /// The stream; made on first use where that is allowed.
    pub stream: StreamName,
    /// The topic, where the caller names one.
    pub topic: Option<Topic>,
    /// The partition key; the topic stands in for a missing one.
    pub key: Option<String>,
    /// The JSON.
    pub data: Bytes,
}

/// Where a message was put: it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its position.
    pub position: Position,
    /// Its topic.
    pub topic: Topic,
}

/// Why a message was not accepted. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// It is not I-JSON, or too large.
    #[error(transparent)]
    NotJson(#[from] Fault),
    /// No topic can be found for it.
    #[error(transparent)]
    Unroutable(#[from] Unroutable),
    /// Its record is at odds with its stream or with a rule of the API.
    #[error("{0}")]
    Invalid(String),
    /// The stream is unknown, and is not made on first use.
    #[error("stream {0} does not exist: {1}")]
    UnknownStream(StreamName, String),
    /// The caller may not write there.
    #[error("{0}")]
    Denied(String),
    /// Messages are not taken here at all.
    #[error("{0}")]
    Elsewhere(String),
    /// The log can't take it now; the same request may be sent again.
    #[error("the message was not accepted, try again: {0}")]
    Unavailable(String),
}

/// Accepts messages: when it answers, they are durable.
#[async_trait]
pub trait Publish: Send + Sync {
    /// Accepts `request`s of one caller, each by itself, and answers in their order.
    async fn publish(
        &self,
        caller: &dyn WritePolicy,
        requests: Vec<PublishRequest>,
    ) -> Vec<Result<Published, PublishError>>;
}
