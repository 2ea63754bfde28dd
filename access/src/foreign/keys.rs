//! The keys that an issuer publishes (RFC 7517), and what each may be used for.

use std::collections::HashMap;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// Most keys of one issuer.
const KEYS_MAX: usize = 100;

/// The keys of an issuer, by their id.
#[derive(Default)]
pub(super) struct Keys {
    by_id: HashMap<String, Key>,
    /// Tells them from those that were looked up before.
    pub(super) serial: u64,
}

/// One key.
pub(super) struct Key {
    pub(super) key: DecodingKey,
    /// What its kind can be used for, whatever a token says.
    pub(super) algorithms: Vec<Algorithm>,
}

impl Keys {
    /// Reads a set. A key that is strange, for encryption, secret or without an id is left out, and no reason to leave out others.
    pub(super) fn read(set: &Value) -> Self {
        let keys = set["keys"].as_array().into_iter().flatten().take(KEYS_MAX);
        let keys = keys.filter_map(|raw| {
            let jwk: Jwk = serde_json::from_value(raw.clone()).ok()?;
            if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
                return None;
            }
            let algorithms = algorithms(&jwk);
            let key = DecodingKey::from_jwk(&jwk).ok().filter(|_| !algorithms.is_empty())?;
            Some((jwk.common.key_id?, Key { key, algorithms }))
        });
        Self { by_id: keys.collect(), serial: 0 }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Key> {
        self.by_id.get(id)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

/// What a key can be used for: by its kind, and of that only what it names itself, if it does.
fn algorithms(jwk: &Jwk) -> Vec<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let by_kind: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[ES256],
            EllipticCurve::P384 => &[ES384],
            _ => &[],
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[EdDSA],
        _ => &[],
    };
    // One that is for encryption is none of ours.
    let named = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string().parse::<Algorithm>().ok());
    let is_meant = |algorithm: &Algorithm| named.is_none_or(|named| named == Some(*algorithm));
    by_kind.iter().copied().filter(is_meant).collect()
}
