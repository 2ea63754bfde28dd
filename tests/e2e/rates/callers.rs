//! Requests of one caller.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::json;

use super::{SECRET, client, exhaust, is_too_many, start, wait_of};
use crate::support::http::Request;
use crate::support::{PATIENCE, Setup, Socket, bare, finish, until};

const QUERY: &str = r#"{"query":"{ __typename }"}"#;
const JSON: &str = "application/json";

/// Without a word in the settings.
#[test]
fn the_default_bites_who_asks_without_end_and_nobody_else() {
    let server = start("");
    let (one, two) = (client(&server, "one"), client(&server, "two"));
    let stop = AtomicBool::new(false);
    let refused = std::thread::scope(|scope| {
        let flood: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let began = Instant::now();
                    while !stop.load(Ordering::Relaxed) && began.elapsed() < PATIENCE {
                        let answer = one.post("/graphql", JSON, QUERY);
                        if answer.status == 429 {
                            stop.store(true, Ordering::Relaxed);
                            return Some(answer);
                        }
                        assert_eq!(answer.status, 200, "{}", answer.text());
                    }
                    None
                })
            })
            .collect();
        flood.into_iter().filter_map(|thread| thread.join().unwrap()).next().expect("a refusal")
    });
    two.post("/graphql", JSON, QUERY).expect(200);
    is_too_many(&refused, "RATE_LIMITED", "/errors/0/extensions/code", "too many requests of this caller");
    std::thread::sleep(wait_of(&refused));
    one.post("/graphql", JSON, QUERY).expect(200);
    assert!(server.metric("tidegate_rate_refusals_total{kind=\"requests\"}") >= 1.0);
    assert!(server.metric("tidegate_rate_refusals_total{kind=\"failed_sign_ins\"}") == 0.0);
}

#[test]
fn each_route_says_so_in_its_own_words() {
    let server = start("[rate]\nrequests = 1\nrequests_burst = 1\n");
    let one = client(&server, "one");
    let sentence = "too many requests of this caller: try again in 1 s";
    for (method, path, at, code) in [
        ("POST", "/graphql", "/errors/0/extensions/code", "RATE_LIMITED"),
        ("GET", "/graphql?query=%7B__typename%7D", "/errors/0/extensions/code", "RATE_LIMITED"),
        ("GET", "/data", "/error/code", "rate_limited"),
        ("POST", "/data", "/error/code", "rate_limited"),
        ("PUT", "/streams/s/record", "/error/code", "rate_limited"),
        ("PUT", "/streams/s/records", "/error/code", "rate_limited"),
        ("POST", "/streams/s/messages", "/error/code", "rate_limited"),
        ("POST", "/oauth/codes", "/error", "rate_limited"),
    ] {
        let refused = exhaust(|| one.request(method, path).body(JSON, QUERY).send(server.address));
        is_too_many(&refused, code, at, sentence);
    }
    let media = "application/graphql-response+json";
    let refused = exhaust(|| {
        one.request("POST", "/graphql").header("Accept", media).body(JSON, QUERY).send(server.address)
    });
    assert_eq!(refused.header("content-type"), Some(media));
    // What tells of the node is not asked for by callers.
    for path in ["/healthz", "/readyz", "/metrics"] {
        server.get(path).expect(200);
    }
    let done = {
        let mut command = bare();
        command.args(["query", "{ __typename }", "--url", &server.url()]).current_dir(server.folder());
        command.env("TIDEGATE_CLIENT_ID", "one").env("TIDEGATE_CLIENT_SECRET", SECRET);
        exhaust(|| one.post("/graphql", JSON, QUERY));
        finish(command, "")
    };
    // It took a second to start, or it says why not.
    assert!(done.code == Some(0) || done.stderr.contains(sentence), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscribe_too_many_is_told_of_its_operation_and_the_socket_lives() {
    let server = start("[rate]\nrequests = 1\nrequests_burst = 5\n");
    let one = client(&server, "one");
    let mut socket = Socket::connect(&one).await.unwrap();
    let mut refused = 0;
    for n in 0..40 {
        let id = format!("op-{n}");
        socket.subscribe(&id, "{ __typename }", json!({})).await.unwrap();
        loop {
            let message: serde_json::Value = serde_json::from_str(&socket.hear().await.unwrap()).unwrap();
            assert_eq!(message["id"], *id, "{message}");
            match message["type"].as_str() {
                Some("next") => {}
                Some("complete") => break,
                Some("error") => {
                    assert_eq!(message["payload"][0]["extensions"]["code"], "RATE_LIMITED", "{message}");
                    refused += 1;
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!((10..=35).contains(&refused), "{refused} of 40");
    // Whoever waits is answered, on the same socket; and the id of one that was refused is free.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    socket.subscribe("op-39", "{ __typename }", json!({})).await.unwrap();
    let next = socket.hear().await.unwrap();
    assert!(next.contains(r#""type":"next""#), "{next}");
}

#[test]
fn behind_a_proxy_it_is_the_clients_address_that_counts() {
    let settings =
        "[server]\nproxies = [\"127.0.0.1\"]\n[rate]\naddress_requests = 1\naddress_requests_burst = 4\n";
    let server = Setup::configured(settings).limited().start_unready();
    let from =
        |client: &str| Request::new("GET", "/healthz").header("X-Forwarded-For", client).send(server.address);
    let refused = exhaust(|| from("1.1.1.1, 203.0.113.9"));
    is_too_many(&refused, "rate_limited", "/error/code", "too many requests of this address");
    assert_eq!(from("203.0.113.9").status, 429, "what stands further left is anybody's invention");
    from("203.0.113.10").expect(200);
    let elsewhere = Setup::configured("[rate]\naddress_requests = 1\naddress_requests_burst = 4\n").limited();
    let elsewhere = elsewhere.start_unready();
    let mut n = 0;
    exhaust(|| {
        n += 1;
        let invented = format!("203.0.113.{n}");
        Request::new("GET", "/healthz").header("X-Forwarded-For", &invented).send(elsewhere.address)
    });
    until("time to pass", || elsewhere.get("/healthz").status, |status| (*status == 200).then_some(()));
}

#[test]
fn what_is_no_limit_is_refused_at_the_start() {
    let here = tempfile::tempdir().unwrap();
    for (setting, value, reason) in [
        (
            "SERVER__PROXIES",
            "[\"10.0.0.0/33\"]",
            "server.proxies has \"10.0.0.0/33\": expected an address or a network",
        ),
        ("RATE__REQUESTS_BURST", "0", "rate.requests_burst is 0: expected at least 1"),
        ("RATE__KNOWN_MAX", "0", "rate.known_max is 0"),
        ("RATE__REQUESTS", "-1", "TIDEGATE__RATE__REQUESTS can't be used: invalid value: integer `-1`"),
    ] {
        let mut command = bare();
        command.args(["config", "check"]).current_dir(here.path()).env(format!("TIDEGATE__{setting}"), value);
        let done = finish(command, "");
        assert!(done.code == Some(1) && done.stderr.contains(reason), "{done:?}");
    }
}
