//! What it costs to know a caller, and to decide what it may do.
//!
//! `cargo bench --package benches --bench access`

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use access::rate::Style;
use access::{
    Access, Action, Credentials, Decision, Development, Foreign, ForeignSettings, Identity, Issuer,
    IssuerName, NewKey, Policy, Principal, Roles, RuleSettings, Trust, Visit, decide,
};
use axum::Router;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use benches::{cpu_ns, least_cpu_ns, row};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, encode};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts;
use schema::{Clock, StreamName, Timestamp, Topic, TopicRule};
use serde_json::{Value, json};
use store::embedded::Embedded;
use store::{Entries, Entry};

const ROUNDS: usize = 40;
/// Tokens that are verified once each, and how often each way is measured, by turns.
const TOKENS: usize = 400;
const TURNS: usize = 10;
const RULES: usize = 1_000;
const DENIALS: usize = 1_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!("{:<58} {:>16} {:>8}", "a caller, and its rights", "CPU (ns)", "ratio");
    runtime.block_on(tokens());
    runtime.block_on(credentials());
    decisions();
}

/// An issuer elsewhere with one RSA key, and what signs by it.
struct Elsewhere {
    url: String,
    signs: EncodingKey,
    verifies: DecodingKey,
}

async fn elsewhere() -> Elsewhere {
    let key = rsa::RsaPrivateKey::new(&mut OsRng, 2_048).expect("a key");
    let [n, e] = [key.n(), key.e()].map(|number| URL_SAFE_NO_PAD.encode(number.to_bytes_be()));
    let der = key.to_pkcs1_der().expect("a key's bytes");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("an address");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let metadata = json!({
        "issuer": url, "jwks_uri": format!("{url}/jwks"), "authorization_endpoint": format!("{url}/authorize"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    let keys =
        json!({ "keys": [{ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": n, "e": e }] });
    let answer = |document: Value| get(move || async move { axum::Json(document) });
    let app = Router::new()
        .route("/.well-known/openid-configuration", answer(metadata))
        .route("/jwks", answer(keys));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Elsewhere {
        url,
        signs: EncodingKey::from_rsa_der(der.as_bytes()),
        verifies: DecodingKey::from_rsa_components(&n, &e).expect("a key"),
    }
}

impl Elsewhere {
    fn token(&self, number: usize) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
        let claims = json!({
            "iss": self.url, "aud": "tidegate", "sub": format!("caller-{number}"), "client_id": "app", "scope": "data.read",
            "jti": number.to_string(), "iat": now, "nbf": now, "exp": now + 3_600,
        });
        let mut header = Header::new(Algorithm::RS256);
        (header.typ, header.kid) = (Some("at+jwt".into()), Some("1".into()));
        encode(&header, &claims, &self.signs).expect("a token")
    }
}

async fn tokens() {
    let (elsewhere, folder) = (elsewhere().await, tempfile::tempdir().expect("a folder"));
    let (access, visit) = (open(&elsewhere, folder.path()), Visit::default());
    access.verify(&elsewhere.token(0), &Visit::default(), Style::Plain).await.expect("a good token");

    let mut bare = Validation::new(Algorithm::RS256);
    bare.set_issuer(&[&elsewhere.url]);
    bare.set_audience(&["tidegate"]);
    let (mut ours, mut theirs) = (u64::MAX, u64::MAX);
    for turn in 0..TURNS {
        let tokens: Vec<String> = (0..TOKENS).map(|n| elsewhere.token(1 + turn * TOKENS + n)).collect();
        let before = cpu_ns();
        for token in &tokens {
            let decoded = jsonwebtoken::decode::<Value>(token, &elsewhere.verifies, &bare);
            std::hint::black_box(decoded.expect("a good token"));
        }
        let between = cpu_ns();
        for token in &tokens {
            std::hint::black_box(access.verify(token, &visit, Style::Plain).await.expect("a good token"));
        }
        theirs = theirs.min((between - before) / TOKENS as u64);
        ours = ours.min((cpu_ns() - between) / TOKENS as u64);
    }
    row("an RS256 token by jsonwebtoken alone (baseline)", theirs, Some(1.0));
    row("the same, new to us; at most 1.2", ours, Some(ours as f64 / theirs as f64));

    let token = elsewhere.token(0);
    access.verify(&token, &visit, Style::Plain).await.expect("a good token");
    let mut best = u64::MAX;
    for _ in 0..ROUNDS {
        let before = cpu_ns();
        for _ in 0..1_000 {
            std::hint::black_box(access.verify(&token, &visit, Style::Plain).await.expect("a good token"));
        }
        best = best.min((cpu_ns() - before) / 1_000);
    }
    row(&format!("the same, seen before ({} bytes); at most 3,000 ns", token.len()), best, None);
}

fn open(elsewhere: &Elsewhere, folder: &std::path::Path) -> Access {
    let clock: Clock = Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
        Timestamp(i64::try_from(since.as_micros()).expect("a time"))
    });
    let settings: ForeignSettings =
        serde_json::from_value(json!({ "name": "corp", "url": elsewhere.url, "audiences": ["tidegate"] }))
            .expect("settings");
    let policy = Arc::new(Policy::default());
    let foreign = Foreign::all(&[settings], &policy, &|_| None, &clock).expect("an issuer");
    let trust = Trust { policy, foreign, ..Trust::default() };
    let issuer = Issuer::open(
        folder,
        "http://127.0.0.1:4000",
        Default::default(),
        Vec::new(),
        Development::On,
        trust,
        clock,
    );
    issuer.expect("an issuer").access()
}

/// Whether somebody is denied, of which each request is asked, and whose a key is.
async fn credentials() {
    let identity =
        Identity { token_id: Some("t".into()), ..Identity::new(IssuerName::Embedded, "root", "root") };
    let root = Identity { roles: Roles::ALL, expires_at: Timestamp::MAX, ..identity };
    let root = Principal::of(root, &Policy::default()).expect("a caller");
    for count in [0, DENIALS] {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(Embedded::open(folder.path(), Default::default()).expect("a store"));
        for number in 0..count {
            let target = json!({ "subject": { "issuer": "embedded", "subject": format!("s{number}") } });
            let document = json!({
                "target": target, "reason": "", "denied_by": "embedded/root", "denied_at": 0, "keep_until": null,
            });
            let entry = Entry { name: number.to_string(), version: 1, document: document.to_string() };
            assert!(store.put_entry("denial", &entry).await.expect("it is written"));
        }
        let clock: Clock = Arc::new(|| Timestamp(1_700_000_000_000_000));
        let credentials = Credentials::open(store, Default::default(), Arc::default(), clock.clone());
        let credentials = credentials.await.expect("credentials");
        let new = NewKey { name: "meter".into(), roles: Roles::ALL, expires_at: None };
        let (_, key) = credentials.create_key(new, &root).await.expect("a key");
        let trust = Trust { credentials: Some(credentials), ..Trust::default() };
        let issuer = Issuer::open(
            folder.path(),
            "http://127.0.0.1:4000",
            Default::default(),
            Vec::new(),
            Development::On,
            trust,
            clock,
        );
        let access = issuer.expect("an issuer").access();
        let cost = least_cpu_ns(ROUNDS, || {
            (0..1_000).filter(|_| std::hint::black_box(access.is_good(std::hint::black_box(&root)))).count()
        });
        row(&format!("whether a caller is let in still, {count} denials"), cost / 1_000, None);
        let mut best = u64::MAX;
        for _ in 0..ROUNDS {
            let before = cpu_ns();
            for _ in 0..1_000 {
                std::hint::black_box(
                    access.verify(key.expose(), &Visit::default(), Style::Plain).await.expect("a good key"),
                );
            }
            best = best.min((cpu_ns() - before) / 1_000);
        }
        row(&format!("an API key, {count} denials"), best, None);
    }
}

fn decisions() {
    let rule = |n: usize, streams: &str, topics: &str, effect: &str| {
        json!({
            "effect": effect, "roles": ["partner"], "streams": [streams.replace('#', &n.to_string())],
            "topics": [topics.replace('#', &n.to_string())], "rights": ["read"],
        })
    };
    let topic = Topic::new("tenant-500/a/b").expect("a topic");
    for (name, streams, topics, at) in [
        ("one stream, a prefix each", "orders", "tenant-#/*", "orders"),
        ("one stream, a star in the middle each", "orders", "tenant-#/*/b", "orders"),
        ("a stream each", "orders-#", "tenant-#/*", "orders-500"),
        ("patterns of streams", "orders-*", "tenant-#/*", "orders-500"),
    ] {
        let rules = (0..RULES).map(|n| rule(n, streams, topics, if n % 10 == 9 { "deny" } else { "allow" }));
        let rules: Vec<RuleSettings> = serde_json::from_value(rules.collect()).expect("rules");
        let policy = Policy::new(rules, []).expect("a policy");
        let identity = Identity {
            roles: Roles::from_scope("partner"),
            ..Identity::new(IssuerName::Embedded, "alice", "alice")
        };
        let principal = Principal::of(identity, &policy).expect("a caller");
        let stream = StreamName::new(at).expect("a stream");
        let action = Action::ReadTopic { stream: &stream, rule: &TopicRule::Key, topic: &topic };
        assert!(matches!(decide(&principal, &action), Decision::Allow(_)));
        let cost = least_cpu_ns(ROUNDS, || {
            (0..20).for_each(|_| drop(std::hint::black_box(decide(&principal, &action))));
        }) / 20;
        row(&format!("a decision over {RULES} rules: {name}; at most 5,000"), cost, None);
    }
}
