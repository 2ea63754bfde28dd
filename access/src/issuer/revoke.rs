//! `POST /oauth/revoke`: a client gives a token up before its end (RFC 7009).

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::Issuer;
use super::answers::{NO_STORE, OAuthError};
use super::body::Whole;
use super::form::Form;
use crate::credentials::Share;
use crate::{CredentialError, DenialTarget, Visit};

pub(super) async fn revoke(
    State(issuer): State<Issuer>,
    visit: Visit,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Result<Response, OAuthError> {
    let form = Form::read(&headers, &body)?;
    let credentials = form.credentials(&headers)?;
    let client = issuer.sign_in(&visit, &credentials)?;
    let token = form.get("token").ok_or(OAuthError::Request("token is missing"))?;
    // Section 2.2: a token that is no good has what its client wants.
    let done = || (NO_STORE, ()).into_response();
    let Some(bearer) = issuer.0.access.verify_own(token) else { return Ok(done()) };
    if bearer.client_id() != client.id {
        return Err(OAuthError::OthersToken);
    }
    let (Some(denials), Some(id)) = (issuer.0.access.credentials(), bearer.token_id()) else {
        return Err(OAuthError::Unavailable);
    };
    let target = DenialTarget::Token { issuer: bearer.issuer().as_str().into(), id: id.into() };
    // Once it has expired, nothing needs to be known of it.
    let (reason, until) = ("given up by its client", bearer.accepted_until());
    match denials.deny_within(Share::Most, target, reason, Some(until), &bearer).await {
        Ok(_) => Ok(done()),
        Err(error @ (CredentialError::Store(_) | CredentialError::Busy | CredentialError::Full(..))) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a token was not revoked");
            Err(OAuthError::Unavailable)
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a token can't be revoked");
            Err(OAuthError::Server)
        }
    }
}
