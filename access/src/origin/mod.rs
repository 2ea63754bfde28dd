//! Pages of other origins: which of them may open sockets here, and read answers.
//!
//! Tokens come in headers that a page has to set itself, so no page can ask in a visitor's name. This is the second line: what a
//! browser says of a page is checked before the request is looked at.

mod list;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
    HeaderName, HeaderValue, UPGRADE, VARY,
};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use list::Page;
pub use list::{InvalidOrigin, Origins, check};

/// What a page may send, and for how many seconds its browser need not ask again.
const MAY: [(HeaderName, &str); 3] = [
    (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT"),
    (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, last-event-id"),
    (ACCESS_CONTROL_MAX_AGE, "600"),
];

/// What a page may read of the headers of an answer.
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after, tidegate-schema, www-authenticate");

/// Middleware (`from_fn_with_state(origins, guard)`): what a page from elsewhere may not send is refused, and pages of origins that
/// are listed are told that they may read the answer (CORS, without credentials: there are none but tokens).
pub async fn guard(State(origins): State<Arc<Origins>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let opens_socket = headers.contains_key(UPGRADE);
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let page = origins.page(headers);
    let mut response = match &page {
        Page::Elsewhere if changes || opens_socket => refused(),
        Page::Machine if opens_socket => refused(),
        Page::Listed(_) if is_preflight(request.method(), headers) => {
            (StatusCode::NO_CONTENT, MAY).into_response()
        }
        _ => next.run(request).await,
    };
    if let Page::Listed(origin) = page {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    if origins.are_listed() {
        response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    }
    response
}

/// Whether a browser asks whether its page may ask.
fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn refused() -> Response {
    let description = "This is of a page from elsewhere: pages of this server may send it, and those of the origins that are \
                       listed in server.origins.";
    let body = json!({ "error": "foreign_origin", "error_description": description });
    (StatusCode::FORBIDDEN, Json(body)).into_response()
}
