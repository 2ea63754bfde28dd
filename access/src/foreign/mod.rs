//! Issuers elsewhere: whose tokens are accepted beside our own, by keys that they publish.
//!
//! ```text
//!  [[issuer]] ── settings ─▶ rules ◀── preset          token ─▶ rules: header ─▶ key id
//!                              │                                                   │
//!                              ▼                                                   ▼
//!  principal ◀── signature, claims, time ◀── keys ◀── cache ◀── source: discovery, JWKS
//! ```

mod cache;
mod keys;
mod preset;
mod rules;
mod settings;
mod source;
mod standing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use schema::{Clock, Timestamp};

pub use preset::Preset;
pub use settings::{Environment, ForeignSettings, InvalidIssuer};
pub use standing::{IntrospectionSettings, OnFailure};

use crate::verify::{Remembered, TokenHash, by};
use crate::{AuthError, IssuerName, Policy, Principal, Refusal};
use cache::KeyCache;
use keys::Keys;
use rules::Rules;
use source::Source;
use standing::Standing;

/// An issuer elsewhere.
pub struct Foreign {
    rules: Rules,
    cache: KeyCache,
    source: Source,
    verified: Remembered,
    /// Where it is asked whether it still stands by its tokens.
    standing: Option<Standing>,
}

/// An issuer that can't be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// A setting can't be used.
    #[error(transparent)]
    Setting(#[from] InvalidIssuer),
    /// Two are alike: nobody could tell whose token is whose.
    #[error("there are two issuers of the {0}: each needs its own")]
    Twice(String),
    /// No client for their documents can be made.
    #[error("this machine can't ask issuers for their keys")]
    Client(#[from] reqwest::Error),
}

impl Foreign {
    /// The issuers of these settings, to whose callers `policy` gives rights. Nothing is asked of them yet.
    ///
    /// # Errors
    /// [`ForeignError`].
    pub fn all(
        settings: &[ForeignSettings],
        policy: &Arc<Policy>,
        environment: &Environment<'_>,
        clock: &Clock,
    ) -> Result<Vec<Self>, ForeignError> {
        let mut all: Vec<Self> = Vec::new();
        for one in settings {
            let rules = one.rules(policy)?;
            if all.iter().any(|other| other.rules.issuer == rules.issuer) {
                return Err(ForeignError::Twice(format!("name {:?}", one.name)));
            }
            if all.iter().any(|other| other.rules.url == rules.url) {
                return Err(ForeignError::Twice(format!("url {:?}", one.url)));
            }
            let cache = KeyCache::new(&one.name, one.keys_seconds, one.keys_away_seconds, clock.clone());
            let source = Source::new(&one.url)?;
            let standing = one.secret(environment)?.map(|(settings, secret)| {
                Standing::new(&one.name, settings, secret, source.clone(), clock.clone())
            });
            all.push(Self { rules, cache, source, verified: Remembered::default(), standing });
        }
        Ok(all)
    }

    /// What it is called here.
    pub(crate) fn name(&self) -> &IssuerName {
        &self.rules.issuer
    }

    /// What its tokens name in `iss`.
    pub(crate) fn url(&self) -> &str {
        &self.rules.url
    }

    /// Whose token this is, if it was verified before, and by the keys that its issuer has now: one that it has dropped verifies
    /// nothing any more.
    pub(crate) fn known(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<Principal>, Refusal> {
        let Some(serial) = self.cache.serial() else { return Ok(None) };
        self.verified.get(&by(*hash, serial), now)
    }

    /// Looks its keys up before anybody asks for them, so that what stands in the way is said at the start.
    pub(crate) async fn warm_up(&self) {
        // No key has this id.
        self.keys("").await;
    }

    async fn keys(&self, id: &str) -> Option<Arc<Keys>> {
        self.cache.keys(id, || self.source.clone().keys()).await
    }

    /// Lets a good token pass by which its issuer still stands, where it is asked about that.
    ///
    /// # Errors
    /// [`AuthError::InvalidToken`], and [`AuthError::IssuerAway`].
    pub(crate) async fn stands_by(&self, token: &str, hash: &TokenHash) -> Result<(), AuthError> {
        match &self.standing {
            None => Ok(()),
            Some(standing) => standing.allows(token, hash).await,
        }
    }

    /// Verifies a token that is not known.
    pub(crate) async fn verify_new(
        &self,
        token: &str,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Principal, AuthError> {
        let id = self.rules.key_id(token).map_err(AuthError::InvalidToken)?;
        let keys = self.keys(&id).await.ok_or(AuthError::IssuerAway)?;
        let principal = self.rules.verify(token, &id, &keys, now).map_err(AuthError::InvalidToken)?;
        self.verified.insert(by(hash, keys.serial), &principal);
        Ok(principal)
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreign").field("issuer", &self.rules.issuer).finish_non_exhaustive()
    }
}
