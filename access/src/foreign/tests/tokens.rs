//! Tokens, good and hostile, held against the rules of each preset.

use std::collections::BTreeSet;

use super::*;
use crate::{Principal, Refusal};

fn verify(settings: &ForeignSettings, token: &str) -> Result<Principal, Refusal> {
    let rules = settings.rules(&Arc::default()).unwrap();
    let id = rules.key_id(token)?;
    rules.verify(token, &id, &keys(&[("k1", 1), ("k2", 2)]), Timestamp(NOW * 1_000_000))
}

#[test]
fn a_token_of_each_preset_says_who_is_asking() {
    for (name, sample) in samples() {
        let settings = settings_of(&sample);
        let token = sign(1, &sample["header"], &sample["claims"]);
        let principal = verify(&settings, &token).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let expect = &sample["expect"];
        assert_eq!(principal.subject(), expect["subject"], "{name}");
        assert_eq!(principal.client_id(), expect["client"], "{name}");
        assert_eq!(principal.roles().to_string(), expect["roles"], "{name}");
        assert_eq!(principal.own_topic().as_str(), format!("corp/{}", expect["subject"].as_str().unwrap()));
        assert_eq!(principal.expires_at().0 / 1_000_000, sample["claims"]["exp"].as_i64().unwrap(), "{name}");
    }
}

/// What is done to a good token, and what it is refused for.
fn hostile(sample: &Value) -> Vec<(&'static str, String, Refusal)> {
    use Refusal::{
        Algorithm, Claim, Expired, Malformed, NotYetValid, Parameter, Signature, Type, UnknownKey,
    };
    let (header, claims) = (&sample["header"], &sample["claims"]);
    let with = |value: &Value, name: &str, new: Value| {
        let mut value = value.clone();
        match new {
            Value::Null => value.as_object_mut().unwrap().remove(name),
            new => value.as_object_mut().unwrap().insert(name.into(), new),
        };
        value
    };
    let head = |name, new| sign(1, &with(header, name, new), claims);
    let claim = |name, new| sign(1, header, &with(claims, name, new));
    let good = sign(1, header, claims);
    let parts: Vec<&str> = good.split('.').collect();
    let other = sign(1, header, &with(claims, "sub", json!("root")));
    let swapped = format!("{}.{}.{}", parts[0], other.split('.').nth(1).unwrap(), parts[2]);
    let seconds = |number: i64| json!(NOW + number);
    vec![
        ("no signature", format!("{}.{}.", parts[0], parts[1]), Signature),
        ("four parts", format!("{good}.x"), Malformed),
        ("another payload", swapped, Signature),
        ("signed by another's key", sign(3, header, claims), Signature),
        ("a key that is not for it", head("kid", json!("k2")), Signature),
        ("no key", head("kid", Value::Null), UnknownKey),
        ("an unknown key", head("kid", json!("../../k1")), UnknownKey),
        ("alg none", head("alg", json!("none")), Algorithm),
        ("HS256", head("alg", json!("HS256")), Algorithm),
        ("another algorithm than the key's", head("alg", json!("RS256")), Algorithm),
        ("a type of something else", head("typ", json!("logout+jwt")), Type),
        ("a type that is no text", head("typ", json!(1)), Type),
        ("crit", head("crit", json!(["exp"])), Parameter),
        ("a key of its own", head("jwk", jwk("k1", 3)), Parameter),
        ("a key from elsewhere", head("jku", json!("https://evil.example/keys")), Parameter),
        ("a certificate from elsewhere", head("x5u", json!("https://evil.example/cert")), Parameter),
        ("another issuer", claim("iss", json!("https://evil.example")), Claim),
        ("a slash more", claim("iss", json!(format!("{}/", claims["iss"].as_str().unwrap()))), Claim),
        ("several issuers", claim("iss", json!([claims["iss"], "x"])), Claim),
        ("no subject", claim("sub", Value::Null), Claim),
        ("an empty subject", claim("sub", json!("")), Claim),
        ("expired by a second", claim("exp", seconds(-6)), Expired),
        ("no end", claim("exp", Value::Null), Claim),
        ("an end that is text", claim("exp", json!("9999999999")), Claim),
        ("an end before 1970", claim("exp", json!(-1)), Claim),
        ("an end beyond all time", claim("exp", json!(1e300)), Claim),
        ("not yet valid", claim("nbf", seconds(60)), NotYetValid),
        ("a beginning that is text", claim("nbf", json!("soon")), Claim),
        ("an ID token", claim("nonce", json!("n-0S6_WzA2Mj")), Type),
        ("an ID token", claim("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ")), Type),
    ]
}

