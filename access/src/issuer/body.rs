//! The body of a request to the issuer: short, and soon there. Whoever sends it may be a stranger yet.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;

use super::answers::OAuthError;

/// Longest body, in bytes.
pub(super) const BYTES_MAX: usize = 16 * 1024;

/// How long it may take to come.
const WAIT: Duration = Duration::from_secs(10);

/// A body that came as a whole.
pub(super) struct Whole(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Whole {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &S) -> Result<Self, OAuthError> {
        let read = tokio::time::timeout(WAIT, Bytes::from_request(request, state)).await;
        read.map_err(|_| OAuthError::TooSlow)?.map(Self).map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => OAuthError::TooLong,
            _ => OAuthError::Request("its body did not arrive as a whole"),
        })
    }
}
