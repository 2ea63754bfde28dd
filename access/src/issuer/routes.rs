//! The issuer's routes, all of them.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};

use super::answers::OAuthError;
use super::{Issuer, body, page, revoke, rotate, token};
use crate::Access;

impl Issuer {
    /// Its routes, to be merged into the server's: `/.well-known/openid-configuration` and `/oauth/…`.
    pub fn router<S>(&self) -> Router<S> {
        Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/oauth/jwks", get(keys))
            .route("/oauth/authorize", get(authorize))
            .route("/oauth/token", post(token::token))
            .route("/oauth/revoke", post(revoke::revoke))
            .route("/oauth/rotate", post(rotate::rotate))
            .route("/oauth/code", post(page::redeem))
            .route("/oauth/codes", post(page::new_code))
            .layer(DefaultBodyLimit::max(body::BYTES_MAX))
            .with_state(self.clone())
    }
}

impl FromRef<Issuer> for Access {
    fn from_ref(issuer: &Issuer) -> Self {
        issuer.access()
    }
}

async fn configuration(State(issuer): State<Issuer>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], issuer.0.keys.load().documents.configuration.clone())
}

async fn keys(State(issuer): State<Issuer>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/jwk-set+json")], issuer.0.keys.load().documents.keys.clone())
}

async fn authorize(State(issuer): State<Issuer>) -> OAuthError {
    OAuthError::ResponseType(format!("{}/oauth/token", issuer.url()))
}
