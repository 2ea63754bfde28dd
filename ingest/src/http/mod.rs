//! The way in by HTTP. Each route reads what was sent, hands it to [`Publish`], and says what became of
//! it; what is right or wrong about a message is not decided here.

mod body;
mod error;
mod messages;
mod own;
mod record;
mod records;
mod split;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use access::{Access, Bodies};
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, FromRef, Path};
use axum::routing::{post, put};
use schema::{Limits, StreamName};
use store::Publish;

use error::HttpError;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) publish: Arc<dyn Publish>,
    pub(crate) limits: Arc<Limits>,
    /// Most messages, and most bytes of them, that are put into the log together.
    pub(crate) group: (usize, usize),
    /// Longest wait for the next bytes of a body.
    pub(crate) body_wait: Duration,
    /// Room for bodies.
    pub(crate) bodies: Bodies,
}

/// The routes on which messages come in. Each wants a bearer token with `data.write`.
pub(crate) fn router<S>(entry: Entry) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Access: FromRef<S>,
{
    Router::new()
        .route("/streams/{stream}/record", put(record::put_record))
        .route("/streams/{stream}/records", put(records::put_records))
        .route("/streams/{stream}/messages", post(messages::post_messages))
        .route("/data", post(own::post_data))
        .layer(Extension(entry))
}

/// The stream that a path names.
fn stream_of(path: Result<Path<String>, PathRejection>) -> Result<StreamName, HttpError> {
    let Path(name) = path.map_err(|error| HttpError::bad_request(error.body_text()))?;
    StreamName::new(&name).map_err(|error| HttpError::bad_request(error.to_string()))
}
