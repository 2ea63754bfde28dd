//! Every way in, each read back through GraphQL byte for byte.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Value, json};

use crate::support::{Client, Setup};

/// What comes back as it was sent: digits, escapes, spaces, the order of names.
const KEPT: &[&str] = &[
    r#"{"n":9007199254740993}"#,
    r#"{"big":1e400,"tiny":1e-400,"minus":-0.0,"plus":1E+2,"long":123456789012345678901234567890}"#,
    "{ \"spaces\" :\t[ 1 ,2 ] , \"none\" : { } }",
    r#"{"escaped":"\u0041\/\u00e9\ud83d\ude00\n\"","plain":"Aé😀/"}"#,
    r#"{"z":1,"":"no name","a b":2,"a.b":3,"\u0061":4}"#,
    r#"[1,"two",null,{"three":[[[]]]}]"#,
    "17",
    "null",
    "{}",
];

const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json";

fn assert_kept(client: &Client, field: &str) {
    let all: Vec<String> = KEPT.iter().map(ToString::to_string).collect();
    assert_eq!(client.raws(field, KEPT.len()), all, "{field}");
}

#[test]
fn what_is_sent_comes_back_byte_for_byte() {
    let server = Setup::empty().start();
    let client = server.client();
    for message in KEPT {
        client.put_record("objects", "k", message);
        client.put_record("padded", "k", &format!("\"{}\"", STANDARD.encode(message)));
        client.put_record("unpadded", "k", &format!("\"{}\"", STANDARD_NO_PAD.encode(message)));
    }
    let records = |of: &dyn Fn(&str) -> String| {
        let records: Vec<String> =
            KEPT.iter().map(|m| format!(r#"{{"Data":{},"PartitionKey":"k"}}"#, of(m))).collect();
        format!(r#"{{"Records":[{}],"StreamName":"as SDKs send"}}"#, records.join(",\n"))
    };
    let encoded = |message: &str| format!("\"{}\"", STANDARD.encode(message));
    for (stream, body) in [("records", records(&|m| m.into())), ("recordsEncoded", records(&encoded))] {
        let answer = client.put(&format!("/streams/{stream}/records"), body).expect(200).json();
        assert_eq!(answer["FailedRecordCount"], 0, "{answer}");
    }
    for (stream, content_type, body, chunk) in [
        ("lines", NDJSON, KEPT.join("\n"), None),
        ("linesInChunks", NDJSON, KEPT.join("\r\n") + "\n\n", Some(1)),
        ("list", JSON, format!("[{}]", KEPT.join(",")), None),
        ("listInChunks", JSON, format!(" [ {} ]\n", KEPT.join(" ,\n")), Some(3)),
    ] {
        let request = client.request("POST", &format!("/streams/{stream}/messages?key=k"));
        let request = request.body(content_type, body);
        let request = chunk.map_or(request.clone(), |bytes| request.chunked(bytes));
        let answer = request.send(server.address).expect(200).json();
        assert_eq!(answer, json!({ "accepted": KEPT.len(), "rejected": 0, "errors": [] }), "{stream}");
    }
    for message in KEPT {
        client.post("/data", JSON, *message).expect(200);
    }
    for field in [
        "objects",
        "padded",
        "unpadded",
        "records",
        "recordsEncoded",
        "lines",
        "linesInChunks",
        "list",
        "listInChunks",
        "data",
    ] {
        assert_kept(&client, field);
    }
}

#[test]
fn what_the_mutation_takes_comes_back_with_the_same_value() {
    let server = Setup::empty().start();
    let client = server.client();
    let document =
        "mutation($data: JSON!) { publish(stream: \"s\", key: \"k\", data: $data) { position topic } }";
    for message in KEPT {
        // Put together as text: a library's number would lose digits before they were sent.
        let body = format!(r#"{{"query":{},"variables":{{"data":{message}}}}}"#, json!(document));
        let answer = client.post("/graphql", JSON, body).expect(200).json();
        match *message {
            // The argument's type says that it can't be null.
            "null" => assert!(answer["errors"].is_array(), "{answer}"),
            _ => assert_eq!(answer["data"]["publish"]["topic"], "k", "{answer}"),
        }
    }
    let raws = client.raws("s", KEPT.len() - 1);
    let value = |text: &str| serde_json::from_str::<Value>(text).ok();
    for (sent, raw) in KEPT.iter().filter(|message| **message != "null").zip(&raws) {
        // What no number of 64 bits holds can only be compared by its digits.
        match value(sent) {
            Some(sent) => assert_eq!(value(raw), Some(sent)),
            None => assert!(raw.contains("1e400"), "{raw}"),
        }
    }
    assert!(raws[0].contains("9007199254740993"), "{raws:?}");
    assert!(raws[1].contains("123456789012345678901234567890"), "{raws:?}");
}

#[test]
fn numbers_keep_their_digits_and_what_does_not_fit_is_a_field_error() {
    let server = Setup::empty().start();
    let client = server.client();
    for data in [r#"{"n":9007199254740993,"f":0.5}"#, r#"{"n":1,"f":1e400}"#] {
        client.put_record("numbers", "k", data);
    }
    client.raws("numbers", 2);
    let document = "{ numbers(last: 2) { nodes { data { n f } raw } } }";
    let answer = client.graphql_answer(document, &json!({})).expect(200);
    assert!(answer.text().contains(r#""n":9007199254740993,"#), "{}", answer.text());
    let answer = answer.json();
    let nodes = &answer["data"]["numbers"]["nodes"];
    assert_eq!(nodes[0]["data"], json!({ "n": 9007199254740993_u64, "f": 0.5 }));
    assert_eq!(nodes[1], json!({ "data": { "n": 1, "f": null }, "raw": r#"{"n":1,"f":1e400}"# }));
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{answer}");
    assert_eq!(answer["errors"][0]["path"], json!(["numbers", "nodes", 1, "data", "f"]));
}

#[test]
fn each_record_has_its_own_result() {
    let server = Setup::empty().start();
    let client = server.client();
    let body = r#"{"Records":[
        {"Data":{"good":1},"PartitionKey":"k"},
        {"Data":"not base64!","PartitionKey":"k"},
        {"Data":{"a":1,"\u0061":2},"PartitionKey":"k"},
        {"Data":{"no":"key"}},
        {"Data":"eyJnb29kIjoyfQ==","PartitionKey":"k"}]}"#;
    let answer = client.put("/streams/mixed/records", body).expect(200).json();
    assert_eq!(answer["FailedRecordCount"], 3);
    let records = answer["Records"].as_array().unwrap();
    for (record, expect) in records.iter().zip([
        None,
        Some(("bad_request", "not base64")),
        Some(("bad_json", "\"a\" appears twice")),
        Some(("unroutable", "no partition key")),
        None,
    ]) {
        match expect {
            None => {
                assert!(record["SequenceNumber"].is_string() && record["ShardId"].is_string(), "{record}");
            }
            Some((code, words)) => {
                assert_eq!(record["ErrorCode"], code);
                assert!(record["ErrorMessage"].as_str().unwrap().contains(words), "{record}");
            }
        }
    }
    assert_eq!(records.len(), 5);
    assert_eq!(client.raws("mixed", 2), [r#"{"good":1}"#, r#"{"good":2}"#]);
}

#[test]
fn good_lines_are_taken_and_bad_ones_are_named() {
    let server = Setup::empty().start();
    let client = server.client();
    let too_long = format!("{{\"long\":\"{}\"}}", "x".repeat(1 << 20));
    let lines = ["{\"n\":0}", "oops", "{\"n\":1}", "{\"n\":1,\"n\":2}", &too_long, "{\"n\":2}"];
    for (stream, content_type, body) in [
        ("asLines", NDJSON, lines.join("\n")),
        ("asList", JSON, format!("[{}]", lines.join(",").replace("oops", "[1,]"))),
    ] {
        let path = format!("/streams/{stream}/messages?key=k");
        let answer =
            client.request("POST", &path).body(content_type, body).chunked(1_000).send(server.address);
        let answer = answer.expect(200).json();
        assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(3), &json!(3)), "{stream}: {answer}");
        let errors = answer["errors"].as_array().unwrap();
        for (error, (index, words)) in errors.iter().zip([
            (1, "not JSON"),
            (3, "\"n\" appears twice"),
            (4, "at most 1048576 are accepted"),
        ]) {
            assert_eq!(error["index"], index);
            assert!(error["error"].as_str().unwrap().contains(words), "{error}");
        }
        assert_eq!(client.raws(stream, 3), ["{\"n\":0}", "{\"n\":1}", "{\"n\":2}"], "{stream}");
    }
}

#[test]
fn an_answer_says_where_the_message_is() {
    let server = Setup::empty().start();
    let client = server.client();
    let put: Vec<Value> =
        (0..3).map(|n| client.put_record("where", "k", &format!("{{\"n\":{n}}}"))).collect();
    let nodes = client.nodes("where", "{ where(topic: \"k\", last: 3) { nodes { position key topic } } }", 3);
    for (put, node) in put.iter().zip(nodes) {
        let position =
            format!("{}:{}", put["ShardId"].as_str().unwrap(), put["SequenceNumber"].as_str().unwrap());
        assert_eq!(node, json!({ "position": position, "key": "k", "topic": "k" }));
    }
}
