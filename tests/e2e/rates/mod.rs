//! Too much of something: requests, messages, bytes, subscriptions, failed sign-ins. What is refused is told when to try again.

mod callers;
mod intake;
mod sign_ins;
mod subscriptions;

use std::time::Duration;

use serde_json::Value;

use crate::support::http::Answer;
use crate::support::{Client, Server, Setup};

const SECRET: &str = "0123456789abcdef";

/// A server with the clients `one` and `two`.
fn start(settings: &str) -> Server {
    let client = |id: &str| {
        format!(
            "[[client]]\nid = \"{id}\"\nsecret_env = \"SECRET\"\nroles = [\"data.read\", \"data.write\"]\n"
        )
    };
    let settings = format!("{settings}\n{}{}", client("one"), client("two"));
    Setup::configured(&settings).env("SECRET", SECRET).limited().start()
}

fn client(server: &Server, id: &str) -> Client {
    Client::sign_in(server.address, id, SECRET)
}

/// How long to wait until it may be tried again.
#[track_caller]
fn wait_of(answer: &Answer) -> Duration {
    let seconds = answer.header("retry-after").expect("a header Retry-After").parse().unwrap();
    assert!(seconds >= 1, "{answer:?}");
    Duration::from_secs(seconds)
}

/// Checks an answer that refuses one too many, in the words of its route.
#[track_caller]
fn is_too_many(answer: &Answer, code: &str, at: &str, part: &str) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    wait_of(answer);
    let body = answer.json();
    assert_eq!(body.pointer(at), Some(&Value::from(code)), "{body}");
    assert!(body.to_string().contains(part), "{part}: {body}");
}

/// Asks until it is too many, for which the rates of these tests leave no doubt.
#[track_caller]
fn exhaust(mut ask: impl FnMut() -> Answer) -> Answer {
    for _ in 0..1_000 {
        let answer = ask();
        if answer.status == 429 {
            return answer;
        }
    }
    panic!("a thousand were not too many");
}
