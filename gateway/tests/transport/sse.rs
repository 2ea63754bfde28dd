//! Operations as server-sent events.

use gateway::LiveSettings;
use serde_json::{Value, json};

use crate::rig::{Rig, SLOW, until};

const POST: &str = "POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nAccept: text/event-stream";

fn body(query: &str) -> String {
    json!({ "query": query }).to_string()
}

fn never(_: &str) -> bool {
    false
}

/// The executions results among events.
fn results(answer: &str) -> Vec<Value> {
    answer
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

#[tokio::test]
async fn a_query_is_one_event_and_then_complete() {
    let rig = Rig::new().await;
    let answer = rig.http(POST, &body("{ __typename }"), never).await;
    let head = answer.to_ascii_lowercase();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    for header in [
        "content-type: text/event-stream; charset=utf-8",
        "cache-control: no-store",
        "x-accel-buffering: no",
        "tidegate-schema: ",
    ] {
        assert!(head.contains(header), "{header}: {answer}");
    }
    let events = "event: next\ndata: {\"data\":{\"__typename\":\"Query\"}}\n\nevent: complete\ndata:\n\n";
    assert!(answer.contains(events), "{answer}");
    assert_eq!(rig.gateway.live_operations(), 0);
    let get = "GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nAccept: text/event-stream";
    let answer = rig.http(get, "", never).await;
    assert!(answer.contains(events), "{answer}");
}

#[tokio::test]
async fn a_mutation_is_by_post_only() {
    let rig = Rig::new().await;
    rig.gate.add_permits(1);
    let answer = rig.http(POST, &body(SLOW), never).await;
    assert_eq!(results(&answer), [json!({"data": {"publish": {"topic": "t"}}})]);
    let get = "GET /graphql?query=mutation%7Bpublish(stream:%22s%22,data:1)%7Btopic%7D%7D HTTP/1.1\r\nAccept: text/event-stream";
    let answer = rig.http(get, "", never).await;
    let message = &results(&answer)[0]["errors"][0]["message"];
    assert_eq!(message, "a GET may only query: send mutations by POST", "{answer}");
    assert!(answer.contains("event: complete"), "{answer}");
}

#[tokio::test]
async fn what_is_wrong_with_a_document_is_an_event_and_with_a_request_a_status() {
    let rig = Rig::new().await;
    for (query, code) in [("{ nothing }", "GRAPHQL_VALIDATION_FAILED"), ("{", "GRAPHQL_PARSE_FAILED")] {
        let answer = rig.http(POST, &body(query), never).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(results(&answer)[0]["errors"][0]["extensions"]["code"], code, "{answer}");
        assert!(answer.contains("event: complete"), "{answer}");
    }
    let no_json = rig.http(POST, "{", never).await;
    assert!(no_json.starts_with("HTTP/1.1 400 ") && no_json.contains("application/json"), "{no_json}");
    let form = POST.replace("application/json", "text/plain");
    let answer = rig.http(&form, &body("{ __typename }"), never).await;
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
    let stranger = format!("{POST}\r\nAuthorization: Bearer x");
    let answer = rig.http(&stranger, &body("{ __typename }"), never).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "two tokens: {answer}");
}

#[tokio::test]
async fn who_takes_json_as_well_gets_it() {
    let rig = Rig::new().await;
    for accept in ["application/json, text/event-stream", "*/*", "application/graphql-response+json"] {
        let head = POST.replace("text/event-stream", accept);
        let answer = rig.http(&head, &body("{ __typename }"), never).await;
        assert!(answer.ends_with(r#"{"data":{"__typename":"Query"}}"#), "{accept}: {answer}");
    }
}

#[tokio::test]
async fn comments_keep_a_stream_alive() {
    let live = LiveSettings { sse_comment_ms: 20, ..LiveSettings::default() };
    let rig = Rig::with(Default::default(), live).await;
    let comments = |answer: &str| answer.matches("\n:\n\n").count() >= 4;
    rig.http(POST, &body(SLOW), comments).await;
    until("what nobody reads to end", || rig.gateway.live_operations() == 0).await;
}

#[tokio::test]
async fn a_node_that_stops_ends_streams_without_complete() {
    let rig = Rig::new().await;
    let stopping = async {
        until("it to run", || rig.gateway.live_operations() == 1).await;
        rig.stop.send(true).unwrap();
    };
    let query = body(SLOW);
    let (answer, ()) = tokio::join!(rig.http(POST, &query, never), stopping);
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("event:"), "{answer}");
    assert!(answer.ends_with("0\r\n\r\n"), "the body is whole: {answer}");
}

#[tokio::test]
async fn a_stream_ends_with_its_callers_good_name() {
    let rig = Rig::new().await;
    let denying = async {
        until("it to run", || rig.gateway.live_operations() == 1).await;
        rig.deny("somebody else").await;
        rig.deny("alice").await;
    };
    let query = body(SLOW);
    let (answer, ()) = tokio::join!(rig.http(POST, &query, never), denying);
    let error = &results(&answer)[0]["errors"][0];
    assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
    assert!(error["message"].as_str().unwrap().contains("not let in any more"), "{answer}");
    assert!(!answer.contains("event: complete"), "it is not complete: {answer}");
    until("it to end", || rig.gateway.live_operations() == 0).await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let live = LiveSettings { sse_comment_ms: 20, ..LiveSettings::default() };
    let rig = Rig::with(Default::default(), live).await;
    let passing = async {
        until("it to run", || rig.gateway.live_operations() == 1).await;
        rig.pass(3_605);
    };
    let query = body(SLOW);
    let (answer, ()) = tokio::join!(rig.http(POST, &query, never), passing);
    assert_eq!(results(&answer)[0]["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
    assert!(!answer.contains("event: complete"), "its client may go on with a new one: {answer}");
}
