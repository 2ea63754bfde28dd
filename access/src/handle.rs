//! What handlers hold and say: [`Access`] in their state, [`Signed`] among their arguments.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::{AuthError, Principal, Verifier, bearer};

/// The way from a token to a [`Principal`]. Clones share one cache.
#[derive(Clone, Debug)]
pub struct Access(Arc<Verifier>);

impl Access {
    /// Lets in whom `verifier` knows.
    pub fn new(verifier: Verifier) -> Self {
        Self(Arc::new(verifier))
    }

    /// Who sent a request with these headers.
    ///
    /// # Errors
    /// [`AuthError`], which is a response.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, AuthError> {
        self.verify(bearer::token(headers)?)
    }

    /// Whose token this is: for tokens that come another way than in a header.
    ///
    /// # Errors
    /// [`AuthError::InvalidToken`].
    pub fn verify(&self, token: &str) -> Result<Principal, AuthError> {
        self.0.verify(token).map_err(|refusal| {
            // The caller is not told the reason, so this is where to find it.
            tracing::debug!(reason = %refusal, "token refused");
            AuthError::InvalidToken(refusal)
        })
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
        Access::from_ref(state).authenticate(&parts.headers).map(Self)
    }
}
