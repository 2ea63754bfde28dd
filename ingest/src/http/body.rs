//! A request's body: of a kind that the route takes, bounded in size, and bounded in the time it takes to come.

use std::time::Duration;

use access::Held;
use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::Entry;
use super::error::HttpError;

/// How messages are written in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One JSON document.
    Json,
    /// A JSON document a line.
    Lines,
}

/// What kind of body the headers announce.
pub(super) fn kind(headers: &HeaderMap, lines_too: bool) -> Result<Kind, HttpError> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        return Err(HttpError::wrong_type(format!(
            "Content-Encoding is {encoding:?}: send the body uncompressed"
        )));
    }
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let bare = sent.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    match bare.to_ascii_lowercase().as_str() {
        "application/json" | "application/x-amz-json-1.1" => Ok(Kind::Json),
        "application/x-ndjson" | "application/jsonl" if lines_too => Ok(Kind::Lines),
        _ => {
            let expected = match lines_too {
                true => {
                    "application/x-ndjson for a message a line, or application/json for a list of messages"
                }
                false => "application/json",
            };
            let sent = sent.map_or("missing".to_owned(), |sent| format!("{sent:?}"));
            Err(HttpError::wrong_type(format!("Content-Type is {sent}: expected {expected}")))
        }
    }
}

/// A body that is read piece by piece.
pub(super) struct Bounded {
    pieces: BodyDataStream,
    read_bytes: usize,
    limit: usize,
    wait: Duration,
    held: Held,
}

/// A body that came whole, and its room in memory, which is held for as long as this is.
pub(super) struct Whole {
    pub(super) bytes: Bytes,
    _held: Held,
}

impl Bounded {
    /// Begins to read; a body that announces more than it may be is refused before it comes.
    pub(super) fn new(body: Body, headers: &HeaderMap, entry: &Entry) -> Result<Self, HttpError> {
        let limit = entry.limits.body_bytes;
        let announced =
            headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > limit as u64) {
            return Err(HttpError::too_large(limit));
        }
        let held = entry.bodies.hold();
        Ok(Self { pieces: body.into_data_stream(), read_bytes: 0, limit, wait: entry.body_wait, held })
    }

    /// The next piece; `None` at the end of a body that came whole.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        let next = tokio::time::timeout(self.wait, self.pieces.next()).await;
        let Some(piece) = next.map_err(|_| HttpError::timed_out(self.wait.as_millis()))? else {
            return Ok(None);
        };
        let piece = piece.map_err(|_| {
            HttpError::bad_request(format!("the request body broke off after {} bytes", self.read_bytes))
        })?;
        self.read_bytes += piece.len();
        if self.read_bytes > self.limit {
            return Err(HttpError::too_large(self.limit));
        }
        self.held.grow(piece.len()).await?;
        Ok(Some(piece))
    }

    /// Of all pieces so far, no more than so many bytes are still held.
    pub(super) fn keep(&mut self, bytes: usize) {
        self.held.shrink_to(bytes);
    }

    /// All of it.
    pub(super) async fn all(mut self) -> Result<Whole, HttpError> {
        let mut bytes = self.next().await?.unwrap_or_default();
        if let Some(second) = self.next().await? {
            let mut all = BytesMut::from(bytes);
            all.extend_from_slice(&second);
            while let Some(piece) = self.next().await? {
                all.extend_from_slice(&piece);
            }
            bytes = all.freeze();
        }
        Ok(Whole { bytes, _held: self.held })
    }
}
