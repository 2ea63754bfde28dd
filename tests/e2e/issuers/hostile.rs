//! Tokens that an issuer elsewhere never gave out, though many are signed by its keys: each is refused by one and the same
//! sentence, and is not in the log.

use serde_json::{Value, json};

use super::{EXPIRED, REFUSED, accepting, after, assert_invalid, bearer, claims};
use crate::support::http::Request;
use crate::support::{Issuer, Server, Setup, Socket, SocketEnd};

/// Header and claims, other than those of a good token. What is null there is left out.
fn minted() -> Vec<(&'static str, Value, Value)> {
    let elsewhere = "http://127.0.0.1:9/keys";
    let own = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let header = |what, header| (what, header, json!({}));
    let claim = |what, claims| (what, json!({}), claims);
    vec![
        header("alg none", json!({ "alg": "none" })),
        header("HS256 by the public key", json!({ "alg": "HS256", "kid": "rs256-1" })),
        header("another key's algorithm", json!({ "alg": "ES256", "kid": "rs256-1" })),
        header("a key of its own", json!({ "jwk": own })),
        header("keys from elsewhere", json!({ "jku": elsewhere })),
        header("a certificate from elsewhere", json!({ "x5u": elsewhere })),
        header("an unknown crit", json!({ "crit": ["ours"], "ours": true })),
        header("a path as key", json!({ "kid": "../../rs256-1" })),
        header("no key", json!({ "kid": null })),
        header("another type", json!({ "typ": "JWT" })),
        header("no type", json!({ "typ": null })),
        claim("another issuer", json!({ "iss": "https://login.example.com" })),
        claim("several issuers", json!({ "iss": ["https://login.example.com"] })),
        claim("no issuer", json!({ "iss": null })),
        claim("another audience", json!({ "aud": ["other", "reader"] })),
        claim("no audience", json!({ "aud": null })),
        claim("no subject", json!({ "sub": null })),
        claim("no end", json!({ "exp": null })),
        claim("not yet valid", json!({ "nbf": after(60) })),
        ("an ID token", json!({ "typ": "JWT" }), json!({ "aud": "reader", "nonce": "n-1" })),
        claim("an ID token that claims to be none", json!({ "nonce": "n-1" })),
    ]
}

fn with(claims: &Value, changes: &Value) -> Value {
    let mut claims = claims.as_object().unwrap().clone();
    claims.extend(changes.as_object().unwrap().clone());
    claims.retain(|_, value| !value.is_null());
    claims.into()
}

/// All of them, with the good one before it was changed.
fn table(issuer: &Issuer) -> (String, Vec<(&'static str, String)>) {
    let good = claims(issuer);
    let mut all: Vec<_> = minted()
        .into_iter()
        .map(|(what, header, changes)| (what, issuer.mint(&header, &with(&good, &changes))))
        .collect();
    let several = with(&good, &json!({ "iss": [issuer.url(), "https://login.example.com"] }));
    all.push(("several issuers, one of them right", issuer.mint(&json!({}), &several)));
    let good = issuer.mint(&json!({}), &good);
    let (message, signature) = good.rsplit_once('.').unwrap();
    all.push(("a signature cut short", good[..good.len() - 4].to_owned()));
    all.push(("no signature", format!("{message}.")));
    all.push(("another's signature", format!("{message}.{}", signature.chars().rev().collect::<String>())));
    (good, all)
}

/// What each surface says to a token.
fn assert_everywhere(server: &Server, what: &str, token: &str, sentence: &str) {
    let client = bearer(server, token);
    let record = r#"{"Data": {"n": 1}, "PartitionKey": "k"}"#;
    for (route, answer) in [
        ("messages", client.put("/streams/s/record", record)),
        ("queries", client.graphql_answer("{ me { subject } }", &json!({}))),
        ("own messages", client.get("/data")),
    ] {
        assert_invalid(&format!("{what}, of {route}"), &answer, sentence);
    }
}

#[tokio::test]
async fn hostile_tokens_are_refused_alike() {
    let Some(issuer) = Issuer::start("hostile tokens of an issuer elsewhere") else { return };
    let settings = format!("{}[log]\nlevel = \"trace\"\n", accepting("corp", &issuer));
    let server = Setup::configured(&settings).start();
    let (good, mut all) = table(&issuer);
    bearer(&server, &good).get("/data").expect(200);
    for (what, token) in &all {
        assert_everywhere(&server, what, token, REFUSED);
        let refused = Socket::connect(&bearer(&server, token)).await.unwrap_err();
        let SocketEnd::Closed(4403, reason) = &refused else { panic!("{what}: {refused:?}") };
        assert_eq!(reason, "Forbidden: the access token is not valid here", "{what}");
    }

    let expired = issuer.mint(&json!({}), &with(&claims(&issuer), &json!({ "exp": after(-10) })));
    assert_everywhere(&server, "expired", &expired, EXPIRED);
    all.push(("expired", expired));

    let large = "x".repeat(1 << 20);
    let large = issuer.mint(&json!({}), &with(&claims(&issuer), &json!({ "more": large })));
    bearer(&server, large).get("/data").expect(431);
    let long = "x".repeat(20_000);
    let long = issuer.mint(&json!({}), &with(&claims(&issuer), &json!({ "more": long })));
    assert_everywhere(&server, "longer than tokens are", &long, REFUSED);
    all.push(("long", long));

    let header = format!("Bearer {good}");
    let twice =
        Request::new("GET", "/data").header("Authorization", &header).header("Authorization", &header);
    let answer = twice.send(server.address).expect(400);
    assert_eq!(answer.json()["error"], "invalid_request");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer realm=\"tidegate\", error=\"invalid_request\""), "{challenge}");

    // It goes on, has asked for nothing else, and kept quiet.
    bearer(&server, &good).get("/data").expect(200);
    bearer(&server, issuer.token("reader")).get("/data").expect(200);
    assert_eq!(issuer.key_requests(), 1);
    let log = server.log();
    assert!(log.contains("token refused"), "the log has no reasons");
    all.push(("good", good));
    for (what, token) in all {
        // Shorter parts are the same in any token.
        let parts = token.split('.').skip(1).filter(|part| part.len() > 40);
        for part in parts {
            assert!(!log.contains(&part[..40]), "{what}: the token is in the log");
        }
    }
}
