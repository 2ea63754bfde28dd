//! Messages that come by HTTP and GraphQL to a node whose log is Kinesis: they are put there, and the answer says where.

use serde_json::{Value, json};

use super::cluster::{STREAM, settings};
use crate::support::kinesis::Emulator;
use crate::support::{Setup, until};

const JSON: &str = "application/json";

/// Streams besides the one of all these tests.
const MORE: &str = "[[stream]]\nname = \"renamed\"\nkinesis = \"of another name\"\n\n[[stream]]\nname = \"own\"\ntopic = \"caller\"\n\n\
                    [[stream]]\nname = \"by-kind\"\ntopic = \"/kind\"\n";

fn order(n: usize) -> String {
    format!(r#"{{"id":"o-{n}","n":{n}}}"#)
}

#[test]
fn what_comes_by_http_is_put_to_kinesis() {
    let emulator = Emulator::start();
    for stream in [STREAM, "other-name", "own", "by-kind"] {
        emulator.create(stream, 2);
    }
    let settings = settings(&emulator, "") + &MORE.replace("of another name", "other-name");
    let node = Setup::configured(&settings).with_credentials().start();
    let client = node.client();

    // Each way in answers the shard and the sequence.
    let position = |put: &Value| {
        let text = |name: &str| put[name].as_str().unwrap_or_else(|| panic!("{put}"));
        assert!(text("ShardId").starts_with("shardId-") && text("SequenceNumber").len() > 50, "{put}");
        format!("{}:{}", text("ShardId"), text("SequenceNumber"))
    };
    let mut positions = vec![position(&client.put_record(STREAM, "k", &order(0)))];
    let records: Vec<String> =
        (1..4).map(|n| format!(r#"{{"Data":{},"PartitionKey":"k"}}"#, order(n))).collect();
    let body = format!(r#"{{"Records":[{},{{"Data":"no base64!","PartitionKey":"k"}}]}}"#, records.join(","));
    let answer = client.put(&format!("/streams/{STREAM}/records"), body).expect(200).json();
    assert_eq!(answer["FailedRecordCount"], 1, "{answer}");
    let put = answer["Records"].as_array().unwrap();
    positions.extend(put[..3].iter().map(position));
    assert_eq!(put[3]["ErrorCode"], "bad_request", "{answer}");
    let lines: Vec<String> = (4..7).map(order).collect();
    let path = format!("/streams/{STREAM}/messages?key=k");
    let answer = client.post(&path, "application/x-ndjson", lines.join("\n")).expect(200).json();
    assert_eq!(answer, json!({ "accepted": 3, "rejected": 0, "errors": [] }));
    let publish = format!(
        "mutation {{ publish(stream: \"{STREAM}\", key: \"k\", data: {{id: \"o-7\", n: 7}}) {{ position topic }} }}"
    );
    let published = until(
        "the mutation to be taken",
        || client.graphql_answer(&publish, &json!({})).json(),
        |answer| answer["data"]["publish"]["position"].as_str().map(ToOwned::to_owned),
    );
    client.raws(STREAM, 8);
    let stored =
        until("eight", || client.stored(STREAM, "k"), |stored| (stored.len() >= 8).then(|| stored.clone()));
    let n = |raw: &str| serde_json::from_str::<Value>(raw).unwrap()["n"].as_u64().unwrap();
    assert_eq!(stored.iter().map(|(_, raw)| n(raw)).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    let at: Vec<&String> = stored.iter().map(|(position, _)| position).collect();
    assert_eq!(at[..4], positions.iter().collect::<Vec<_>>()[..]);
    assert_eq!(at[7], &published);

    // A stream may have another name there; where the topic is the caller, the key says who that is.
    client.put_record("renamed", "k", "{\"n\":1}");
    assert_eq!(client.raws("renamed", 1), ["{\"n\":1}"]);
    client.put_record("own", "ignored", "{\"n\":2}");
    let own = client.graphql("{ me { ownTopic } }")["me"]["ownTopic"].as_str().unwrap().to_owned();
    client.raws("own", 1);
    let stored: Vec<String> = client.stored("own", &own).into_iter().map(|(_, raw)| raw).collect();
    assert_eq!(stored, ["{\"n\":2}"]);

    // A record has no room for the name of a topic: it is taken where the stream's own rule says the same, and else refused.
    let named = |stream: &str, key: &str| {
        let publish = format!(
            "mutation {{ publish(stream: \"{stream}\", topic: \"t\", {key} data: {{id: \"o-9\"}}) {{ topic }} }}"
        );
        client.graphql_answer(&publish, &json!({})).json()
    };
    assert_eq!(named(STREAM, "")["data"]["publish"]["topic"], "t");
    until("it", || client.stored(STREAM, "t").len(), |count| (*count == 1).then_some(()));
    for refused in [named(STREAM, "key: \"k\","), named("by-kind", "")] {
        assert!(
            refused["errors"][0]["message"].as_str().is_some_and(|told| told.contains("topic")),
            "{refused}"
        );
    }
    let path = format!("/streams/{STREAM}/messages?key=k&topic=t");
    let answer = client.post(&path, JSON, format!("[{}]", order(9)));
    assert!(answer.status == 400 || answer.json()["rejected"] == 1, "{answer:?}");
    // And nobody makes a stream by writing to it.
    let unknown =
        client.put("/streams/nobody/record", format!(r#"{{"Data":{},"PartitionKey":"k"}}"#, order(9)));
    assert_eq!(unknown.status, 404, "{unknown:?}");

    // While Kinesis is away, whoever sends is told to come back, and the node says that it is not ready.
    emulator.set_cut(true);
    let body = format!(r#"{{"Data":{},"PartitionKey":"k"}}"#, order(8));
    let refused = client.put(&format!("/streams/{STREAM}/record"), body.clone());
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    emulator.set_cut(false);
    until(
        "the node to take messages again",
        || client.put(&format!("/streams/{STREAM}/record"), body.clone()).status,
        |status| (*status == 200).then_some(()),
    );
    until("the ninth", || client.stored(STREAM, "k").len(), |count| (*count == 9).then_some(()));
}
