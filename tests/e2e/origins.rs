//! Pages of other origins: what a browser is told of them, and what is refused.

use crate::support::http::{Answer, Request};
use crate::support::{Client, Server, Setup, bare, finish};

const LISTED: &str = "https://app.example";
const ELSEWHERE: &str = "https://evil.example";
const SECRET: &str = "0123456789abcdef";
const JSON: &str = "application/json";
const QUERY: &str = r#"{"query":"{ __typename }"}"#;

fn start() -> Server {
    let settings = format!(
        "[server]\norigins = [\"{LISTED}\", \"http://localhost:5173\"]\n[[client]]\nid = \"app\"\n\
         secret_env = \"SECRET\"\nroles = [\"data.read\", \"data.write\"]\n"
    );
    Setup::configured(&settings).env("SECRET", SECRET).listen("0.0.0.0:0").start()
}

fn upgrade(server: &Server, origin: &str) -> u16 {
    let mut request = Request::new("GET", "/graphql").header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    for (name, value) in [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
    ] {
        request = request.header(name, value);
    }
    request.header("Origin", origin).status(server.address)
}

/// What a browser is told of cross-origin requests.
fn told(answer: &Answer) -> Vec<&str> {
    let names = answer.headers.iter().map(|(name, _)| name.as_str());
    names.filter(|name| name.starts_with("access-control-")).collect()
}

#[test]
fn pages_of_listed_origins_ask_and_others_do_not() {
    let server = start();
    let client = Client::sign_in(server.address, "app", SECRET);
    let from = |method: &str, path: &str, origin: &str| {
        let request = client.request(method, path).header("Origin", origin);
        request.body(JSON, if path == "/graphql" { QUERY } else { r#"{"n":1}"# }).send(server.address)
    };
    let own = format!("http://{}", server.address);
    for (origin, is_listed) in [(LISTED, true), ("http://localhost:5173", true), (&*own, false)] {
        for (method, path) in [("POST", "/graphql"), ("GET", "/data"), ("POST", "/data"), ("GET", "/healthz")]
        {
            let answer = from(method, path, origin).expect(200);
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, is_listed.then_some(origin), "{method} {path}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            assert!(answer.headers.contains(&("vary".into(), "origin".into())), "{answer:?}");
        }
        assert_eq!(upgrade(&server, origin), 101, "{origin}");
    }
    // What is refused can be read by a listed page, too.
    let refused =
        Request::new("POST", "/graphql").header("Origin", LISTED).body(JSON, QUERY).send(server.address);
    assert_eq!(refused.expect(401).header("access-control-allow-origin"), Some(LISTED));

    for origin in
        [ELSEWHERE, "https://app.example.evil.example", "http://app.example", "http://localhost:5174", "null"]
    {
        for (method, path) in
            [("POST", "/graphql"), ("POST", "/data"), ("PUT", "/streams/s/record"), ("POST", "/oauth/token")]
        {
            let answer = from(method, path, origin).expect(403);
            assert_eq!(
                (answer.json()["error"].as_str(), told(&answer)),
                (Some("foreign_origin"), vec![]),
                "{origin}"
            );
        }
        assert_eq!(told(&from("GET", "/data", origin).expect(200)), Vec::<&str>::new());
        assert_eq!(upgrade(&server, origin), 403, "{origin}");
    }
}

#[test]
fn a_browser_that_asks_before_is_answered_for_listed_origins_alone() {
    let server = start();
    let ask = |origin: &str| {
        let request = Request::new("OPTIONS", "/graphql").header("Origin", origin);
        let request = request.header("Access-Control-Request-Method", "POST");
        request.header("Access-Control-Request-Headers", "authorization,content-type").send(server.address)
    };
    let answer = ask(LISTED).expect(204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST, PUT"));
    let headers = answer.header("access-control-allow-headers");
    assert_eq!(headers, Some("authorization, content-type, last-event-id"));
    assert_eq!(told(&ask(ELSEWHERE).expect(405)), Vec::<&str>::new());
}

#[test]
fn on_this_machine_its_own_pages_may_ask_and_open_no_sockets() {
    let server = Setup::empty().start();
    let client = server.client();
    let neighbour = "http://localhost:5173";
    let request = client.request("POST", "/graphql").header("Origin", neighbour).body(JSON, QUERY);
    assert_eq!(told(&request.send(server.address).expect(200)), Vec::<&str>::new());
    assert_eq!(upgrade(&server, neighbour), 403);
    assert_eq!(upgrade(&server, &server.url()), 101);
}

#[test]
fn what_is_no_origin_is_refused_at_the_start() {
    let here = tempfile::tempdir().unwrap();
    for (origin, reason) in [
        ("*", r#"server.origins has "*": expected an origin as browsers send it"#),
        (
            "https://app.example/",
            r#"server.origins has "https://app.example/": expected an origin as browsers send it, such as "https://app.example""#,
        ),
    ] {
        let mut command = bare();
        command.args(["config", "check"]).current_dir(here.path());
        command.env("TIDEGATE__SERVER__ORIGINS", format!("[\"https://good.example\", \"{origin}\"]"));
        let done = finish(command, "");
        assert!(done.code == Some(1) && done.stderr.contains(reason), "{done:?}");
    }
}
