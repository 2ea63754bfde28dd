//! Signing in: discovery, keys, client credentials, one-time codes for the page.

use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::{Client, Server, Setup, ask_for_token, bare, finish, tidegate};

const FORM: &str = "application/x-www-form-urlencoded";
const CONFIGURATION: &str = r#"
[[client]]
id = "dashboard"
secret_env = "DASHBOARD_SECRET"
roles = ["data.read", "data.write"]
"#;
const SECRET: &str = "a secret, with: signs & spaces";

fn start() -> Server {
    Setup::configured(CONFIGURATION).env("DASHBOARD_SECRET", SECRET).start()
}

fn form(server: &Server, body: &str) -> Answer {
    Request::new("POST", "/oauth/token").body(FORM, body).send(server.address)
}

fn redeem(server: &Server, code: &str) -> Answer {
    let body = json!({ "code": code }).to_string();
    Request::new("POST", "/oauth/code").body("application/json", body).send(server.address)
}

#[test]
fn a_client_finds_its_way_from_the_address_alone() {
    let server = start();
    let url = server.url();
    let found = server.get("/.well-known/openid-configuration").expect(200).json();
    assert_eq!(found["issuer"], url);
    assert_eq!(found["grant_types_supported"], json!(["client_credentials"]));
    assert_eq!(
        found["token_endpoint_auth_methods_supported"],
        json!(["client_secret_basic", "client_secret_post"])
    );
    let path = |key: &str| found[key].as_str().unwrap().strip_prefix(&url).unwrap().to_owned();
    let keys = server.get(&path("jwks_uri")).expect(200).json();
    assert_eq!((&keys["keys"][0]["kty"], &keys["keys"][0]["crv"]), (&json!("OKP"), &json!("Ed25519")));
    assert!(keys["keys"][0].get("d").is_none(), "the private key is told");
    assert_eq!(path("token_endpoint"), "/oauth/token");

    let answer = ask_for_token(server.address, "dashboard", SECRET, "").expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = answer.json();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["scope"], "data.read data.write");
    let token = answer["access_token"].as_str().unwrap().to_owned();
    let client = Client { address: server.address, token };
    assert_eq!(
        client.graphql("{ me { subject clientId roles ownTopic } }")["me"],
        json!({ "subject": "dashboard", "clientId": "dashboard", "roles": ["data.read", "data.write"], "ownTopic": "dashboard" })
    );
}

#[test]
fn tokens_are_for_those_who_know_the_secret() {
    let server = start();
    let encoded = "a+secret%2C+with%3A+signs+%26+spaces";
    let good = format!("grant_type=client_credentials&client_id=dashboard&client_secret={encoded}");
    assert_eq!(form(&server, &good).expect(200).json()["token_type"], "Bearer");
    for (scope, expect) in [("data.read", "data.read"), ("data.write%20data.read", "data.read data.write")] {
        let answer = form(&server, &format!("{good}&scope={scope}")).expect(200).json();
        assert_eq!(answer["scope"], expect);
    }
    for (body, status, error) in [
        (good.replace("a+secret", "another"), 401, "invalid_client"),
        (good.replace("dashboard", "nobody"), 401, "invalid_client"),
        (good.replace(encoded, ""), 401, "invalid_client"),
        ("grant_type=client_credentials".into(), 401, "invalid_client"),
        (good.replace("client_credentials", "password"), 400, "unsupported_grant_type"),
        (good.replace("grant_type=client_credentials&", ""), 400, "invalid_request"),
        (format!("{good}&client_id=dashboard"), 400, "invalid_request"),
        (format!("{good}&scope=data.admin"), 400, "invalid_scope"),
        (format!("{good}&scope=data.reed"), 400, "invalid_scope"),
        (format!("{good}&x={}", "x".repeat(20_000)), 413, "invalid_request"),
    ] {
        let answer = form(&server, &body).expect(status);
        assert_eq!(answer.json()["error"], error, "{body:.200}");
        assert!(answer.json()["error_description"].is_string());
        assert!(!answer.text().contains("secret, with"), "{}", answer.text());
    }
    let answer = ask_for_token(server.address, "dashboard", "not the secret", "").expect(401);
    assert!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Basic ")));
    assert!(!server.log().contains("signs"), "a secret is logged");
}

