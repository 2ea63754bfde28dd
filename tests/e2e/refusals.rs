//! What is refused: by which status, and in one clear sentence; and the server lives on.

use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::{Client, Server, Setup, ask_for_token, until};

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

/// What an answer says to people, whichever part of the server it is from.
fn sentence(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body)
        .unwrap_or_else(|_| panic!("{} says nothing: {:?}", answer.status, answer.text()));
    let said = [&body["error"]["message"], &body["error_description"], &body["errors"][0]["message"]];
    let text = said.iter().find_map(|text| text.as_str());
    text.unwrap_or_else(|| panic!("{} says no sentence: {body}", answer.status)).to_owned()
}

#[track_caller]
fn assert_refused(what: &str, answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    let text = sentence(answer);
    assert!(text.contains(words), "{what}: {text:?} lacks {words:?}");
    assert!(!text.contains('\n') && text.len() < 300, "{what}: {text:?} is no clear sentence");
}

/// The server is as it was: it takes and shows a message, and made no stream of what it refused.
fn assert_unharmed(server: &Server, client: &Client) {
    server.get("/healthz").expect(200);
    client.put_record("good", "k", "{\"n\":1}");
    assert_eq!(client.raws("good", 1), ["{\"n\":1}"]);
    assert_eq!(client.graphql("{ streams { name } }"), json!({ "streams": [{ "name": "good" }] }));
}

