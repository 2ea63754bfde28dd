//! `GET /data`: a caller's own messages, without GraphQL.

use std::io::Write;

use access::{Action, Denied, Principal, Signed, policy};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use schema::{PageCursor, StreamName, TimeRange, Timestamp, TopicRule};
use serde::Deserialize;

use super::http::Shared;
use crate::error::{Code, GraphqlError};
use crate::execute::{Ask, Pipeline, cursor, read};

/// The stream of `/data`.
const STREAM: &str = "data";

/// The parameters of `GET /data`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    from: Option<String>,
    to: Option<String>,
    last: Option<String>,
    before: Option<String>,
}

/// The caller's newest messages, oldest first; `before` is the cursor of the page that follows this one.
pub(super) async fn own_messages(
    State(shared): State<Shared>,
    Signed(caller): Signed,
    parameters: Result<Query<Parameters>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let pipeline = &shared.pipeline;
    if let Err(denied) = may_read(pipeline, &caller) {
        return access::AuthError::from(denied).into_response();
    }
    let answer = async {
        let Query(parameters) = parameters.map_err(|error| bad(error.body_text()))?;
        let stream = StreamName::new(STREAM).map_err(|error| bad(error.to_string()))?;
        let time = |name: &str, text: &Option<String>, default| match text {
            None => Ok(default),
            Some(text) => Timestamp::from_request(text, (pipeline.clock)())
                .map_err(|error| bad(format!("{name}: {error}"))),
        };
        let most = pipeline.settings.page_rows_max;
        let rows = match &parameters.last {
            None => pipeline.settings.page_rows,
            Some(text) => text.parse().ok().filter(|rows| (1..=most).contains(rows)).ok_or_else(|| {
                let shown: String = text.chars().take(80).collect();
                bad(format!("last is {shown}, and must be from 1 to {most}"))
            })?,
        };
        let before = parameters.before.as_deref().map(|text| PageCursor::decode(text, &stream)).transpose();
        let ask = Ask {
            topics: vec![caller.own_topic().clone()],
            range: TimeRange {
                from: time("from", &parameters.from, TimeRange::ALL.from)?,
                to: time("to", &parameters.to, TimeRange::ALL.to)?,
            },
            last: true,
            rows,
            after: None,
            before: before.map_err(|error| bad(format!("before: {error}")))?,
        };
        let page = read(&ask, &stream, &*pipeline.store, true, pipeline.settings.response_bytes).await?;
        let mut body = Vec::from(&b"{\"messages\":["[..]);
        for (at, row) in page.rows.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            // Writing to memory does not fail. Times and positions need no escapes.
            let _ = write!(
                body,
                "{comma}{{\"time\":\"{}\",\"arrivedAt\":\"{}\",\"position\":\"{}\",\"data\":",
                row.time, row.arrived_at, row.position
            );
            body.extend_from_slice(&row.raw);
            body.push(b'}');
        }
        let earlier = page.rows.first().filter(|_| page.more).map(|row| cursor(row, &stream));
        let _ = write!(
            body,
            "],\"before\":{}}}",
            earlier.map_or("null".to_owned(), |cursor| format!("\"{cursor}\""))
        );
        Ok(body)
    };
    match answer.await {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => failed(&error),
    }
}

/// Whether `caller` may read its own messages, as they are.
fn may_read(pipeline: &Pipeline, caller: &Principal) -> Result<(), Denied> {
    let Ok(stream) = StreamName::new(STREAM) else { return Ok(()) };
    let snapshot = pipeline.snapshots.current();
    let known = snapshot.stream(STREAM).map(|view| view.stream().topic.clone());
    let (rule, topic) = (known.unwrap_or(TopicRule::Caller), caller.own_topic());
    policy::check(caller, &Action::ReadTopic { stream: &stream, rule: &rule, topic })?;
    match policy::sees(caller, &stream) {
        Some(hidden) if hidden.is_empty() => Ok(()),
        _ => {
            let what = "whole messages, of which some fields are hidden: query them by /graphql".to_owned();
            Err(Denied::Outside { stream, what })
        }
    }
}

fn bad(message: impl Into<String>) -> GraphqlError {
    GraphqlError::new(Code::BadUserInput, message)
}

fn failed(error: &GraphqlError) -> Response {
    let (status, code) = match error.code {
        Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        _ => (StatusCode::BAD_REQUEST, "bad_request"),
    };
    let body = serde_json::json!({ "error": { "code": code, "message": error.message } });
    (status, axum::Json(body)).into_response()
}
