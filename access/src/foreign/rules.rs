//! What a token of an issuer elsewhere must be, and what it says: pure functions of the token, the keys and the time.

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, Validation, decode};
use schema::Timestamp;
use serde_json::Value;

use super::keys::Keys;
use crate::principal::LEEWAY_MICROS;
use crate::verify::{Header, has_expired, refusal, seconds};
use crate::{Identity, IssuerName, Policy, Principal, Refusal, Roles};

/// Claims that only an ID token has (OpenID Connect Core 1.0, sections 2 and 3.1.3.6): it is for a client, and not for us.
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];
/// Seconds since 1970 beyond which a time is none: the year 5138.
const SECONDS_MAX: f64 = 1e11;

/// What is accepted of one issuer.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) issuer: IssuerName,
    pub(super) url: String,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) types: &'static [Option<&'static str>],
    pub(super) audiences: Vec<String>,
    pub(super) clients: Vec<String>,
    pub(super) client_claims: Vec<String>,
    pub(super) role_claims: Vec<String>,
    pub(super) role_prefix: String,
    pub(super) roles: BTreeMap<String, String>,
    pub(super) required: Vec<(String, String)>,
    pub(super) policy: Arc<Policy>,
}

impl Rules {
    /// The id of the key that a token is signed with, after all that its header alone can be refused for.
    pub(super) fn key_id(&self, token: &str) -> Result<String, Refusal> {
        let Header { typ, alg, kid } = Header::read(token)?;
        if !self.types.contains(&typ.as_deref()) {
            return Err(Refusal::Type);
        }
        if !alg.parse().is_ok_and(|algorithm| self.algorithms.contains(&algorithm)) {
            return Err(Refusal::Algorithm);
        }
        if kid.is_empty() { Err(Refusal::UnknownKey) } else { Ok(kid) }
    }

    /// Whose token it is, given the keys of its issuer. The key decides which algorithms are meant, and never the token.
    pub(super) fn verify(
        &self,
        token: &str,
        kid: &str,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Principal, Refusal> {
        let key = keys.get(kid).ok_or(Refusal::UnknownKey)?;
        let algorithms: Vec<_> =
            key.algorithms.iter().copied().filter(|algorithm| self.algorithms.contains(algorithm)).collect();
        let Some(first) = algorithms.first() else { return Err(Refusal::Algorithm) };
        let mut validation = Validation::new(*first);
        validation.algorithms = algorithms;
        validation.set_issuer(&[&self.url]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        if self.audiences.is_empty() {
            validation.validate_aud = false;
        } else {
            validation.set_audience(&self.audiences);
            validation.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
        }
        // The library reads the system's clock: times are checked below, by ours.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims =
            decode::<Value>(token, &key.key, &validation).map_err(|error| refusal(error.kind()))?.claims;
        self.principal(&claims, now)
    }

    /// Whom claims speak of that are signed.
    pub(super) fn principal(&self, claims: &Value, now: Timestamp) -> Result<Principal, Refusal> {
        // One text: of several, each reader might take another.
        if claims["iss"].as_str() != Some(&self.url) {
            return Err(Refusal::Claim);
        }
        if OF_ID_TOKENS.iter().any(|name| claims.get(name).is_some()) {
            return Err(Refusal::Type);
        }
        let is_there = |(pointer, text): &(String, String)| {
            claims.pointer(pointer).and_then(Value::as_str) == Some(text.as_str())
        };
        if !self.required.iter().all(is_there) {
            return Err(Refusal::Claim);
        }
        let not_before = time(&claims["nbf"])?;
        if not_before.is_some_and(|time| time > now.plus_micros(LEEWAY_MICROS)) {
            return Err(Refusal::NotYetValid);
        }
        let expires_at = time(&claims["exp"])?.ok_or(Refusal::Claim)?;
        if has_expired(expires_at, now) {
            return Err(Refusal::Expired);
        }
        let mut clients = self.client_claims.iter().filter_map(|pointer| claims.pointer(pointer));
        let client = clients.next().and_then(Value::as_str).filter(|client| !client.is_empty());
        let client = client.ok_or(Refusal::Claim)?;
        if !self.clients.is_empty() && !self.clients.iter().any(|accepted| accepted == client) {
            return Err(Refusal::Claim);
        }
        let subject = claims["sub"].as_str().filter(|subject| !subject.is_empty()).ok_or(Refusal::Claim)?;
        let identity = Identity {
            roles: self.roles(claims),
            expires_at,
            issued_at: time(&claims["iat"])?,
            token_id: claims["jti"].as_str().map(ToOwned::to_owned),
            claims: self.claims(claims),
            ..Identity::new(self.issuer.clone(), subject, client)
        };
        Principal::of(identity, &self.policy).map_err(|_| Refusal::Claim)
    }

    /// What its roles come to here. Names that mean nothing here are nothing to us.
    fn roles(&self, claims: &Value) -> Roles {
        let values = self.role_claims.iter().filter_map(|pointer| claims.pointer(pointer));
        let names = values.flat_map(|value| match value {
            Value::String(text) => text.split(' ').collect(),
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        });
        let role = |name| {
            let name = str::strip_prefix(name, &self.role_prefix)?;
            let name = self.roles.get(name).map_or(name, String::as_str);
            self.policy.knows_role(name).then_some(name)
        };
        names.filter_map(role).collect()
    }

    /// What its claims say that rules ask for: texts, whole numbers, and lists of them. Others say nothing.
    fn claims(&self, claims: &Value) -> BTreeMap<String, Vec<String>> {
        let text = |value: &Value| match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
            _ => None,
        };
        let texts = |pointer: &str| match claims.pointer(pointer) {
            Some(Value::Array(list)) => list.iter().filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        };
        self.policy.claims().map(|pointer| (pointer.to_owned(), texts(pointer))).collect()
    }
}

/// A time, in seconds since 1970 (RFC 7519, section 2), if it is there.
fn time(value: &Value) -> Result<Option<Timestamp>, Refusal> {
    match value {
        Value::Null => Ok(None),
        value => {
            let number = value.as_f64().filter(|number| (0.0..SECONDS_MAX).contains(number));
            number.map(|number| Some(seconds(number as i64))).ok_or(Refusal::Claim)
        }
    }
}
