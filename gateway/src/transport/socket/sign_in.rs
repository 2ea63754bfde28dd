//! Whose socket it is.

use access::rate::Style;
use access::{Access, AuthError, Principal, Visit};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};

use super::close::Close;

/// Whose token these values of `Authorization` show, judged as headers are judged.
pub(super) async fn by_values(
    access: &Access,
    visit: &Visit,
    values: &[String],
) -> Result<Principal, AuthError> {
    let mut headers = HeaderMap::new();
    for value in values {
        // What can't stand in a header is no token.
        let value = HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("Bearer \""));
        headers.append(AUTHORIZATION, value);
    }
    access.sign_in(&headers, visit, Style::GraphQl).await
}

/// Whose token an upgrade shows, if it shows one.
pub(super) async fn by_upgrade(
    access: &Access,
    visit: &Visit,
    headers: &HeaderMap,
) -> Option<Result<Principal, AuthError>> {
    match access.sign_in(headers, visit, Style::GraphQl).await {
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

/// Whose socket it is once a ping has shown another token: the same caller's, with the same rights, as what runs was let in by these.
/// Where the token can't be judged now, the one before counts as long as it is good.
pub(super) fn renewed(before: Principal, shown: Result<Principal, AuthError>) -> Result<Principal, Close> {
    match shown {
        Ok(shown) if !shown.is_same_caller(&before) => Err(Close::another_caller()),
        Ok(shown) if !shown.has_rights_of(&before) => Err(Close::other_rights()),
        Ok(shown) => Ok(shown),
        Err(AuthError::IssuerAway) => Ok(before),
        Err(error) => Err(Close::refused(&error)),
    }
}
