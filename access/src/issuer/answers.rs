//! What the issuer answers (RFC 6749, section 5): tokens and errors, never to be cached.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderName, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{IssueError, IssuedToken};
use crate::rate::{self, Style};
use crate::{NoRandomness, TooMany};

/// Answers with these must not be kept by anybody on the way.
pub(super) const NO_STORE: [(HeaderName, &str); 2] = [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")];

/// Why a request for a token is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum OAuthError {
    #[error("The request can't be used: {0}.")]
    Request(&'static str),
    #[error("The request is longer than 16 KiB.")]
    TooLong,
    #[error("The request's body did not come within 10 seconds.")]
    TooSlow,
    /// One text for all: which clients there are is not told.
    #[error("There is no such client, or its secret is another.")]
    Client,
    #[error("Ask with grant_type=client_credentials: there is no other grant here.")]
    GrantType,
    #[error(
        "The scope must name some of the client's own roles (data.read, data.write, data.admin), or be left out."
    )]
    Scope,
    #[error("The code was used, has expired or never was. `tidegate page` prints an address with a new one.")]
    Code,
    #[error("Nobody signs in here by a form: ask {0} with grant_type=client_credentials.")]
    ResponseType(String),
    #[error("The token is another client's, who may revoke it.")]
    OthersToken,
    #[error("The token can't be revoked now. Try again in a while.")]
    Unavailable,
    #[error("It can't be done; the server's log says why.")]
    Server,
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

impl OAuthError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Request(_) | Self::TooLong | Self::TooSlow => "invalid_request",
            Self::Client => "invalid_client",
            Self::GrantType => "unsupported_grant_type",
            Self::Scope => "invalid_scope",
            Self::Code => "invalid_grant",
            Self::ResponseType(_) => "unsupported_response_type",
            Self::OthersToken => "unauthorized_client",
            Self::Unavailable => "temporarily_unavailable",
            Self::Server => "server_error",
            Self::TooMany(_) => rate::CODE,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Client => StatusCode::UNAUTHORIZED,
            Self::Server => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Request(_)
            | Self::GrantType
            | Self::Scope
            | Self::Code
            | Self::ResponseType(_)
            | Self::OthersToken => StatusCode::BAD_REQUEST,
        }
    }
}

impl From<IssueError> for OAuthError {
    fn from(error: IssueError) -> Self {
        tracing::error!(error = ?error, "no token could be made");
        Self::Server
    }
}

impl From<NoRandomness> for OAuthError {
    fn from(error: NoRandomness) -> Self {
        IssueError::from(error).into()
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.code(), "error_description": self.to_string() }));
        let response = (self.status(), NO_STORE, body);
        match self {
            // RFC 7009, section 2.2.1.
            Self::Unavailable => ([(RETRY_AFTER, "10")], response).into_response(),
            Self::TooMany(refused) => (NO_STORE, refused.answer(Style::OAuth)).into_response(),
            Self::Client => ([(WWW_AUTHENTICATE, "Basic realm=\"tidegate\"")], response).into_response(),
            _ => response.into_response(),
        }
    }
}

impl IntoResponse for IssuedToken {
    fn into_response(self) -> Response {
        let body = json!({
            "access_token": self.access_token.expose(),
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "scope": self.roles.to_string(),
        });
        (NO_STORE, Json(body)).into_response()
    }
}
