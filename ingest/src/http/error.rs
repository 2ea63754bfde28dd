//! How a refusal is answered: a status, a word for programs, and one sentence for people.

use access::{AuthError, NoRoom, TooMany};
use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use schema::json::Fault;
use serde::Serialize;
use store::PublishError;

/// After how many seconds a client may try again what could not be taken.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum HttpError {
    /// It may not be made with this token.
    Auth(AuthError),
    /// It can't be served.
    Refused(Refused),
}

/// A refusal of ours.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Messages of the request that are in the log all the same.
    pub(super) accepted: Option<u64>,
    /// When to try again, in seconds; none: when that helps at all, soon.
    pub(super) retry_after: Option<HeaderValue>,
}

/// The error in an answer.
#[derive(Debug, Serialize)]
pub(super) struct ErrorBody<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
}

#[derive(Serialize)]
struct Answer<'a> {
    error: ErrorBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<u64>,
}

impl HttpError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Refused(Refused { status, code, message, accepted: None, retry_after: None })
    }

    /// Something about the request itself is wrong.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// The body is not what the route takes.
    pub(super) fn bad_body(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_json", message)
    }

    /// The body is larger than it may be.
    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!(
            "the request body is larger than {limit} bytes, which is the most that is accepted: send the messages in several requests"
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    /// The body is of a kind that the route does not take.
    pub(super) fn wrong_type(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_content_type", message)
    }

    /// The body stopped coming.
    pub(super) fn timed_out(wait_ms: u128) -> Self {
        let message = format!("no further bytes of the request body came for {wait_ms} ms");
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", message)
    }

    /// Says, too, how many messages of the request were accepted before.
    pub(super) fn after(self, accepted: u64) -> Self {
        match self {
            Self::Refused(refused) => Self::Refused(Refused { accepted: Some(accepted), ..refused }),
            auth @ Self::Auth(_) => auth,
        }
    }
}

impl From<AuthError> for HttpError {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

impl From<TooMany> for HttpError {
    fn from(error: TooMany) -> Self {
        let (status, message) = (StatusCode::TOO_MANY_REQUESTS, error.to_string());
        let retry_after = Some(error.retry_after());
        Self::Refused(Refused { status, code: access::rate::CODE, message, accepted: None, retry_after })
    }
}

impl From<NoRoom> for HttpError {
    fn from(error: NoRoom) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", error.to_string())
    }
}

impl From<PublishError> for HttpError {
    fn from(error: PublishError) -> Self {
        Self::new(status(&error), code(&error), error.to_string())
    }
}

/// The status for a message that was not accepted.
pub(super) fn status(error: &PublishError) -> StatusCode {
    match error {
        PublishError::NotJson(Fault::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
        PublishError::NotJson(_) | PublishError::Unroutable(_) | PublishError::Invalid(_) => {
            StatusCode::BAD_REQUEST
        }
        PublishError::UnknownStream(..) => StatusCode::NOT_FOUND,
        PublishError::Denied(_) => StatusCode::FORBIDDEN,
        PublishError::Elsewhere(_) => StatusCode::MISDIRECTED_REQUEST,
        PublishError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The word for a message that was not accepted.
pub(super) fn code(error: &PublishError) -> &'static str {
    match error {
        PublishError::NotJson(Fault::TooLarge { .. }) => "too_large",
        PublishError::NotJson(_) => "bad_json",
        PublishError::Unroutable(_) => "unroutable",
        PublishError::Invalid(_) => "bad_request",
        PublishError::UnknownStream(..) => "unknown_stream",
        PublishError::Denied(_) => "forbidden",
        PublishError::Elsewhere(_) => "misdirected",
        PublishError::Unavailable(_) => "unavailable",
    }
}

/// Answers with `body`, and tells when to try again where that helps.
pub(super) fn answer(status: StatusCode, body: impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    response
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        match self {
            Self::Auth(error) => error.into_response(),
            Self::Refused(Refused { status, code, message, accepted, retry_after }) => {
                let mut response =
                    answer(status, Answer { error: ErrorBody { code, message: &message }, accepted });
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(RETRY_AFTER, seconds);
                }
                response
            }
        }
    }
}
