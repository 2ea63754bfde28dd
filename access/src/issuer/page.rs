//! How the page is signed in: a one-time code for a token (`POST /oauth/code`), and a new code for whoever may read
//! the context file (`POST /oauth/codes`, used by `tidegate page`).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::answers::{NO_STORE, OAuthError};
use super::body::Whole;
use super::{DEVELOPMENT_CLIENT, Grant, IssuedToken, Issuer, PAGE_CLIENT};
use crate::{IssuerName, Roles, Secret, Signed, Visit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeRequest {
    code: Secret,
}

/// A page's code for a token of the development client's.
pub(super) async fn redeem(
    State(issuer): State<Issuer>,
    visit: Visit,
    Whole(body): Whole,
) -> Result<IssuedToken, OAuthError> {
    let request: CodeRequest =
        serde_json::from_slice(&body).map_err(|_| OAuthError::Request("expected JSON: {\"code\": \"…\"}"))?;
    visit.may_sign_in()?;
    if !issuer.codes().redeem(request.code.expose(), issuer.now()) {
        visit.sign_in_failed();
        return Err(OAuthError::Code);
    }
    let seconds = issuer.0.settings.page_token_seconds.get();
    let grant = Grant { subject: DEVELOPMENT_CLIENT, client_id: PAGE_CLIENT, roles: Roles::ALL, seconds };
    Ok(issuer.issue(&grant)?)
}

/// A fresh code, for the development client only.
pub(super) async fn new_code(
    State(issuer): State<Issuer>,
    Signed(caller): Signed,
) -> Result<Response, OAuthError> {
    let is_development = *caller.issuer() == IssuerName::Embedded && caller.client_id() == DEVELOPMENT_CLIENT;
    let code = if is_development { issuer.page_code()? } else { None };
    let Some(code) = code else {
        let body = json!({
            "error": "access_denied",
            "error_description": "Only the development client of a server on loopback gets codes for the page.",
        });
        return Ok((StatusCode::FORBIDDEN, NO_STORE, Json(body)).into_response());
    };
    let body = json!({ "code": code.expose(), "expires_in": issuer.0.settings.page_code_seconds });
    Ok((NO_STORE, Json(body)).into_response())
}
