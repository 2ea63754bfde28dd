//! The ways in which operations come and answers go: HTTP, WebSocket, server-sent events, and `GET /data`.

mod http;
mod live;
mod operation;
mod rest;
mod socket;
mod sse;

use std::time::Duration;

pub(crate) use http::router;
pub(crate) use live::Live;

pub use http::SCHEMA_HEADER;

/// The longest that sockets may take to close once they are told to.
pub(crate) const CLOSING: Duration = socket::GOODBYE.saturating_add(Duration::from_secs(1));

/// A setting's time; none at all would make a loop spin.
fn milliseconds(setting: u64) -> Duration {
    Duration::from_millis(setting.max(1))
}
