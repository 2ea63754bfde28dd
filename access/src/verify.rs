//! Verifies access tokens (RFC 9068): signature and claims by `jsonwebtoken`, time by the clock that is passed in.
//!
//! The key, never the token, decides which algorithm is meant. Nothing is fetched that a token points to.

mod header;
mod remembered;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use schema::{Clock, Timestamp};
use serde::Deserialize;

pub(crate) use header::{Header, claimed_issuer};
pub(crate) use remembered::{Remembered, TOKENS_MAX, TokenHash, by, hash};

use crate::principal::LEEWAY_MICROS;
use crate::{Identity, IssuerName, Policy, Principal};

/// The type of an access token (RFC 9068, section 2.1).
pub(crate) const ACCESS_TOKEN: &str = "at+jwt";

/// Why a token is refused. For logs and tests: the caller learns of [`Refusal::Expired`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is longer than 16 KiB.
    #[error("longer than 16 KiB")]
    TooLong,
    /// It is not a token in form.
    #[error("not a token in form")]
    Malformed,
    /// Its type is not `at+jwt`: an ID token, say.
    #[error("its type is not at+jwt")]
    Type,
    /// Its header asks for something that is never granted, such as a key of its own.
    #[error("its header has a parameter that is not accepted")]
    Parameter,
    /// It names no key, or one that is not known.
    #[error("it names no key that is known")]
    UnknownKey,
    /// It names an algorithm that its key is not for.
    #[error("its algorithm is not its key's")]
    Algorithm,
    /// Its signature is not good.
    #[error("its signature is not good")]
    Signature,
    /// A claim is missing, malformed or not what it has to be.
    #[error("a claim is missing or wrong")]
    Claim,
    /// It is not valid yet.
    #[error("it is not valid yet")]
    NotYetValid,
    /// It is good, and somebody has denied it.
    #[error("it is denied")]
    Denied,
    /// It was good, and has expired.
    #[error("it has expired")]
    Expired,
}

impl Refusal {
    /// Whether a new token of the same client would do. Said only of tokens that were good.
    pub fn is_expired(self) -> bool {
        self == Self::Expired
    }
}

/// Verifies the tokens of one issuer.
pub struct Verifier {
    issuer: IssuerName,
    validation: Validation,
    keys: ArcSwap<Keys>,
    policy: Arc<Policy>,
    clock: Clock,
    verified: Remembered,
}

/// A key that verifies: Ed25519.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VerifyingKey {
    /// Its name.
    pub(crate) id: String,
    /// Its public half.
    pub(crate) public: [u8; 32],
    /// When it verifies no more, if it signs no more.
    pub(crate) until: Option<Timestamp>,
}

/// Keys by their ids.
struct Keys {
    /// What they verified is remembered by it: another number, and nothing is.
    serial: u64,
    by_id: HashMap<String, (DecodingKey, Option<Timestamp>)>,
}

impl Keys {
    fn new(serial: u64, keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        let key = |key: VerifyingKey| (key.id, (DecodingKey::from_ed_der(&key.public), key.until));
        Self { serial, by_id: keys.into_iter().map(key).collect() }
    }
}

/// What is taken from a token. Twice the same claim is an error, and so is one of another type.
#[derive(Deserialize)]
struct Claims {
    // The value is checked by `Validation`; here it has to be one text, as a list would pass there.
    #[serde(rename = "iss")]
    _issuer: String,
    sub: String,
    client_id: String,
    #[serde(default)]
    scope: String,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    jti: Option<String>,
}

impl Verifier {
    /// Verifies tokens that the issuer at `url` signs for `audience` with one of these Ed25519 keys, to whose bearers `policy` gives
    /// rights.
    pub(crate) fn new(
        issuer: IssuerName,
        url: &str,
        audience: &str,
        keys: impl IntoIterator<Item = VerifyingKey>,
        policy: Arc<Policy>,
        clock: Clock,
    ) -> Self {
        let keys = ArcSwap::from_pointee(Keys::new(0, keys));
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[url]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The library reads the system's clock: times are checked below, by ours.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self { issuer, validation, keys, policy, clock, verified: Remembered::default() }
    }

    /// Whose token this is. A token that was verified before costs a hash until it expires.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify(&self, token: &str) -> Result<Principal, Refusal> {
        let (now, hash) = ((self.clock)(), hash(token)?);
        match self.known(&hash, now)? {
            Some(principal) => Ok(principal),
            None => self.verify_new(token, hash, now),
        }
    }

    /// The time by its clock.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Whose token this is, if it was verified before.
    pub(crate) fn known(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<Principal>, Refusal> {
        self.verified.get(&by(*hash, self.keys.load().serial), now)
    }

    /// Verifies by these keys from now on. What was verified before is to be verified again where the ones before are dropped.
    pub(crate) fn set_keys(&self, keys: Vec<VerifyingKey>, forget: bool) {
        let serial = self.keys.load().serial + u64::from(forget);
        self.keys.store(Arc::new(Keys::new(serial, keys)));
    }

    /// Verifies a token that is not known.
    pub(crate) fn verify_new(
        &self,
        token: &str,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Principal, Refusal> {
        let keys = self.keys.load();
        let key = key_for(&keys, token, now)?;
        let claims =
            decode::<Claims>(token, key, &self.validation).map_err(|error| refusal(error.kind()))?.claims;
        let principal = self.principal(claims, now)?;
        self.verified.insert(by(hash, keys.serial), &principal);
        Ok(principal)
    }

    fn principal(&self, claims: Claims, now: Timestamp) -> Result<Principal, Refusal> {
        if claims.nbf.is_some_and(|nbf| seconds(nbf) > now.plus_micros(LEEWAY_MICROS)) {
            return Err(Refusal::NotYetValid);
        }
        let expires_at = seconds(claims.exp);
        if has_expired(expires_at, now) {
            return Err(Refusal::Expired);
        }
        let identity = Identity {
            // Names that mean nothing here are nothing to us.
            roles: claims.scope.split(' ').filter(|name| self.policy.knows_role(name)).collect(),
            expires_at,
            issued_at: claims.iat.map(seconds),
            token_id: claims.jti,
            ..Identity::new(self.issuer.clone(), &claims.sub, &claims.client_id)
        };
        Principal::of(identity, &self.policy).map_err(|_| Refusal::Claim)
    }
}

fn key_for<'k>(keys: &'k Keys, token: &str, now: Timestamp) -> Result<&'k DecodingKey, Refusal> {
    let Header { typ, alg, kid } = Header::read(token)?;
    if typ.as_deref() != Some(ACCESS_TOKEN) {
        return Err(Refusal::Type);
    }
    if alg != "EdDSA" {
        return Err(Refusal::Algorithm);
    }
    let (key, until) = keys.by_id.get(&kid).ok_or(Refusal::UnknownKey)?;
    if until.is_some_and(|until| until <= now) { Err(Refusal::UnknownKey) } else { Ok(key) }
}

pub(crate) fn seconds(since_1970: i64) -> Timestamp {
    Timestamp(0).plus_micros(since_1970.saturating_mul(1_000_000))
}

pub(crate) fn has_expired(at: Timestamp, now: Timestamp) -> bool {
    at.plus_micros(LEEWAY_MICROS) <= now
}

pub(crate) fn refusal(error: &jsonwebtoken::errors::ErrorKind) -> Refusal {
    use jsonwebtoken::errors::ErrorKind;
    match error {
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::InvalidToken | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => Refusal::Malformed,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => Refusal::Algorithm,
        _ => Refusal::Claim,
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
