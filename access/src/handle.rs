//! What handlers hold and say: [`Access`] in their state, [`Signed`] among their arguments.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use tokio::sync::watch;

use crate::rate::Style;
use crate::{
    AuthError, Credentials, Foreign, IssuerName, Principal, Refusal, Visit, bearer, credentials, verify,
};
use verify::{Verifier, VerifyingKey};

/// The way from a token to a [`Principal`]. Clones share one cache.
#[derive(Clone, Debug)]
pub struct Access(Arc<Issuers>);

#[derive(Debug)]
struct Issuers {
    own: Verifier,
    foreign: Vec<Foreign>,
    credentials: Option<Credentials>,
}

impl Access {
    /// Lets in whom `own` knows, whom the issuers elsewhere vouch for, and who has a key among `credentials`; but nobody that
    /// these deny.
    pub(crate) fn new(own: Verifier, foreign: Vec<Foreign>, credentials: Option<Credentials>) -> Self {
        Self(Arc::new(Issuers { own, foreign, credentials }))
    }

    /// API keys and denials, where there are any.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.0.credentials.as_ref()
    }

    /// Whether tokens of an issuer that is called so may be accepted here.
    pub fn knows_issuer(&self, name: &str) -> bool {
        match IssuerName::from_text(name) {
            IssuerName::Embedded | IssuerName::Key => true,
            named => self.0.foreign.iter().any(|issuer| *issuer.name() == named),
        }
    }

    /// Whose token this is, if it is a good one of the embedded issuer.
    pub(crate) fn verify_own(&self, token: &str) -> Option<Principal> {
        self.0.own.verify(token).ok().and_then(|principal| self.0.admit(principal).ok())
    }

    /// From now on, tokens of the embedded issuer are verified by these keys; those that were before are forgotten if it is to drop
    /// them.
    pub(crate) fn set_own_keys(&self, keys: Vec<VerifyingKey>, forget: bool) {
        self.0.own.set_keys(keys, forget);
    }

    /// Is another number after each change of who is let in: then ask [`Access::is_good`] about whoever was.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.credentials.as_ref().map_or_else(|| watch::channel(0).1, Credentials::changes)
    }

    /// Whether whoever was let in would be so now, its token's end aside.
    pub fn is_good(&self, principal: &Principal) -> bool {
        self.0.credentials.as_ref().is_none_or(|credentials| credentials.is_good(principal))
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

    /// Who sent a request with these headers, on this visit.
    ///
    /// # Errors
    /// [`AuthError`], which is a response of the style `style`.
    pub async fn sign_in(
        &self,
        headers: &HeaderMap,
        visit: &Visit,
        style: Style,
    ) -> Result<Principal, AuthError> {
        match bearer::token(headers) {
            Ok(token) => self.verify(token, visit, style).await,
            Err(error) => Err(refused(error, visit)),
        }
    }

    /// Whose token this is: for tokens that come another way than in a header.
    ///
    /// # Errors
    /// [`AuthError::InvalidToken`], [`AuthError::IssuerAway`], and [`AuthError::TooMany`].
    pub async fn verify(&self, token: &str, visit: &Visit, style: Style) -> Result<Principal, AuthError> {
        let verified = self.0.verify(token, visit, style).await;
        verified.and_then(|principal| self.0.admit(principal)).map_err(|error| refused(error, visit))
    }
}

/// Sees to it that a bad token leaves a trace.
fn refused(error: AuthError, visit: &Visit) -> AuthError {
    if let AuthError::InvalidToken(refusal) = &error {
        // The caller is not told the reason, so this is where to find it.
        tracing::debug!(reason = %refusal, "token refused");
        visit.sign_in_failed();
    }
    error
}

impl Issuers {
    /// Lets it in, unless it is denied: asked each time, as its token may be one that was verified before.
    fn admit(&self, principal: Principal) -> Result<Principal, AuthError> {
        match &self.credentials {
            Some(credentials) if credentials.denies(&principal) => {
                Err(AuthError::InvalidToken(Refusal::Denied))
            }
            _ => Ok(principal),
        }
    }

    /// A token that was verified before costs a hash, and another its issuer's judgement, unless too many were refused that came
    /// from there: whose it claims to be says no more than whose keys to try.
    async fn verify(&self, token: &str, visit: &Visit, style: Style) -> Result<Principal, AuthError> {
        let may_try = || visit.may_sign_in().map_err(|many| AuthError::TooMany(many, style));
        if let Some(credentials) = self.credentials.as_ref().filter(|_| credentials::is_key(token)) {
            return match credentials.verify_key(token) {
                Ok(principal) => Ok(principal),
                Err(refusal) => may_try().and(Err(AuthError::InvalidToken(refusal))),
            };
        }
        let refused = AuthError::InvalidToken;
        let (now, hash) = (self.own.now(), verify::hash(token).map_err(refused)?);
        if let Some(known) = self.own.known(&hash, now).map_err(refused)? {
            return Ok(known);
        }
        for issuer in &self.foreign {
            if let Some(known) = issuer.known(&hash, now).map_err(refused)? {
                return issuer.stands_by(token, &hash).await.map(|()| known);
            }
        }
        may_try()?;
        if self.foreign.is_empty() {
            return self.own.verify_new(token, hash, now).map_err(refused);
        }
        let claimed = verify::claimed_issuer(token).map_err(refused)?;
        match self.foreign.iter().find(|issuer| issuer.url() == claimed) {
            Some(issuer) => {
                let principal = issuer.verify_new(token, hash, now).await?;
                issuer.stands_by(token, &hash).await.map(|()| principal)
            }
            None => self.own.verify_new(token, hash, now).map_err(refused),
        }
    }
}

/// The sender of a request, as an extractor: `Signed(caller): Signed`.
///
/// The state must yield an [`Access`]; without a good token, or where too many requests of its caller came, the handler is not run
/// and [`AuthError`] answers.
#[derive(Clone, Debug)]
pub struct Signed(pub Principal);

impl<S> FromRequestParts<S> for Signed
where
    Access: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let style = Style::of(parts.uri.path(), &parts.headers);
        let visit: Visit = parts.extensions.get().cloned().unwrap_or_default();
        let caller = Access::from_ref(state).sign_in(&parts.headers, &visit, style).await?;
        visit.rates().request(&caller).map_err(|many| AuthError::TooMany(many, style))?;
        Ok(Self(caller))
    }
}
