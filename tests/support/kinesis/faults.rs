//! What stands before the emulator: faults to order, and an order of puts and reads that Kinesis keeps and the emulator does not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ferrokinesis::store::Store;
use tokio::sync::RwLock;

use super::iterator;

/// The largest request of Kinesis, and somewhat more.
const BODY_BYTES_MAX: usize = 16 << 20;

/// Faults to order.
#[derive(Debug, Default)]
pub(super) struct Faults {
    operations: Mutex<BTreeMap<String, Calls>>,
    /// A put draws its number before it is there, so that in the emulator one with a greater number can be read first, and an
    /// iterator pass by the other. Nothing is read while something is put, nor put while shards are split.
    pub(super) order: RwLock<()>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    count: usize,
    /// The share that is refused.
    percent: usize,
}

impl Faults {
    pub(super) fn throttle(&self, operation: &str, percent: usize) {
        self.operations.lock().unwrap().entry(operation.to_owned()).or_default().percent = percent;
    }

    pub(super) fn calls(&self, operation: &str) -> usize {
        self.operations.lock().unwrap().get(operation).map_or(0, |calls| calls.count)
    }

    /// Counts a call; gives whether it is refused.
    fn refuses(&self, operation: &str) -> bool {
        let mut operations = self.operations.lock().unwrap();
        let calls = operations.entry(operation.to_owned()).or_default();
        calls.count += 1;
        // By turns, spread over each hundred.
        calls.count * 37 % 100 < calls.percent
    }
}

/// Answers a request, or refuses to.
pub(super) async fn layer(
    State((faults, store)): State<(Arc<Faults>, Store)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut head, body) = request.into_parts();
    // All of it, before anything is held up: its sender may be stopped in the midst of it.
    let Ok(mut body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned();
    if faults.refuses(&operation) {
        return throttled();
    }
    if operation == "GetShardIterator"
        && let Some(corrected) = iterator::corrected(&store, &body).await
    {
        head.headers.remove(CONTENT_LENGTH);
        body = corrected;
    }
    let request = Request::from_parts(head, Body::from(body));
    if operation.starts_with("Put") {
        let _alone = faults.order.write().await;
        next.run(request).await
    } else {
        let _with_others = faults.order.read().await;
        next.run(request).await
    }
}

fn throttled() -> Response {
    let body = r#"{"__type":"ProvisionedThroughputExceededException","message":"Rate exceeded for shard of the tests."}"#;
    (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.1")], body).into_response()
}
