//! For whoever runs it: `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ingest::Ingest;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::json;
use store::Store;

/// How long the store may take to answer before it counts as lost.
const STORE_WAIT: Duration = Duration::from_secs(4);

/// What these routes look at.
pub(super) struct Parts {
    pub(super) registry: Registry,
    /// Where messages come in, if they do here.
    pub(super) ingest: Option<Ingest>,
    pub(super) store: Arc<dyn Store>,
}

/// The routes. They need no token, and tell nothing of the data.
pub(super) fn router(parts: Parts) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(parts))
}

/// An address at which there is nothing.
pub(super) async fn nothing(uri: Uri) -> Response {
    let message = format!("there is nothing at {}: the page is at /, GraphQL at /graphql", uri.path());
    (StatusCode::NOT_FOUND, Json(json!({ "error": { "code": "not_found", "message": message } })))
        .into_response()
}

/// An address that takes other methods.
pub(super) async fn wrong_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not take {method}", uri.path());
    (
        StatusCode::METHOD_NOT_ALLOWED,
        Json(json!({ "error": { "code": "method_not_allowed", "message": message } })),
    )
        .into_response()
}

/// What is said over a connection beyond the most that may be open.
pub(super) fn full(connections: u32) -> Router {
    let message = format!("{connections} connections are open, which is the most: try again in a moment");
    Router::new().fallback(move || {
        let body = Json(json!({ "error": { "code": "unavailable", "message": message } }));
        async { (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], body) }
    })
}

/// Whether messages can be taken and read: 200, or 503 and what fails.
async fn ready(State(parts): State<Arc<Parts>>) -> Response {
    let store = match tokio::time::timeout(STORE_WAIT, parts.store.catalog_revision()).await {
        Ok(answer) => answer.map(|_| ()).map_err(|error| error.to_string()),
        Err(_) => Err(format!("the store did not answer within {} s", STORE_WAIT.as_secs())),
    };
    let ingest = parts.ingest.as_ref().map(Ingest::ready);
    let is_ready = store.is_ok() && ingest.as_ref().is_none_or(Result::is_ok);
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let say = |result: Result<(), String>| result.err().unwrap_or_else(|| "ok".into());
    let mut parts = json!({ "store": say(store) });
    if let Some(ingest) = ingest {
        parts["ingest"] = say(ingest).into();
    }
    (status, Json(parts)).into_response()
}

async fn metrics(State(parts): State<Arc<Parts>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &parts.registry) {
        Ok(()) => ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
