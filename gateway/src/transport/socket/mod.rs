//! Operations over a WebSocket, by the protocol graphql-transport-ws.
//!
//! ```text
//!            frames ▸ message ┐            ┌▸ outgoing ▸ connection
//!  connection                 ├▸ protocol ─┤
//!            operations, time ┘            └▸ start, stop, close
//! ```
//!
//! [`protocol`] decides, without input or output. [`task`] does what it decides: one task a socket. Where a client does
//! not read, nothing is asked of its operations, so that nothing heaps up.

mod close;
mod connection;
mod frame;
mod message;
mod outgoing;
mod output;
mod protocol;
mod sign_in;
mod task;
#[cfg(test)]
mod tests;
mod timers;

use access::Visit;
use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use self::close::Close;
use self::connection::Connection;
use self::protocol::Protocol;
use self::task::Task;
use super::http::Shared;

pub(super) use self::connection::GOODBYE;

/// The subprotocol that is spoken.
const SUBPROTOCOL: HeaderValue = HeaderValue::from_static("graphql-transport-ws");

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    let is_websocket = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"websocket");
    headers.get_all(UPGRADE).iter().any(is_websocket)
}

/// Answers a request for a WebSocket, and serves it by a task of its own.
pub(super) fn upgrade(shared: Shared, mut request: Request) -> Response {
    let mut response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(error) => return no_handshake(&error.to_string()),
    };
    let is_spoken = offers(request.headers());
    if is_spoken {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let guard = shared.live.open_socket();
    tokio::spawn(async move {
        let _guard = guard;
        let Ok(io) = upgrade.await else { return };
        let visit = request.extensions().get::<Visit>().cloned().unwrap_or_default();
        let signed = sign_in::by_upgrade(&shared.access, &visit, request.headers()).await;
        let pipeline = shared.pipeline;
        let connection = Connection::new(TokioIo::new(io), pipeline.settings.body_bytes).await;
        if !is_spoken {
            return connection.goodbye(Some(Close::subprotocol())).await;
        }
        let protocol = Protocol::new(&shared.live.settings, signed);
        Box::pin(Task::new(protocol, connection, (shared.access, visit), pipeline, shared.live).run()).await;
    });
    response
}

/// Whether the client offers the subprotocol, among others perhaps.
fn offers(headers: &HeaderMap) -> bool {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|offered| offered.trim_ascii() == SUBPROTOCOL.as_bytes())
}

fn no_handshake(fault: &str) -> Response {
    let body = json!({ "error": { "code": "bad_request", "message": format!("no WebSocket: {fault}") } });
    (StatusCode::BAD_REQUEST, [(SEC_WEBSOCKET_VERSION, "13")], Json(body)).into_response()
}
