//! Why a request is not let in, and how that is answered (RFC 6750, section 3).

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::rate::Style;
use crate::{Denied, Refusal, TooMany};

const REFUSED: &str = "The access token is not valid here. Get a new one, such as by `tidegate token`.";
const EXPIRED: &str = "The access token has expired. Get a new one, such as by `tidegate token`.";

/// Why a request is not let in. Its text is what the caller is told: of a token that did not prove to be ours, only that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is no bearer token.
    #[error("Send an access token in a header `Authorization: Bearer …`; `tidegate token` prints one.")]
    Missing,
    /// There are several `Authorization` headers.
    #[error("Send one Authorization header, not several.")]
    SeveralHeaders,
    /// The token was refused. The reason is for the log, and is not told.
    #[error("{}", if .0.is_expired() { EXPIRED } else { REFUSED })]
    InvalidToken(Refusal),
    /// Whether the token is good can't be said now.
    #[error("The issuer of this token can't be asked now. Try again in a while.")]
    IssuerAway,
    /// The token is good, and does not entitle to this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Too much came of this caller or address. How the route says so is known here.
    #[error("{0}")]
    TooMany(TooMany, Style),
}

impl AuthError {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Missing | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::SeveralHeaders => StatusCode::BAD_REQUEST,
            Self::IssuerAway => StatusCode::SERVICE_UNAVAILABLE,
            Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::TooMany(..) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// A word for programs: RFC 6750's where it has one.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing_token",
            Self::SeveralHeaders => "invalid_request",
            Self::InvalidToken(_) => "invalid_token",
            Self::IssuerAway => "issuer_away",
            Self::Denied(Denied::MissingRole(_)) => "insufficient_scope",
            Self::Denied(Denied::ForeignTopic { .. } | Denied::Outside { .. }) => "access_denied",
            Self::TooMany(..) => crate::rate::CODE,
        }
    }

    fn challenge(&self) -> Option<String> {
        let realm = "Bearer realm=\"tidegate\"";
        match self {
            // A request that shows no token is told how to sign in, and no error (RFC 6750, section 3.1).
            Self::Missing => Some(realm.to_owned()),
            // No other token of this caller would do, so nothing is asked for.
            Self::Denied(Denied::ForeignTopic { .. } | Denied::Outside { .. })
            | Self::IssuerAway
            | Self::TooMany(..) => None,
            Self::Denied(Denied::MissingRole(role)) => Some(format!(
                "{realm}, error=\"insufficient_scope\", error_description=\"{self}\", scope=\"{role}\""
            )),
            Self::SeveralHeaders | Self::InvalidToken(_) => {
                Some(format!("{realm}, error=\"{}\", error_description=\"{self}\"", self.code()))
            }
        }
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        if let Self::TooMany(refused, style) = self {
            return refused.answer(style);
        }
        let body = Json(json!({ "error": self.code(), "error_description": self.to_string() }));
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self == Self::IssuerAway {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("10"));
        }
        let challenge = self.challenge().and_then(|text| HeaderValue::try_from(text).ok());
        if let Some(challenge) = challenge {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use schema::{StreamName, Topic};

    use super::*;
    use crate::Role;

    #[test]
    fn answers_follow_the_rfc() {
        let foreign = Denied::ForeignTopic {
            stream: StreamName::new("notes").unwrap(),
            own: Topic::new("Jürgen \"x\"").unwrap(),
        };
        for (error, status, challenge) in [
            (AuthError::Missing, 401, "Bearer realm=\"tidegate\""),
            (AuthError::SeveralHeaders, 400, "error=\"invalid_request\""),
            (
                AuthError::InvalidToken(Refusal::Expired),
                401,
                "error_description=\"The access token has expired.",
            ),
            (AuthError::InvalidToken(Refusal::UnknownKey), 401, "error=\"invalid_token\""),
            (AuthError::Denied(Denied::MissingRole(Role::Read)), 403, "scope=\"data.read\""),
            (AuthError::Denied(foreign), 403, ""),
            (AuthError::IssuerAway, 503, ""),
        ] {
            let response = error.clone().into_response();
            assert_eq!(response.status(), status, "{error:?}");
            let header = response.headers().get(WWW_AUTHENTICATE).map_or("", |value| value.to_str().unwrap());
            assert!(
                header.contains(challenge) && challenge.is_empty() == header.is_empty(),
                "{error:?}: {header}"
            );
            assert!(header.is_empty() || header.starts_with("Bearer realm=\"tidegate\""), "{header}");
            assert_eq!(header.matches('"').count() % 2, 0, "{header}");
        }
    }
}
