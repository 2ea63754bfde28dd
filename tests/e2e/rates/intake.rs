//! Messages, and their bytes.

use serde_json::json;

use super::{client, is_too_many, start, wait_of};
use crate::support::{tidegate, until};

const NDJSON: &str = "application/x-ndjson";

/// A call may bring ten, and no more come at once.
const TEN: &str =
    "[limits]\nrecords_per_call = 10\n[ingest]\nbody_rows = 10\n[rate]\nmessages = 1\nmessages_burst = 10\n";

#[test]
fn messages_are_counted_whatever_way_they_come_in() {
    let server = start(TEN);
    let one = client(&server, "one");
    let sentence = "too many messages of this caller";
    let records = |count: usize| {
        let records: Vec<_> =
            (0..count).map(|n| json!({ "Data": { "n": n }, "PartitionKey": "k" })).collect();
        json!({ "Records": records }).to_string()
    };
    one.put("/streams/s/records", records(10)).expect(200);
    for answer in [
        one.put("/streams/s/records", records(10)),
        one.put("/streams/s/records", records(9)),
        one.post("/streams/s/messages?key=k", NDJSON, "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}"),
    ] {
        is_too_many(&answer, "rate_limited", "/error/code", sentence);
    }
    // Others have ten of their own: the first group of a body is taken, and told, and the rest is not.
    let two = client(&server, "two");
    let lines: String = (0..30).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let answer = two.post("/streams/s/messages?key=k", NDJSON, lines);
    is_too_many(&answer, "rate_limited", "/error/code", sentence);
    assert_eq!(answer.json()["accepted"], 10, "{}", answer.text());
    let mutation = r#"mutation { publish(stream: "s", key: "k", data: "{\"n\":1}") { topic } }"#;
    let refused = until(
        "a mutation too many",
        || two.graphql_answer(mutation, &json!({})).json(),
        |answer| answer.get("errors").map(|errors| errors[0].clone()),
    );
    assert_eq!(refused["extensions"]["code"], "RATE_LIMITED", "{refused}");
    server.client().raws("s", 20);
}

#[test]
fn bytes_are_counted_too() {
    let settings = "[limits]\nbody_bytes = 4096\nmessage_bytes = 4000\n[gateway]\nbody_bytes = 4096\n\
                    [rate]\nbytes = 1\nbytes_burst = 4096\n";
    let server = start(settings);
    let (one, two) = (client(&server, "one"), client(&server, "two"));
    let message = format!("\"{}\"", "x".repeat(3_000));
    one.post("/data", "application/json", message.clone()).expect(200);
    let refused = one.post("/data", "application/json", message.clone());
    is_too_many(&refused, "rate_limited", "/error/code", "too many bytes of messages of this caller");
    // Nearly two thousand bytes are missing, at one a second.
    let wait = wait_of(&refused).as_secs();
    assert!((1_000..=2_000).contains(&wait), "{wait} s");
    two.post("/data", "application/json", message).expect(200);
    one.post("/data", "application/json", "{}").expect(200);
}

#[test]
fn what_one_call_may_bring_has_to_fit() {
    let here = tempfile::tempdir().unwrap();
    for (settings, reason) in [
        (
            "[rate]\nmessages = 5\nmessages_burst = 9999\n",
            "rate.messages_burst is 9999: expected at least 10000, which one call may bring",
        ),
        (
            "[rate]\nbytes = 5\nbytes_burst = 1\n",
            "rate.bytes_burst is 1: expected at least 8388608, which one call may bring",
        ),
    ] {
        std::fs::write(here.path().join("t.toml"), settings).unwrap();
        let done = tidegate(here.path(), &["config", "check", "--config", "t.toml"], "");
        assert!(done.code == Some(1) && done.stderr.contains(reason), "{done:?}");
    }
}
