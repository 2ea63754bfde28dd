//! `POST /oauth/token`: client credentials for a token (RFC 6749, section 4.4).

use axum::extract::State;
use axum::http::HeaderMap;

use super::answers::OAuthError;
use super::body::Whole;
use super::form::Form;
use super::{Client, Grant, IssuedToken, Issuer};
use crate::{Roles, Visit};

pub(super) async fn token(
    State(issuer): State<Issuer>,
    visit: Visit,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Result<IssuedToken, OAuthError> {
    let form = Form::read(&headers, &body)?;
    let credentials = form.credentials(&headers)?;
    let client = issuer.sign_in(&visit, &credentials)?;
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(OAuthError::GrantType),
        None => return Err(OAuthError::Request("grant_type is missing")),
    }
    let roles = wanted(&client, form.get("scope"))?;
    // RFC 9068, section 2.2: where no person is involved, the subject is the client.
    let grant = Grant {
        subject: &client.id,
        client_id: &client.id,
        roles,
        seconds: issuer.0.settings.token_seconds.get(),
    };
    Ok(issuer.issue(&grant)?)
}

/// The roles that `scope` names, all of which the client must have; all of its own without one.
fn wanted(client: &Client, scope: Option<&str>) -> Result<Roles, OAuthError> {
    let Some(scope) = scope else { return Ok(client.roles.clone()) };
    let roles = Roles::from_scope(scope);
    let has = !roles.is_empty() && client.roles.contains_all(&roles);
    has.then_some(roles).ok_or(OAuthError::Scope)
}
