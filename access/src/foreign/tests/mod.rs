//! Issuers elsewhere: what their tokens say, hostile ones, settings that can't be used, and how often keys are looked up.

mod lookups;
mod settings;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use schema::{Clock, Timestamp};
use serde_json::{Value, json};

use super::ForeignSettings;
use super::keys::Keys;

/// When all samples are good.
const NOW: i64 = 1_600_000_100;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A key as it is published.
fn jwk(id: &str, seed: u8) -> Value {
    let x = URL_SAFE_NO_PAD.encode(key(seed).verifying_key().to_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": id, "x": x })
}

fn keys(all: &[(&str, u8)]) -> Keys {
    let set: Vec<Value> = all.iter().map(|(id, seed)| jwk(id, *seed)).collect();
    Keys::read(&json!({ "keys": set }))
}

/// A token that `seed`'s key has signed.
fn sign(seed: u8, header: &Value, claims: &Value) -> String {
    let b64 = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", b64(header), b64(claims));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(key(seed).sign(message.as_bytes()).to_bytes()))
}

/// A token of each preset, the settings that go with it, and what it comes to.
fn samples() -> Vec<(&'static str, Value)> {
    let texts = [
        ("standard", include_str!("samples/standard.json")),
        ("cognito", include_str!("samples/cognito.json")),
        ("keycloak", include_str!("samples/keycloak.json")),
        ("entra, version 1", include_str!("samples/entra-v1.json")),
        ("entra, version 2", include_str!("samples/entra-v2.json")),
        ("auth0", include_str!("samples/auth0.json")),
        ("okta", include_str!("samples/okta.json")),
    ];
    texts.map(|(name, text)| (name, serde_json::from_str(text).unwrap())).into()
}

fn settings_of(sample: &Value) -> ForeignSettings {
    serde_json::from_value(sample["settings"].clone()).unwrap()
}

/// A clock, and its seconds.
fn clock() -> (Clock, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(NOW));
    let hand = seconds.clone();
    (Arc::new(move || Timestamp(hand.load(Ordering::Relaxed) * 1_000_000)), seconds)
}
