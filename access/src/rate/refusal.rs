//! One too many, and how that is answered.

use std::time::Duration;

use axum::Json;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What there is too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Excess {
    /// Requests of a principal.
    Requests,
    /// Requests of an address.
    AddressRequests,
    /// Sign-ins of an address that failed.
    FailedSignIns,
    /// Messages of a principal.
    Messages,
    /// Bytes of them.
    Bytes,
    /// Subscriptions of a principal.
    Subscriptions,
}

impl Excess {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Requests,
        Self::AddressRequests,
        Self::FailedSignIns,
        Self::Messages,
        Self::Bytes,
        Self::Subscriptions,
    ];

    /// A word for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::AddressRequests => "address_requests",
            Self::FailedSignIns => "failed_sign_ins",
            Self::Messages => "messages",
            Self::Bytes => "bytes",
            Self::Subscriptions => "subscriptions",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Requests => "too many requests of this caller",
            Self::AddressRequests => "too many requests of this address",
            Self::FailedSignIns => "too many failed sign-ins of this address",
            Self::Messages => "too many messages of this caller",
            Self::Bytes => "too many bytes of messages of this caller",
            Self::Subscriptions => "too many subscriptions of this caller run: end some",
        }
    }
}

/// A refusal for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: try again in {} s", excess.sentence(), self.seconds())]
pub struct TooMany {
    pub(super) excess: Excess,
    /// How long it is until it would pass.
    pub(super) wait: Duration,
}

/// The word for programs.
pub const CODE: &str = "rate_limited";

impl TooMany {
    /// When to try again, in whole seconds: at least 1, and never too soon.
    pub fn seconds(self) -> u64 {
        let more = u64::from(self.wait.subsec_nanos() > 0);
        (self.wait.as_secs() + more).max(1)
    }

    /// The header that says so.
    pub fn retry_after(self) -> HeaderValue {
        self.seconds().into()
    }

    /// The answer, in the words of the other errors of a route.
    pub fn answer(self, style: Style) -> Response {
        let message = self.to_string();
        let body = match style {
            Style::GraphQl | Style::GraphQlResponse => {
                json!({ "errors": [{ "message": message, "extensions": { "code": "RATE_LIMITED" } }] })
            }
            Style::OAuth => json!({ "error": CODE, "error_description": message }),
            Style::Plain => json!({ "error": { "code": CODE, "message": message } }),
        };
        let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response();
        response.headers_mut().insert(RETRY_AFTER, self.retry_after());
        if style == Style::GraphQlResponse {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(GRAPHQL_RESPONSE));
        }
        response
    }
}

/// How a route says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As GraphQL errors, in JSON.
    GraphQl,
    /// As GraphQL errors, by the media type of GraphQL over HTTP.
    GraphQlResponse,
    /// As RFC 6749 does.
    OAuth,
    /// A code and a message.
    Plain,
}

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

impl Style {
    /// That of the route `path`, for a client that sent these headers.
    pub fn of(path: &str, headers: &HeaderMap) -> Self {
        let knows = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains(GRAPHQL_RESPONSE));
        match path {
            "/graphql" if headers.get_all(ACCEPT).iter().any(knows) => Self::GraphQlResponse,
            "/graphql" => Self::GraphQl,
            path if path.starts_with("/oauth/") => Self::OAuth,
            _ => Self::Plain,
        }
    }
}
