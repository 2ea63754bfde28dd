//! What the query side bounds.

use serde::{Deserialize, Serialize};

/// Limits on queries and their answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewaySettings {
    /// Most tokens of a document.
    pub document_tokens: usize,
    /// Deepest nesting of a document's selections, fragments resolved.
    pub document_depth: usize,
    /// Most fields of a document, fragments resolved.
    pub document_fields: usize,
    /// Most root fields of an operation.
    pub root_fields: usize,
    /// Rows of a page where the query names no number.
    pub page_rows: usize,
    /// Most rows of a page.
    pub page_rows_max: usize,
    /// Most topics that one read merges.
    pub topics_max: usize,
    /// Largest response, in bytes.
    pub response_bytes: usize,
    /// Longest execution of an operation, in milliseconds.
    pub execution_ms: u64,
    /// Compiled plans that are kept.
    pub plans: usize,
    /// Schemas that are kept for those who see a part of it only.
    pub schemas: usize,
    /// Field errors that a response lists; further ones are counted.
    pub errors_max: usize,
    /// Largest request body, in bytes.
    pub body_bytes: usize,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            document_tokens: 10_000,
            document_depth: 30,
            document_fields: 5_000,
            root_fields: 20,
            page_rows: 100,
            page_rows_max: 10_000,
            topics_max: 256,
            response_bytes: 64 << 20,
            execution_ms: 30_000,
            plans: 1_000,
            schemas: 100,
            errors_max: 100,
            body_bytes: 8 << 20,
        }
    }
}

/// Limits on those who follow streams, and on the sockets and event streams that they do it by: `[live]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiveSettings {
    /// Recent messages that are kept in memory for those who follow, in bytes, over all streams.
    pub ring_bytes: usize,
    /// How often the journal is asked for what was not announced, in milliseconds.
    pub poll_ms: u64,
    /// Messages that are held in memory for those who are behind the ring, in bytes, over all of them.
    pub behind_bytes: usize,
    /// Size at which the deliveries of one step are handed on, in bytes.
    pub batch_bytes: usize,
    /// How long a socket may take to send `connection_init`, in milliseconds.
    pub init_ms: u64,
    /// How long a socket may be silent before it is pinged, and again before it is dropped, in milliseconds.
    pub ping_ms: u64,
    /// Most operations that run on one socket.
    pub subscriptions_per_socket: usize,
    /// Most bytes of small answers (pongs, errors, ends of operations) that wait for one socket's client; nothing more is
    /// taken from it meanwhile. Results need no bound of theirs: an operation is asked for the next once this one left.
    pub unread_bytes: usize,
    /// How long a socket's client may take nothing of what waits for it, in milliseconds.
    pub unread_ms: u64,
    /// Time between two comments that keep an event stream alive, in milliseconds.
    pub sse_comment_ms: u64,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            ring_bytes: 64 << 20,
            poll_ms: 1_000,
            behind_bytes: 64 << 20,
            batch_bytes: 256 << 10,
            init_ms: 3_000,
            ping_ms: 25_000,
            subscriptions_per_socket: 100,
            unread_bytes: 1 << 20,
            unread_ms: 30_000,
            sse_comment_ms: 12_000,
        }
    }
}
