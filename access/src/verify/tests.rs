//! Hostile tokens, and what happens to good ones in the course of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::rate::Style;
use crate::{Access, AuthError, Visit};

const NOW: i64 = 1_600_000_000;
const URL: &str = "http://127.0.0.1:4000";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A verifier that knows key 1 as `k1`, and the seconds of its clock.
fn verifier() -> (Verifier, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(NOW));
    let hand = seconds.clone();
    let clock: Clock = Arc::new(move || Timestamp(hand.load(Ordering::Relaxed) * 1_000_000));
    let keys = [verifying("k1", 1, None)];
    (Verifier::new(IssuerName::Embedded, URL, "tidegate", keys, Arc::default(), clock), seconds)
}

fn verifying(id: &str, seed: u8, until: Option<i64>) -> VerifyingKey {
    let until = until.map(|seconds| Timestamp(seconds * 1_000_000));
    VerifyingKey { id: id.into(), public: key(seed).verifying_key().to_bytes(), until }
}

#[test]
fn keys_are_changed_under_way() {
    let (verifier, seconds) = verifier();
    let (before, after) =
        (sign(&key(1), header(), claims()), json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "k2" }));
    let after = sign(&key(2), after, claims());
    assert!(verifier.verify(&before).is_ok());
    assert_eq!(verifier.verify(&after), Err(Refusal::UnknownKey));
    verifier.set_keys(vec![verifying("k2", 2, None), verifying("k1", 1, Some(NOW + 10))], false);
    assert!(verifier.verify(&before).is_ok() && verifier.verify(&after).is_ok());
    let other = sign(&key(1), header(), with(claims(), "jti", json!("2")));
    seconds.store(NOW + 10, Ordering::Relaxed);
    assert_eq!(verifier.verify(&other), Err(Refusal::UnknownKey), "the old key's time is over");
    // What was verified by a key that is dropped is good no more.
    verifier.set_keys(vec![verifying("k2", 2, None)], true);
    assert_eq!(verifier.verify(&before), Err(Refusal::UnknownKey));
    assert!(verifier.verify(&after).is_ok());
}

fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "k1" })
}

fn claims() -> Value {
    json!({
        "iss": URL, "aud": "tidegate", "sub": "app", "client_id": "app", "scope": "data.read openid",
        "iat": NOW, "nbf": NOW, "exp": NOW + 60, "jti": "1",
    })
}

/// `object` with `name` set, or without it where the value is null.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => object.as_object_mut().unwrap().remove(name),
        value => object.as_object_mut().unwrap().insert(name.into(), value),
    };
    object
}

fn b64(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[expect(clippy::needless_pass_by_value, reason = "the cases are written in place")]
fn sign(key: &SigningKey, header: impl ToString, claims: impl ToString) -> String {
    let message = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    format!("{message}.{}", b64(key.sign(message.as_bytes()).to_bytes()))
}

fn good() -> String {
    sign(&key(1), header(), claims())
}

/// HMAC-SHA-256, by its definition: the forger's tool.
fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(b, k)| *b ^= k);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

#[test]
fn a_good_token_says_who_is_asking() {
    let (verifier, _) = verifier();
    for token in [
        good(),
        sign(&key(1), with(header(), "typ", json!("application/AT+JWT")), claims()),
        sign(&key(1), header(), with(claims(), "aud", json!(["other", "tidegate"]))),
        sign(&key(1), header(), with(claims(), "nbf", Value::Null)),
        sign(&key(1), header(), with(claims(), "nbf", json!(NOW + 5))),
        sign(&key(1), header(), with(claims(), "tenant", json!({"any": ["thing"]}))),
    ] {
        let principal = verifier.verify(&token).unwrap();
        assert_eq!((principal.subject(), principal.client_id()), ("app", "app"));
        assert_eq!(principal.roles().to_string(), "data.read");
        assert_eq!(principal.expires_at(), Timestamp((NOW + 60) * 1_000_000));
    }
    let no_scope = sign(&key(1), header(), with(claims(), "scope", Value::Null));
    assert!(verifier.verify(&no_scope).unwrap().roles().is_empty());
}

