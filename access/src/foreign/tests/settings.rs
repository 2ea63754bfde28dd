//! Settings of issuers that can't be used, and what is said of them.

use super::*;
use crate::{Foreign, ForeignError};

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    for (key, value, expect) in [
        ("name", json!("a/b"), "issuer.name of \"a/b\" is \"a/b\": expected 1 to 64 letters"),
        ("name", json!("keys"), "issuer.name of \"keys\" is \"keys\": expected another name"),
        ("name", json!("embedded"), "expected another name"),
        (
            "roles",
            json!({ "x": "data.reed" }),
            "issuer.roles of \"corp\" is \"data.reed\": expected data.read",
        ),
        ("name", json!(""), "issuer.name of \"\" is \"\""),
        (
            "url",
            json!("login.example.com"),
            "issuer.url of \"corp\" is \"login.example.com\": expected https://",
        ),
        ("url", json!("http://login.example.com/"), "expected https://HOST/…, or http:// on this machine"),
        (
            "audiences",
            json!([]),
            "issuer.audiences of \"corp\" is \"[]\": expected whom tokens for this node are for",
        ),
        ("algorithms", json!(["HS256"]), "issuer.algorithms of \"corp\" is \"HS256\": expected RS256,"),
        ("algorithms", json!(["none"]), "is \"none\""),
        ("algorithms", json!([]), "expected at least one"),
        (
            "client_claims",
            json!(["azp"]),
            "issuer.client_claims of \"corp\" is \"azp\": expected JSON pointers",
        ),
        ("role_claims", json!(["/ok", "no"]), "is \"no\": expected JSON pointers"),
        ("required", json!({ "tid": "x" }), "issuer.required of \"corp\" is \"tid\""),
        ("keys_seconds", json!(0), "issuer.keys_seconds of \"corp\" is \"0\": expected at least 1"),
    ] {
        let (_, mut sample) = samples().remove(0);
        sample["settings"][key] = value;
        let error = settings_of(&sample).check(&Arc::default(), &|_| None).unwrap_err().to_string();
        assert!(error.contains(expect), "{key}: {error}");
    }
    // Cognito's tokens do not say whom they are for.
    let (_, mut cognito) = samples().remove(1);
    cognito["settings"]["clients"] = json!([]);
    assert!(
        settings_of(&cognito)
            .check(&Arc::default(), &|_| None)
            .unwrap_err()
            .to_string()
            .contains("issuer.clients")
    );
    assert!(
        samples().iter().all(|(_, sample)| settings_of(sample).check(&Arc::default(), &|_| None).is_ok())
    );
    let near = ["http://127.0.0.1:8080", "http://localhost:8080/realms/x", "http://[::1]:8080"];
    for url in near {
        let (_, mut sample) = samples().remove(0);
        sample["settings"]["url"] = json!(url);
        assert!(settings_of(&sample).check(&Arc::default(), &|_| None).is_ok(), "{url}");
    }
}

#[test]
fn issuers_are_told_apart_by_name_and_address() {
    let (clock, _) = clock();
    let one = settings_of(&samples()[0].1);
    let renamed = ForeignSettings { name: "other".into(), ..one.clone() };
    let moved = ForeignSettings { url: "https://elsewhere.example".into(), ..one.clone() };
    for twin in [renamed, moved] {
        let error = Foreign::all(&[one.clone(), twin], &Arc::default(), &|_| None, &clock).unwrap_err();
        assert!(matches!(error, ForeignError::Twice(_)), "{error}");
    }
    let all: Vec<_> = samples()
        .iter()
        .enumerate()
        .map(|(number, (_, sample))| ForeignSettings {
            name: format!("issuer-{number}"),
            ..settings_of(sample)
        })
        .collect();
    assert_eq!(Foreign::all(&all, &Arc::default(), &|_| None, &clock).unwrap().len(), 7);
}
