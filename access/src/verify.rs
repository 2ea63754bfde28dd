//! Verifies access tokens (RFC 9068): signature and claims by `jsonwebtoken`, time by the clock that is passed in.
//!
//! The key, never the token, decides which algorithm is meant. Nothing is fetched that a token points to.

use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use quick_cache::sync::Cache;
use schema::{Clock, Timestamp};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::principal::LEEWAY_MICROS;
use crate::{IssuerName, Principal, Roles};

/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// How many verified tokens are remembered.
const CACHED_TOKENS_MAX: usize = 10_000;
/// Header parameters that ask for a key from elsewhere or for rules of which we know nothing.
const REFUSED_PARAMETERS: [&str; 6] = ["crit", "jwk", "jku", "x5u", "x5c", "b64"];

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
    keys: HashMap<String, DecodingKey>,
    clock: Clock,
    verified: Cache<[u8; 32], Principal>,
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
}

impl Verifier {
    /// Verifies tokens that the issuer at `url` signs for `audience` with one of these Ed25519 keys (key id, public
    /// key).
    pub fn new(
        issuer: IssuerName,
        url: &str,
        audience: &str,
        keys: impl IntoIterator<Item = (String, [u8; 32])>,
        clock: Clock,
    ) -> Self {
        let keys = keys.into_iter().map(|(id, public)| (id, DecodingKey::from_ed_der(&public))).collect();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[url]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The library reads the system's clock: times are checked below, by ours.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self { issuer, validation, keys, clock, verified: Cache::new(CACHED_TOKENS_MAX) }
    }

    /// Whose token this is. A token that was verified before costs a hash until it expires.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify(&self, token: &str) -> Result<Principal, Refusal> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let now = (self.clock)();
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(principal) = self.verified.get(&hash) {
            if has_expired(principal.expires_at(), now) {
                self.verified.remove(&hash);
                return Err(Refusal::Expired);
            }
            return Ok(principal);
        }
        let key = self.key_for(token)?;
        let claims =
            decode::<Claims>(token, key, &self.validation).map_err(|error| refusal(error.kind()))?.claims;
        let principal = self.principal(&claims, now)?;
        self.verified.insert(hash, principal.clone());
        Ok(principal)
    }

    fn key_for(&self, token: &str) -> Result<&DecodingKey, Refusal> {
        let encoded = token.split('.').next().unwrap_or_default();
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Refusal::Malformed)?;
        let header: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)?;
        // Whether they are there, not what they say: `"crit": null` is as strange as any other.
        if REFUSED_PARAMETERS.iter().any(|name| header.contains_key(*name)) {
            return Err(Refusal::Parameter);
        }
        let text = |name: &str| header.get(name).and_then(serde_json::Value::as_str);
        let is_access_token = text("typ").is_some_and(|typ| {
            typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt")
        });
        if !is_access_token {
            return Err(Refusal::Type);
        }
        if text("alg") != Some("EdDSA") {
            return Err(Refusal::Algorithm);
        }
        text("kid").and_then(|kid| self.keys.get(kid)).ok_or(Refusal::UnknownKey)
    }

    fn principal(&self, claims: &Claims, now: Timestamp) -> Result<Principal, Refusal> {
        if claims.nbf.is_some_and(|nbf| seconds(nbf) > now.plus_micros(LEEWAY_MICROS)) {
            return Err(Refusal::NotYetValid);
        }
        let expires_at = seconds(claims.exp);
        if has_expired(expires_at, now) {
            return Err(Refusal::Expired);
        }
        let roles = Roles::from_scope(&claims.scope);
        Principal::new(self.issuer.clone(), &claims.sub, &claims.client_id, roles, expires_at)
            .map_err(|_| Refusal::Claim)
    }
}

fn seconds(since_1970: i64) -> Timestamp {
    Timestamp(0).plus_micros(since_1970.saturating_mul(1_000_000))
}

fn has_expired(at: Timestamp, now: Timestamp) -> bool {
    at.plus_micros(LEEWAY_MICROS) <= now
}

fn refusal(error: &jsonwebtoken::errors::ErrorKind) -> Refusal {
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