#[test]
fn a_code_signs_the_page_in_once() {
    let server = Setup::empty().start();
    let banner = server.banner();
    let (_, rest) = banner.split_once("/#code=").unwrap();
    let code = rest.lines().next().unwrap();
    let answer = redeem(&server, code).expect(200).json();
    assert_eq!(answer["scope"], "data.read data.write data.admin");
    let page = Client { address: server.address, token: answer["access_token"].as_str().unwrap().to_owned() };
    assert_eq!(page.graphql("{ me { clientId } }")["me"]["clientId"], "tidegate-page");
    for used in [code, "", "nonsense"] {
        let answer = redeem(&server, used).expect(400).json();
        assert_eq!(answer["error"], "invalid_grant");
        assert!(answer["error_description"].as_str().unwrap().contains("tidegate page"), "{answer}");
    }
    // A page can't sign itself in again; its owner can, as often as wanted.
    page.post("/oauth/codes", "application/json", "{}").expect(403);
    Request::new("POST", "/oauth/codes").send(server.address).expect(401);
    let data = server.data().display().to_string();
    let codes = [0, 1].map(|_| {
        let done = tidegate(server.folder(), &["page", "--data", &data], "");
        let (url, code) = done.stdout.trim().split_once("/#code=").unwrap();
        assert_eq!(url, server.url());
        code.to_owned()
    });
    assert_ne!(codes[0], codes[1]);
    for code in codes {
        redeem(&server, &code).expect(200);
        redeem(&server, &code).expect(400);
    }
    assert!(!server.log().contains(code), "a code is logged");
}

#[test]
fn other_addresses_have_configured_clients_only() {
    let server = start_everywhere();
    assert!(!server.data().join("context.json").exists(), "there is a development client");
    let banner = server.banner();
    assert!(!banner.contains("#code") && banner.contains("/oauth/token"), "{banner}");
    let answer = ask_for_token(server.address, "dashboard", SECRET, "").expect(200).json();
    let client =
        Client { address: server.address, token: answer["access_token"].as_str().unwrap().to_owned() };
    client.post("/oauth/codes", "application/json", "{}").expect(403);
    ask_for_token(server.address, "tidegate-dev", SECRET, "").expect(401);
    // Clients reach it by whatever name it has.
    let answer = client.request("GET", "/data").header("Host", "tidegate.example").send(server.address);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let context: Value = client.graphql("{ me { subject } }");
    assert_eq!(context["me"]["subject"], "dashboard");
    let data = server.data().display().to_string();
    let done = tidegate(server.folder(), &["token", "--data", &data], "");
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
}

fn start_everywhere() -> Server {
    Setup::configured(CONFIGURATION).env("DASHBOARD_SECRET", SECRET).listen("0.0.0.0:0").start()
}

#[test]
fn other_addresses_want_a_client() {
    let here = tempfile::tempdir().unwrap();
    let done = tidegate(here.path(), &["--listen", "0.0.0.0:0", "--data", "data"], "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("[[client]]"), "{done:?}");
}

#[test]
fn secrets_on_disk_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let mut server = Setup::empty().start();
    let secret = || std::fs::read_to_string(server.data().join("context.json")).unwrap();
    let secret_of = |text: &str| serde_json::from_str::<Value>(text).unwrap()["client_secret"].clone();
    let before = secret_of(&secret());
    for file in ["context.json", "issuer.pk8"] {
        let mode = std::fs::metadata(server.data().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} is {mode:o}");
    }
    assert!(!server.log().contains(before.as_str().unwrap()), "the secret is logged");
    server.restart();
    let after = std::fs::read_to_string(server.data().join("context.json")).unwrap();
    assert_eq!(secret_of(&after), before, "a restart keeps it");
    assert!(after.contains(&server.url()), "and knows the new address: {after}");
}

#[test]
fn a_secret_may_lie_in_a_file() {
    let here = tempfile::tempdir().unwrap();
    let file = here.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let by_file = |path: &str| Setup::configured(CONFIGURATION).env("DASHBOARD_SECRET_FILE", path);
    let server = by_file(file.to_str().unwrap()).start();
    ask_for_token(server.address, "dashboard", SECRET, "").expect(200);
    ask_for_token(server.address, "dashboard", &format!("{SECRET}\n"), "").expect(401);

    std::fs::write(here.path().join("tidegate.toml"), CONFIGURATION).unwrap();
    let none = here.path().join("none").display().to_string();
    for (variables, expect) in [
        (vec![("DASHBOARD_SECRET_FILE", none.as_str())], "DASHBOARD_SECRET_FILE names "),
        (vec![("DASHBOARD_SECRET_FILE", &none), ("DASHBOARD_SECRET", SECRET)], "are both set"),
        (vec![], "DASHBOARD_SECRET, which is to hold its secret, is not set"),
    ] {
        let mut command = bare();
        command.args(["config", "check", "--config", "tidegate.toml"]).current_dir(here.path());
        command.envs(variables);
        let done = finish(command, "");
        assert!(done.code == Some(1) && done.stderr.contains(expect), "{expect}: {done:?}");
        assert!(!done.stderr.contains(SECRET), "{done:?}");
    }
}