/// A record of `data` for the stream `bad`.
fn record(data: &str) -> String {
    format!(r#"{{"Data":{data},"PartitionKey":"k"}}"#)
}

#[test]
fn bad_messages() {
    let server = Setup::empty().start();
    let client = server.client();
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(1 << 20));
    for (data, status, words) in [
        ("{\"a\":1,\"a\":2}", 400, "\"a\" appears twice"),
        ("{\"a\":1,\"\\u0061\":2}", 400, "\"a\" appears twice"),
        ("{\"o\":[{\"é\":1,\"\\u00e9\":2}]}", 400, "\"é\" appears twice"),
        (&deep(129), 400, "nests deeper than 128 levels"),
        (&large, 413, "at most 1048576 are accepted"),
        ("{\"a\":\"\\ud800\"}", 400, "half of a surrogate pair"),
    ] {
        let path = "/streams/bad/record";
        assert_refused(data, &client.put(path, record(data)), status, words);
        let lines = client.post("/streams/bad/messages?key=k", NDJSON, data);
        assert_refused(data, &lines, status, words);
        let list = client.post("/streams/bad/messages?key=k", JSON, format!("[{data}]"));
        assert_refused(data, &list, status, words);
        assert_refused(data, &client.post("/data", JSON, data), status, words);
        let records = client.put("/streams/bad/records", format!(r#"{{"Records":[{}]}}"#, record(data)));
        let result = records.expect(200).json()["Records"][0]["ErrorMessage"].clone();
        assert!(result.as_str().is_some_and(|text| text.contains(words)), "{data}: {result}");
    }
    for data in ["{", "{\"a\":01}", "{'a':1}", "nul", "{\"a\":1}}", "\"open", "[1,]"] {
        assert_refused(data, &client.post("/data", JSON, data), 400, "not JSON: expected");
        let lines = client.post("/streams/bad/messages?key=k", NDJSON, data);
        assert_refused(data, &lines, 400, "not JSON: expected");
        assert_eq!(client.put("/streams/bad/record", record(data)).status, 400, "{data}");
    }
    let not_text = [b"{\"a\":\"".as_slice(), b"\xff\"}"].concat();
    assert_refused("not UTF-8", &client.post("/data", JSON, not_text), 400, "is not UTF-8");
    assert_refused("no key", &client.put("/streams/bad/record", r#"{"Data":{}}"#), 400, "partition key");
    assert_unharmed(&server, &client);
    // The deepest that is accepted.
    client.put("/streams/good/record", record(&deep(128))).expect(200);
    assert_eq!(client.raws("good", 2)[1], deep(128));
}

#[test]
fn bad_requests() {
    let server = Setup::empty().start();
    let client = server.client();
    let to = |method: &str, path: &str| client.request(method, path);
    let nine = vec![b' '; 9 << 20];
    for (what, request, status, words) in [
        (
            "not JSON",
            to("PUT", "/streams/bad/record").body(JSON, "{\"Data\":"),
            400,
            "is not JSON: expected a JSON value at byte 8",
        ),
        ("another field", to("PUT", "/streams/bad/record").body(JSON, "{\"Date\":1}"), 400, "`Date`"),
        ("no list", to("PUT", "/streams/bad/records").body(JSON, "{}"), 400, "`Records`"),
        ("no type", to("PUT", "/streams/bad/record"), 415, "Content-Type is missing"),
        (
            "a form",
            to("PUT", "/streams/bad/record").body("text/plain", "{}"),
            415,
            "expected application/json",
        ),
        (
            "another type",
            to("POST", "/streams/bad/messages").body("text/csv", "a"),
            415,
            "application/x-ndjson",
        ),
        ("lines", to("POST", "/data").body(NDJSON, "{}"), 415, "expected application/json"),
        (
            "compressed",
            to("POST", "/data").body(JSON, "x").header("Content-Encoding", "gzip"),
            415,
            "uncompressed",
        ),
        ("a stream's name", to("PUT", "/streams/a%20b/record").body(JSON, "{}"), 400, "may hold only"),
        ("a parameter", to("POST", "/streams/bad/messages?kye=k").body(NDJSON, "{}"), 400, "`kye`"),
        ("a topic", to("POST", "/streams/bad/messages?topic=a%00b").body(NDJSON, "{}"), 400, "topic"),
        // Only announced: an answer comes before any of it is sent.
        (
            "announced",
            to("POST", "/data").header("Content-Type", JSON).header("Content-Length", "9437184"),
            413,
            "larger than 8388608 bytes",
        ),
        (
            "in chunks",
            to("POST", "/data").body(JSON, nine.clone()).chunked(65_536),
            413,
            "larger than 8388608 bytes",
        ),
        (
            "lines in chunks",
            to("POST", "/streams/bad/messages?key=k").body(NDJSON, nine).chunked(65_536),
            413,
            "larger than 8388608 bytes",
        ),
        (
            "GraphQL as text",
            to("POST", "/graphql").body("text/plain", "{}"),
            415,
            "expected application/json",
        ),
        (
            "GraphQL cut short",
            to("POST", "/graphql").body(JSON, "{\"query\":"),
            400,
            "is not JSON: expected a JSON value at byte 9",
        ),
        ("no page", to("GET", "/data?last=0"), 400, "last is 0"),
        ("no time", to("GET", "/data?from=yesterday"), 400, "yesterday"),
        ("no cursor", to("GET", "/data?before=x"), 400, "before"),
    ] {
        assert_refused(what, &request.send(server.address), status, words);
    }
    assert_unharmed(&server, &client);
}

#[test]
fn a_body_that_breaks_off_leaves_what_came_whole() {
    let server = Setup::empty().start();
    let client = server.client();
    // Half a record is none. Whoever hangs up may not hear the answer.
    for request in [
        client.request("PUT", "/streams/bad/record").body(JSON, record("{\"n\":1}")),
        client.request("POST", "/data").body(JSON, "{\"n\":1}"),
        client.request("POST", "/graphql").body(JSON, "{\"query\":\"{ me { subject } }\"}"),
    ] {
        if let Ok(answer) = request.send_truncated(server.address, 1) {
            assert_eq!(answer.status, 400, "{}", answer.text());
        }
    }
    assert_unharmed(&server, &client);
    // Lines that came whole count, as the answer would have said.
    let lines = client
        .request("POST", "/streams/lines/messages?key=k")
        .body(NDJSON, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}");
    if let Ok(answer) = lines.send_truncated(server.address, 4) {
        assert_refused("lines", &answer, 400, "broke off after");
        assert_eq!(answer.json()["accepted"], 2);
    }
    assert_eq!(client.raws("lines", 2), ["{\"n\":1}", "{\"n\":2}"]);
}

/// Every route that gives or takes data, by what it wants.
fn routes() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    vec![
        ("data.write", "PUT", "/streams/bad/record", r#"{"Data":{"n":1},"PartitionKey":"k"}"#),
        ("data.write", "PUT", "/streams/bad/records", r#"{"Records":[{"Data":{"n":1},"PartitionKey":"k"}]}"#),
        ("data.write", "POST", "/streams/bad/messages?key=k", "[{}]"),
        ("data.write", "POST", "/data", "{}"),
        ("data.read", "GET", "/data", ""),
        ("any", "POST", "/graphql", r#"{"query":"{ me { subject } }"}"#),
        ("any", "GET", "/graphql?query=%7Bme%7Bsubject%7D%7D", ""),
    ]
}

#[test]
fn without_a_good_token() {
    let server = Setup::empty().start();
    let client = server.client();
    let (head, signature) = client.token.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    let basic = "Basic dGlkZWdhdGUtZGV2Og==".to_owned();
    for (what, header, status, words) in [
        ("none", None, 401, "Send an access token"),
        ("another scheme", Some(basic), 401, "Send an access token"),
        ("nonsense", Some("Bearer nonsense".into()), 401, "not valid here"),
        ("another signature", Some(format!("Bearer {head}.{turned}")), 401, "not valid here"),
        ("no signature", Some(format!("Bearer {head}.")), 401, "not valid here"),
    ] {
        for (_, method, path, body) in routes() {
            let request = Request::new(method, path).body(JSON, body);
            let request =
                header.iter().fold(request, |request, value| request.header("Authorization", value));
            let answer = request.send(server.address);
            assert_refused(&format!("{what}: {method} {path}"), &answer, status, words);
            assert!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer ")));
        }
    }
    let twice = client.request("GET", "/data").header("Authorization", "Bearer x").send(server.address);
    assert_refused("two headers", &twice, 400, "one Authorization header");
    // In the address, where logs would keep it, a token is none.
    let answer = server.get(&format!("/data?access_token={}", client.token));
    assert_refused("in the address", &answer, 401, "Send an access token");
    assert_unharmed(&server, &client);
}

#[test]
fn an_expired_token() {
    let server = Setup::configured("[embedded_issuer]\ntoken_seconds = 1\n").start();
    let client = server.client();
    // Clocks differ: a token is good for a little longer than it says.
    let answer = until(
        "the token to end",
        || client.get("/data"),
        |answer| (answer.status != 200).then(|| answer.clone()),
    );
    assert_refused("expired", &answer, 401, "has expired");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    assert_eq!(server.client().get("/data").status, 200, "a new one is good");
}

#[test]
fn without_the_role() {
    let server = Setup::empty().start();
    let context: Value =
        serde_json::from_slice(&std::fs::read(server.data().join("context.json")).unwrap()).unwrap();
    let only = |role: &str| {
        let (id, secret) =
            (context["client_id"].as_str().unwrap(), context["client_secret"].as_str().unwrap());
        let answer = ask_for_token(server.address, id, secret, &format!("&scope={role}")).expect(200).json();
        assert_eq!(answer["scope"], role);
        Client { address: server.address, token: answer["access_token"].as_str().unwrap().to_owned() }
    };
    let (reader, writer) = (only("data.read"), only("data.write"));
    for (role, method, path, body) in routes() {
        let client = match role {
            "data.write" => &reader,
            "data.read" => &writer,
            _ => continue,
        };
        let answer = client.request(method, path).body(JSON, body).send(server.address);
        assert_refused(path, &answer, 403, role);
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains(&format!("scope=\"{role}\"")), "{challenge}");
    }
    let publish = "mutation { publish(stream: \"bad\", key: \"k\", data: {n: 1}) { position } }";
    let answer = reader.graphql_answer(publish, &json!({})).json();
    assert!(
        answer["errors"][0]["message"].as_str().is_some_and(|text| text.contains("data.write")),
        "{answer}"
    );
    let client = server.client();
    assert_unharmed(&server, &client);
    let answer = writer.graphql_answer("{ good(last: 1) { nodes { raw } } }", &json!({})).json();
    assert!(answer["errors"].is_array() && !answer.to_string().contains("\"n\""), "{answer}");
}

#[test]
fn a_request_that_was_meant_for_another_host() {
    let server = Setup::empty().start();
    let client = server.client();
    for host in ["evil.example", "localhost.evil.example", "10.0.0.1:4000", ""] {
        for (_, method, path, body) in
            routes().into_iter().chain([("any", "GET", "/", ""), ("any", "GET", "/healthz", "")])
        {
            let request = client.request(method, path).body(JSON, body).header("Host", host);
            let what = format!("{method} {path} for {host:?}");
            assert_refused(&what, &request.send(server.address), 421, "loopback names only");
        }
    }
    let foreign =
        client.request("POST", "/graphql").body(JSON, "{}").header("Origin", "https://evil.example");
    assert_refused("another page", &foreign.send(server.address), 403, "listed in server.origins");
    let port = server.address.port();
    for host in ["localhost".to_owned(), format!("localhost:{port}"), format!("[::1]:{port}")] {
        let answer = Request::new("GET", "/healthz").header("Host", &host).send(server.address);
        assert_eq!(answer.status, 200, "{host}");
    }
    assert_unharmed(&server, &client);
}

#[test]
fn an_unknown_path_or_method() {
    let server = Setup::empty().start();
    let client = server.client();
    for (method, path, status) in [
        ("GET", "/nothing", 404),
        ("PUT", "/streams/s", 404),
        ("GET", "/streams/s/record", 405),
        ("POST", "/streams/s/record", 405),
        ("DELETE", "/graphql", 405),
        ("GET", "/oauth/token", 405),
    ] {
        let answer = client.request(method, path).send(server.address);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert!(!sentence(&answer).is_empty(), "{method} {path}");
    }
}
