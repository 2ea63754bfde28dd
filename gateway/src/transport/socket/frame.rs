//! What the server says, as text of frames.

use std::sync::Arc;

use schema::Timestamp;

/// The beginning of every message about an operation, with its id written as JSON once.
#[derive(Clone, Debug)]
pub(super) struct Head(Arc<str>);

impl Head {
    pub(super) fn new(id: &str) -> Self {
        // A text always becomes JSON.
        let id = serde_json::to_string(id).unwrap_or_default();
        Self(format!("{{\"id\":{id},\"type\":\"").into())
    }

    /// `next`, with an execution result.
    pub(super) fn next(&self, result: &[u8]) -> Vec<u8> {
        self.with_payload("next", result)
    }

    /// `error`, with a list of errors.
    pub(super) fn error(&self, errors: &[u8]) -> Vec<u8> {
        self.with_payload("error", errors)
    }

    /// `complete`.
    pub(super) fn complete(&self) -> Vec<u8> {
        [self.0.as_bytes(), b"complete\"}"].concat()
    }

    fn with_payload(&self, kind: &str, payload: &[u8]) -> Vec<u8> {
        [self.0.as_bytes(), kind.as_bytes(), b"\",\"payload\":", payload, b"}"].concat()
    }
}

/// `connection_ack`.
pub(super) fn acknowledged() -> Vec<u8> {
    b"{\"type\":\"connection_ack\"}".to_vec()
}

/// `pong`, with when the token ends by which the socket lives.
pub(super) fn expiry(ends: Timestamp) -> Vec<u8> {
    format!("{{\"type\":\"pong\",\"payload\":{{\"expiresAt\":\"{ends}\"}}}}").into_bytes()
}

/// `pong`, with what the ping had.
pub(super) fn pong(payload: Option<&str>) -> Vec<u8> {
    match payload {
        None => b"{\"type\":\"pong\"}".to_vec(),
        Some(payload) => format!("{{\"type\":\"pong\",\"payload\":{payload}}}").into_bytes(),
    }
}