#[test]
fn hostile_tokens_are_refused_whoever_they_pretend_to_be_of() {
    for (preset, sample) in samples() {
        let settings = settings_of(&sample);
        for (name, token, expect) in hostile(&sample) {
            assert_eq!(verify(&settings, &token), Err(expect), "{preset}: {name}");
        }
        let good = sign(1, &sample["header"], &sample["claims"]);
        for length in 0..good.len() {
            assert!(verify(&settings, &good[..length]).is_err(), "{preset}: cut at {length}");
        }
    }
}

#[test]
fn what_a_preset_asks_for_must_be_there() {
    let without = |name: &str, pointer: &str| {
        let (_, sample) = samples().into_iter().find(|(of, _)| *of == name).unwrap();
        let mut claims = sample["claims"].clone();
        claims.as_object_mut().unwrap().remove(pointer);
        verify(&settings_of(&sample), &sign(1, &sample["header"], &claims))
    };
    for (name, claim) in [
        ("standard", "client_id"),
        ("standard", "aud"),
        ("cognito", "token_use"),
        ("cognito", "client_id"),
        ("keycloak", "typ"),
        ("keycloak", "aud"),
        ("entra, version 1", "appid"),
        ("entra, version 1", "tid"),
        ("entra, version 2", "azp"),
        ("auth0", "azp"),
        ("okta", "cid"),
        ("okta", "aud"),
    ] {
        assert_eq!(without(name, claim), Err(Refusal::Claim), "{name} without {claim}");
    }
    // No role is no right, and no error.
    assert!(without("okta", "scp").unwrap().roles().is_empty());
}

#[test]
fn roles_come_as_text_or_list_by_their_own_names_and_prefix() {
    let (_, mut sample) = samples().remove(0);
    sample["settings"]["role_claims"] = json!(["/scope", "/deep/er"]);
    sample["settings"]["role_prefix"] = json!("tg:");
    sample["settings"]["roles"] = json!({ "reader": "data.read", "data.admin": "data.write" });
    let roles = |scope: Value, deeper: Value| {
        let mut claims = sample["claims"].clone();
        (claims["scope"], claims["deep"]) = (scope, json!({ "er": deeper }));
        let token = sign(1, &sample["header"], &claims);
        verify(&settings_of(&sample), &token).unwrap().roles().to_string()
    };
    assert_eq!(roles(json!("tg:reader"), json!([])), "data.read");
    assert_eq!(
        roles(json!("reader data.read"), json!(["data.admin"])),
        "",
        "without the prefix they are others'"
    );
    assert_eq!(roles(json!(["tg:data.read", 7, null]), json!("tg:data.admin")), "data.read data.write");
    assert_eq!(roles(json!(7), json!({ "tg:reader": true })), "");
}

#[test]
fn only_clients_that_are_named_are_let_in() {
    let (_, mut sample) = samples().remove(0);
    let token = sign(1, &sample["header"], &sample["claims"]);
    sample["settings"]["clients"] = json!(["other", "s6BhdRkqt3_"]);
    assert!(verify(&settings_of(&sample), &token).is_ok());
    sample["settings"]["clients"] = json!(["other"]);
    assert_eq!(verify(&settings_of(&sample), &token), Err(Refusal::Claim));
}

#[test]
fn one_strange_key_spoils_no_other() {
    let set = json!({ "keys": [
        { "kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256" }, { "kty": "??" }, 7,
        { "kty": "OKP", "crv": "Ed25519", "use": "enc", "kid": "enc", "x": jwk("x", 1)["x"] },
        { "kty": "OKP", "crv": "Ed25519", "x": jwk("x", 1)["x"] }, jwk("good", 1),
        { "kty": "OKP", "crv": "Ed25519", "alg": "ES256", "kid": "odd", "x": jwk("x", 1)["x"] },
    ] });
    let keys = Keys::read(&set);
    let known: BTreeSet<_> =
        ["secret", "enc", "odd", "good"].into_iter().filter(|id| keys.get(id).is_some()).collect();
    assert_eq!(known, ["good"].into());
    assert!(Keys::read(&json!({})).is_empty() && Keys::read(&json!("x")).is_empty());
}
