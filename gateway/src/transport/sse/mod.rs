//! Operations as server-sent events: the distinct connections mode of graphql-sse, one stream an operation.
//!
//! What a stream's client does not read is not asked for: hyper polls the body when it has room.

mod accept;
mod event;
mod events;

use std::convert::Infallible;
use std::sync::Arc;

use access::{Principal, Visit};
use apollo_compiler::executable::OperationType;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Method};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::unfold;

use self::accept::Wish;
use self::events::Events;
use super::http::{SCHEMA_HEADER, Shared};
use super::live::Changes;
use super::milliseconds;
use super::operation::{self, Order};
use crate::request::GraphqlRequest;

/// The cursor of the last event that a client got.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells a proxy (nginx and what understands it) to pass events on as they come.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Whether a request is answered by events: its client takes nothing else, or it is a subscription.
pub(super) async fn is_asked_for(
    shared: &Shared,
    caller: &Principal,
    headers: &HeaderMap,
    request: &GraphqlRequest,
) -> bool {
    match accept::wish(headers) {
        Wish::Events => true,
        Wish::Either => shared.pipeline.kind(caller, request).await == Some(OperationType::Subscription),
        Wish::NoEvents => false,
    }
}

/// Answers by events. What is wrong with the document is told by an event too, as a browser hides a failed request.
pub(super) async fn respond(
    shared: &Shared,
    caller: Principal,
    method: &Method,
    headers: &HeaderMap,
    request: GraphqlRequest,
    visit: &Visit,
) -> Response {
    let pipeline = &shared.pipeline;
    let version = pipeline.version(&caller).await;
    let resume = headers.get(LAST_EVENT_ID).map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    let (caller, access) = (Arc::new(caller), shared.access.clone());
    let order = Order {
        pipeline: pipeline.clone(),
        caller: caller.clone(),
        request,
        queries_only: *method == Method::GET,
        resume: resume.filter(|cursor| !cursor.is_empty()),
        guard: shared.live.open_operation(),
        rates: visit.rates().clone(),
    };
    let events = Box::new(Events {
        operation: Some(operation::run(order).boxed()),
        results: None,
        is_new: true,
        comment: milliseconds(shared.live.settings.sse_comment_ms),
        changes: Changes::of(&access),
        caller,
        access,
        clock: pipeline.clock.clone(),
        stopping: shared.live.stopping(),
    });
    let pieces = unfold(events, |mut events| async move {
        let piece = events.next().await?;
        Some((Ok::<_, Infallible>(piece), events))
    });
    stream(&version, Body::from_stream(pieces))
}

fn stream(schema_version: &str, body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (ACCEL_BUFFERING, "no"),
        (SCHEMA_HEADER, schema_version),
    ];
    (headers, body).into_response()
}
