//! `/graphql`, as GraphQL over HTTP describes it.

use std::collections::HashMap;
use std::sync::Arc;

use access::{Access, Bodies, Principal, Signed, Visit};
use async_graphql_axum::GraphQLRequest;
use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::handler::Handler;
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::live::Live;
use super::{rest, socket, sse};
use crate::error::{Code, GraphqlError};
use crate::execute::Pipeline;
use crate::request::GraphqlRequest;
use crate::response;

mod body;

use body::Whole;

/// Tells clients which schema answered: another value means that they should look at it again.
pub const SCHEMA_HEADER: HeaderName = HeaderName::from_static("tidegate-schema");

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// What the handlers hold.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) access: Access,
    pub(super) live: Arc<Live>,
    bodies: Bodies,
}

impl FromRef<Shared> for Access {
    fn from_ref(shared: &Shared) -> Self {
        shared.access.clone()
    }
}

/// The gateway's routes.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(
    pipeline: Arc<Pipeline>,
    access: Access,
    bodies: Bodies,
    live: Arc<Live>,
) -> Router<S> {
    Router::new()
        .route("/graphql", get(answer_get).post(execute))
        .route("/data", get(rest::own_messages))
        .with_state(Shared { pipeline, access, live, bodies })
}

/// A GET opens a WebSocket, or brings a query.
async fn answer_get(State(shared): State<Shared>, request: Request) -> Response {
    if socket::is_asked_for(request.headers()) {
        return socket::upgrade(shared, request);
    }
    query.call(request, shared).await
}

async fn execute(
    State(shared): State<Shared>,
    Signed(caller): Signed,
    visit: Visit,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Only a type that a form can't send: a page elsewhere must ask first (CORS), and is not answered.
    if content_type.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/json"))
    {
        let message = format!("Content-Type is {content_type:?}: expected application/json");
        let error = GraphqlError::new(Code::BadRequest, message);
        return refused(&shared, &caller, &headers, StatusCode::UNSUPPORTED_MEDIA_TYPE, &error).await;
    }
    let body = match Whole::read(request, &shared.pipeline.settings, &shared.bodies).await {
        Ok(body) => body,
        Err((status, error)) => return refused(&shared, &caller, &headers, status, &error).await,
    };
    let request = match GraphqlRequest::from_json(&body.bytes) {
        Ok(request) => request,
        Err(error) => return refused(&shared, &caller, &headers, StatusCode::BAD_REQUEST, &error).await,
    };
    if sse::is_asked_for(&shared, &caller, &headers, &request).await {
        return sse::respond(&shared, caller, &Method::POST, &headers, request, &visit).await;
    }
    let answer = shared.pipeline.execute(&caller, &request, false).await;
    respond(&headers, answer)
}

/// A query in the address: `?query=…&operationName=…&variables=…`.
async fn query(
    State(shared): State<Shared>,
    Signed(caller): Signed,
    visit: Visit,
    headers: HeaderMap,
    request: GraphQLRequest,
) -> Response {
    let request = request.into_inner();
    // What only queries may carry needs no more than the numbers of ordinary JSON, so its values may be rendered again.
    let variables = request
        .variables
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), serde_json::value::to_raw_value(value).ok()?)));
    let variables: HashMap<_, _> = variables.collect();
    let request = GraphqlRequest::new(request.query, request.operation_name, variables);
    if sse::is_asked_for(&shared, &caller, &headers, &request).await {
        return sse::respond(&shared, caller, &Method::GET, &headers, request, &visit).await;
    }
    let answer = shared.pipeline.execute(&caller, &request, true).await;
    respond(&headers, answer)
}

fn respond(headers: &HeaderMap, answer: crate::execute::Response) -> Response {
    // A request that was not executed is an HTTP error only to clients that know the newer media type (GraphQL over
    // HTTP, section 6.4); older ones take every status but 200 for a broken connection.
    let status = if answer.executed || !knows_graphql_response(headers) {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    with_headers(&answer.schema_version, headers, status, answer.body)
}

async fn refused(
    shared: &Shared,
    caller: &Principal,
    headers: &HeaderMap,
    status: StatusCode,
    error: &GraphqlError,
) -> Response {
    let body = response::refused(std::slice::from_ref(error)).bytes;
    let mut response = with_headers(&shared.pipeline.version(caller).await, headers, status, body);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// `schema_version` is that of the schema which answered, not of one that came up meanwhile: a client that introspected it
/// must not take it for the newer one.
fn with_headers(schema_version: &str, headers: &HeaderMap, status: StatusCode, body: Vec<u8>) -> Response {
    let kind = if knows_graphql_response(headers) { GRAPHQL_RESPONSE } else { "application/json" };
    let version = HeaderValue::from_str(schema_version).unwrap_or(HeaderValue::from_static("0"));
    let kind = HeaderValue::from_str(&format!("{kind}; charset=utf-8"))
        .unwrap_or(HeaderValue::from_static(GRAPHQL_RESPONSE));
    (status, [(CONTENT_TYPE, kind), (SCHEMA_HEADER, version)], body).into_response()
}

fn knows_graphql_response(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.contains(GRAPHQL_RESPONSE)))
}