fn hostile() -> Vec<(&'static str, String, Refusal)> {
    use Refusal::*;
    let head = |name, value| sign(&key(1), with(header(), name, value), claims());
    let claim = |name, value| sign(&key(1), header(), with(claims(), name, value));
    let whole = good();
    let parts: Vec<&str> = whole.split('.').collect();
    let [head_part, claims_part, signature] = parts[..] else { panic!() };
    let own_jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(key(2).verifying_key().to_bytes()) });
    let mut cases = vec![
        (
            "alg none",
            format!("{}.{claims_part}.", b64(with(header(), "alg", json!("none")).to_string())),
            Algorithm,
        ),
        ("alg none, signed", head("alg", json!("none")), Algorithm),
        ("alg missing", head("alg", Value::Null), Algorithm),
        ("alg a number", head("alg", json!(1)), Algorithm),
        ("alg in lower case", head("alg", json!("eddsa")), Algorithm),
        ("alg RS256", head("alg", json!("RS256")), Algorithm),
        ("no typ", head("typ", Value::Null), Type),
        ("typ of an ID token", head("typ", json!("JWT")), Type),
        ("typ of a logout token", head("typ", json!("logout+jwt")), Type),
        ("no kid", head("kid", Value::Null), UnknownKey),
        ("unknown kid", head("kid", json!("k2")), UnknownKey),
        ("kid as a path", head("kid", json!("../../k1")), UnknownKey),
        ("kid a list", head("kid", json!(["k1"])), UnknownKey),
        ("crit", head("crit", json!(["exp"])), Parameter),
        ("crit, empty", head("crit", json!([])), Parameter),
        (
            "crit null",
            sign(&key(1), r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1","crit":null}"#, claims()),
            Parameter,
        ),
        ("jwk of its own", sign(&key(2), with(header(), "jwk", own_jwk), claims()), Parameter),
        ("jku", head("jku", json!("http://evil.example/jwks")), Parameter),
        ("x5u", head("x5u", json!("http://evil.example/cert")), Parameter),
        ("x5c", head("x5c", json!(["AAAA"])), Parameter),
        ("b64 off", head("b64", json!(false)), Parameter),
        (
            "alg twice",
            sign(&key(1), r#"{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"k1"}"#, claims()),
            Claim,
        ),
        ("header a list", sign(&key(1), "[]", claims()), Malformed),
        ("header no JSON", sign(&key(1), "alg", claims()), Malformed),
        ("another's signature", sign(&key(2), header(), claims()), Signature),
        (
            "another's claims",
            format!("{head_part}.{}.{signature}", b64(with(claims(), "sub", json!("admin")).to_string())),
            Signature,
        ),
        ("no signature", format!("{head_part}.{claims_part}."), Signature),
        ("signature of zeros", format!("{head_part}.{claims_part}.{}", b64([0; 64])), Signature),
        ("signature too long", format!("{head_part}.{claims_part}.{}", b64([7; 65])), Signature),
        ("signature no base64", format!("{head_part}.{claims_part}.***"), Malformed),
        ("two parts", format!("{head_part}.{claims_part}"), Malformed),
        ("four parts", format!("{whole}.x"), Malformed),
        ("five parts", format!("{whole}.x.y"), Malformed),
        ("padded", format!("{whole}="), Malformed),
        ("empty", String::new(), Malformed),
        ("dots", "..".into(), Malformed),
        ("not ASCII", "ü.ü.ü".into(), Malformed),
        ("zeros", "\0".repeat(100), Malformed),
        ("16 KiB and a byte", "a".repeat(16 * 1024 + 1), TooLong),
        ("1 MB", claim("pad", json!("x".repeat(1_000_000))), TooLong),
        ("claims a list", sign(&key(1), header(), "[]"), Claim),
        ("claims no JSON", sign(&key(1), header(), "sub"), Claim),
        (
            "sub twice",
            sign(&key(1), header(), claims().to_string().replacen('{', "{\"sub\":\"admin\",", 1)),
            Claim,
        ),
        ("another issuer", claim("iss", json!("http://evil.example")), Claim),
        ("issuer with a slash", claim("iss", json!(format!("{URL}/"))), Claim),
        ("issuer a list", claim("iss", json!([URL])), Claim),
        ("no issuer", claim("iss", Value::Null), Claim),
        ("another audience", claim("aud", json!("other")), Claim),
        ("other audiences", claim("aud", json!(["other"])), Claim),
        ("no audiences", claim("aud", json!([])), Claim),
        ("audience a number", claim("aud", json!(1)), Claim),
        ("no audience", claim("aud", Value::Null), Claim),
        ("no subject", claim("sub", Value::Null), Claim),
        ("empty subject", claim("sub", json!("")), Claim),
        ("subject a number", claim("sub", json!(1)), Claim),
        ("subject as of another issuer", claim("sub", json!("corp/alice")), Claim),
        ("subject with a line break", claim("sub", json!("a\nb")), Claim),
        ("subject too long for a topic", claim("sub", json!("x".repeat(513))), Claim),
        ("no client", claim("client_id", Value::Null), Claim),
        ("scope a list", claim("scope", json!(["data.read"])), Claim),
        ("expired by the leeway", claim("exp", json!(NOW - 5)), Expired),
        ("expired long ago", claim("exp", json!(0)), Expired),
        ("expired by another", sign(&key(2), header(), with(claims(), "exp", json!(0))), Signature),
        (
            "expired elsewhere",
            sign(&key(1), header(), with(with(claims(), "exp", json!(0)), "aud", json!("o"))),
            Claim,
        ),
        ("exp before all time", claim("exp", json!(i64::MIN)), Claim),
        ("no exp", claim("exp", Value::Null), Claim),
        ("exp a text", claim("exp", json!("9999999999")), Claim),
        ("exp beyond all", claim("exp", json!(1e300)), Claim),
        ("not yet valid", claim("nbf", json!(NOW + 6)), NotYetValid),
        ("never valid", claim("nbf", json!(i64::MAX)), NotYetValid),
        ("nbf a text", claim("nbf", json!("soon")), Claim),
    ];
    let confused = with(header(), "alg", json!("HS256"));
    let message = format!("{}.{claims_part}", b64(confused.to_string()));
    let mac = hmac(&key(1).verifying_key().to_bytes(), message.as_bytes());
    cases.push(("HS256 with the public key", format!("{message}.{}", b64(mac)), Algorithm));
    cases
}

#[tokio::test]
async fn hostile_tokens_are_refused_and_told_nothing() {
    let access = Access::new(verifier().0, Vec::new(), None);
    let mut told = std::collections::BTreeMap::<String, usize>::new();
    let cases = hostile();
    for (name, token, expect) in &cases {
        let error = access.verify(token, &Visit::default(), Style::Plain).await.unwrap_err();
        assert_eq!(error, AuthError::InvalidToken(*expect), "{name}");
        *told.entry(error.to_string()).or_default() += 1;
    }
    let expired = cases.iter().filter(|(_, _, refusal)| refusal.is_expired()).count();
    assert_eq!(told.into_values().collect::<Vec<_>>(), [expired, cases.len() - expired]);
}

#[test]
fn a_token_cut_anywhere_is_refused() {
    let (verifier, _) = verifier();
    let whole = good();
    for length in 0..whole.len() {
        assert!(verifier.verify(&whole[..length]).is_err(), "{length}");
    }
    assert!(verifier.verify(&whole).is_ok());
}

#[test]
fn a_remembered_token_ends_like_any_other() {
    let (verifier, seconds) = verifier();
    let token = good();
    for (at, expect) in [(0, Ok(())), (64, Ok(())), (65, Err(Refusal::Expired)), (65, Err(Refusal::Expired))]
    {
        seconds.store(NOW + at, Ordering::Relaxed);
        assert_eq!(verifier.verify(&token).map(|_| ()), expect, "after {at} s");
        assert_eq!(verifier.verified.0.len(), usize::from(expect.is_ok()));
    }
    for _ in 0..3 {
        assert!(verifier.verify("nonsense").is_err());
    }
    assert!(verifier.verified.0.is_empty(), "what is refused is not remembered");
}

#[test]
fn what_is_remembered_is_bounded() {
    let (verifier, _) = verifier();
    for n in 0..remembered::TOKENS_MAX as u64 / 50 {
        verifier.verify(&sign(&key(1), header(), with(claims(), "jti", json!(n.to_string())))).unwrap();
    }
    assert!(verifier.verified.0.len() <= remembered::TOKENS_MAX);
    assert_eq!(verifier.verified.0.capacity(), remembered::TOKENS_MAX as u64);
}
