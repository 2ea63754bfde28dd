//! What handlers hold and say: [`Access`] in their state, [`Signed`] among their arguments.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::{AuthError, Foreign, Principal, Verifier, bearer, verify};

/// The way from a token to a [`Principal`]. Clones share one cache.
#[derive(Clone, Debug)]
pub struct Access(Arc<Issuers>);

#[derive(Debug)]
struct Issuers {
    own: Verifier,
    foreign: Vec<Foreign>,
}

impl Access {
    /// Lets in whom `own` knows, and whom the issuers elsewhere vouch for.
    pub fn new(own: Verifier, foreign: Vec<Foreign>) -> Self {
        Self(Arc::new(Issuers { own, foreign }))
    }

    /// Looks up the keys of issuers elsewhere, by tasks of its own.
    pub fn warm_up(&self) {
        for at in 0..self.0.foreign.len() {
            let issuers = self.0.clone();
            tokio::spawn(async move {
                if let Some(issuer) = issuers.foreign.get(at) {
                    issuer.warm_up().await;
                }
            });
        }
    }

    /// Who sent a request with these headers.
    ///
    /// # Errors
    /// [`AuthError`], which is a response.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, AuthError> {
        self.verify(bearer::token(headers)?).await
    }

    /// Whose token this is: for tokens that come another way than in a header.
    ///
    /// # Errors
    /// [`AuthError::InvalidToken`], and [`AuthError::IssuerAway`].
    pub async fn verify(&self, token: &str) -> Result<Principal, AuthError> {
        let verified = self.0.verify(token).await;
        if let Err(AuthError::InvalidToken(refusal)) = &verified {
            // The caller is not told the reason, so this is where to find it.
            tracing::debug!(reason = %refusal, "token refused");
        }
        verified
    }
}

impl Issuers {
    /// A token that was verified before costs a hash, and another its issuer's judgement: whose it claims to be says no more than
    /// whose keys to try.
    async fn verify(&self, token: &str) -> Result<Principal, AuthError> {
        if self.foreign.is_empty() {
            return self.own.verify(token).map_err(AuthError::InvalidToken);
        }
        let refused = AuthError::InvalidToken;
        let (now, hash) = (self.own.now(), verify::hash(token).map_err(refused)?);
        if let Some(known) = self.own.known(&hash, now).map_err(refused)? {
            return Ok(known);
        }
        for issuer in &self.foreign {
            if let Some(known) = issuer.known(&hash, now).map_err(refused)? {
                return Ok(known);
            }
        }
        let claimed = verify::claimed_issuer(token).map_err(refused)?;
        match self.foreign.iter().find(|issuer| issuer.url() == claimed) {
            Some(issuer) => issuer.verify_new(token, hash, now).await,
            None => self.own.verify_new(token, hash, now).map_err(refused),
        }
    }
}

/// The sender of a request, as an extractor: `Signed(caller): Signed`.
///
/// The state must yield an [`Access`]; without a good token the handler is not run and [`AuthError`] answers.
#[derive(Clone, Debug)]
pub struct Signed(pub Principal);

impl<S> FromRequestParts<S> for Signed
where
    Access: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        Access::from_ref(state).authenticate(&parts.headers).await.map(Self)
    }
}
