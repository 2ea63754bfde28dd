//! Headers that every answer has, whatever the route and whoever asks.

use crate::support::http::{Answer, Request};
use crate::support::tls::Authority;
use crate::support::{Client, Setup};

const SETTINGS: &str = "[server]\nlisten = \"0.0.0.0:0\"\n[[client]]\nid = \"app\"\nsecret_env = \"SECRET\"\nroles = [\"data.read\", \"data.write\"]\n";

/// A way to get an answer, and whether it may be kept: nothing that has data or tokens in it.
const ROUTES: [(&str, &str, bool); 19] = [
    ("GET", "/", true),
    ("GET", "/console/nothing", false),
    ("GET", "/healthz", false),
    ("GET", "/readyz", false),
    ("GET", "/metrics", false),
    ("GET", "/.well-known/openid-configuration", false),
    ("GET", "/oauth/jwks", false),
    ("GET", "/oauth/authorize", false),
    ("POST", "/oauth/token", false),
    ("POST", "/oauth/code", false),
    ("POST", "/oauth/codes", false),
    ("GET", "/graphql?query=%7B__typename%7D", false),
    ("POST", "/graphql", false),
    ("GET", "/data", false),
    ("POST", "/data", false),
    ("PUT", "/streams/s/record", false),
    ("PUT", "/streams/s/records", false),
    ("POST", "/streams/s/messages", false),
    ("DELETE", "/nothing", false),
];

fn check(what: &str, answer: &Answer, may_be_kept: bool, hsts: bool) {
    for (name, expect) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(answer.header(name), Some(expect), "{name} of {what}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{what}: {policy}"
    );
    if !may_be_kept {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    }
    let expect = hsts.then_some("max-age=31536000");
    assert_eq!(answer.header("strict-transport-security"), expect, "{what}");
    for (name, _) in &answer.headers {
        let times = answer.headers.iter().filter(|(other, _)| other == name).count();
        assert!(times == 1 || name == "vary", "{name} of {what} is there {times} times");
    }
}

#[test]
fn every_route_has_them_with_a_token_and_without() {
    let authority = Authority::new();
    for over_tls in [false, true] {
        let setup = Setup::configured(SETTINGS).env("SECRET", "0123456789abcdef").listen("0.0.0.0:0");
        let server = if over_tls { setup.over_tls(&authority) } else { setup }.start();
        let client = Client::sign_in(server.address, "app", "0123456789abcdef");
        for (method, path, may_be_kept) in ROUTES {
            for request in [Request::new(method, path), client.request(method, path)] {
                let request = request.body("application/json", r#"{"query":"{__typename}"}"#);
                let to_a_name = request.clone().header("Host", "tide.example").send(server.address);
                let what = format!("{method} {path}, {}", to_a_name.status);
                check(&what, &to_a_name, may_be_kept, over_tls);
                // A browser would apply it to all that is on this machine.
                check(&what, &request.send(server.address), may_be_kept, false);
            }
        }
        let form = "application/x-www-form-urlencoded";
        let token = Request::new("POST", "/oauth/token")
            .body(form, "grant_type=client_credentials&client_id=app&client_secret=0123456789abcdef");
        check("a token", &token.send(server.address).expect(200), false, false);
        let events = client
            .request("POST", "/graphql")
            .header("Accept", "text/event-stream")
            .body("application/json", r#"{"query":"{__typename}"}"#);
        check("events", &events.send(server.address).expect(200), false, false);
    }
}

#[test]
fn so_have_refusals_that_come_before_all_routes() {
    let server = Setup::empty().start();
    for (name, value, status) in [("Host", "evil.example", 421), ("Origin", "https://evil.example", 403)] {
        let answer = Request::new("POST", "/graphql").header(name, value).send(server.address);
        check(name, &answer.expect(status), false, false);
    }
}
