//! Whose socket it is.

use access::{Access, AuthError, Principal};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};

use super::close::Close;

/// Whose token these values of `Authorization` show, judged as headers are judged.
pub(super) async fn by_values(access: &Access, values: &[String]) -> Result<Principal, AuthError> {
    let mut headers = HeaderMap::new();
    for value in values {
        // What can't stand in a header is no token.
        let value = HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("Bearer \""));
        headers.append(AUTHORIZATION, value);
    }
    access.authenticate(&headers).await
}

/// Whose token an upgrade shows, if it shows one.
pub(super) async fn by_upgrade(access: &Access, headers: &HeaderMap) -> Option<Result<Principal, AuthError>> {
    match access.authenticate(headers).await {
        Err(AuthError::Missing) => None,
        shown => Some(shown),
    }
}

/// Whose socket it is, by what the upgrade and `connection_init` showed.
pub(super) fn who(
    upgrade: Option<Result<Principal, AuthError>>,
    shown: Option<Result<Principal, AuthError>>,
) -> Result<Principal, Close> {
    let refused = |error| Close::refused(&error);
    let upgrade = upgrade.transpose().map_err(refused)?;
    match (shown.transpose().map_err(refused)?, upgrade) {
        (Some(shown), Some(upgrade)) if !shown.is_same_caller(&upgrade) => Err(Close::two_callers()),
        (Some(principal), _) | (None, Some(principal)) => Ok(principal),
        (None, None) => Err(Close::refused(&AuthError::Missing)),
    }
}
