//! Dead letters as whoever runs a node meets them: listed, looked at, exported, replayed by a mended definition, and discarded.

use schema::{PartitionId, Position, StreamName, Timestamp};
use serde_json::{Value, json};
use store::DeadLetter;
use store::testing::cql::now;

use crate::support::{Done, Server, Setup, run, store as stores, tidegate, until};

const WRONG: &str = "[[stream]]\nname = \"orders\"\ntopic = \"/customer\"\nid = \"/id\"\n";
const MENDED: &str = "[[stream]]\nname = \"orders\"\ntopic = \"/client\"\nid = \"/id\"\n";
/// In another client's data, names that the first definition does not look for.
const LETTERS: [&[u8]; 5] = [
    br#" {"client":"b","n":1,"id":"one"} "#,
    br#"{"client":"c","n":2,"added_since":true}"#,
    br#"{"client":"b","n":3,"id":"one"}"#,
    b"{\"client\":\"d\",",
    b"\xff\xfe",
];

/// Where the letter of that number stands.
fn at(number: usize) -> String {
    format!("shardId-000000000000:{}", 901 + number)
}

/// Writes letters into the store of a node that has ended, as the consumer of a log does that others write.
fn bury(server: &Server) {
    let (stream, now) = (StreamName::new("orders").unwrap(), now().0);
    let letter = |(number, raw): (usize, &&[u8])| DeadLetter {
        position: Position {
            partition: PartitionId::embedded(0),
            sequence: (901 + number as u64).into(),
            sub: 0,
        },
        arrived_at: Timestamp(now - 5_000_000 + number as i64),
        key: format!("key\n{}", number % 2).into(),
        reason: "no text or number at /customer".into(),
        raw: bytes::Bytes::copy_from_slice(raw),
    };
    let letters: Vec<DeadLetter> = LETTERS.iter().enumerate().map(letter).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = stores::open(&server.data()).await;
        store.write_dead_letters(&stream, &letters).await.unwrap();
    });
}

/// A node with one message and some letters, its stream's definition mended.
fn with_letters() -> Server {
    let mut server = Setup::configured(WRONG).start();
    server.client().put_record("orders", "k", r#"{"customer":"a","n":0}"#);
    assert_eq!(server.client().raws("orders", 1).len(), 1);
    server.kill_9();
    bury(&server);
    server.configure(MENDED);
    server.restart();
    server
}

fn letters(server: &Server, words: &[&str]) -> Done {
    let data = server.data().display().to_string();
    tidegate(server.folder(), &[&["dead-letters"], words, &["--data", &data]].concat(), "")
}

/// What a command prints that ends well.
fn said(done: Done) -> String {
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    done.stdout
}

#[test]
fn letters_are_listed_shown_and_exported() {
    let server = with_letters();
    let list = said(letters(&server, &["list", "orders"]));
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines.len() == 6 && lines[0].starts_with("POSITION"), "{list}");
    for (number, line) in lines[1..].iter().enumerate() {
        let position = line.split(' ').next().unwrap();
        assert_eq!(position, at(number));
        assert!(line.ends_with("no text or number at /customer"), "{line}");
        assert!(said(letters(&server, &["show", "orders", position])).contains("no text or number"));
    }
    let shown = said(letters(&server, &["show", "orders", &format!("{}:0", at(1))]));
    assert!(shown.ends_with("as text:\n\n{\"client\":\"c\",\"n\":2,\"added_since\":true}\n"), "{shown}");
    assert!(shown.contains("key       key\u{fffd}1\n"), "nothing is meant for the terminal: {shown}");
    let shown = said(letters(&server, &["show", "orders", &at(4)]));
    assert!(shown.ends_with("bytes     2, as base64:\n\n//4=\n"), "{shown}");

    let exported = said(letters(&server, &["export", "orders"]));
    let exported: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exported.len(), 5);
    for (number, line) in exported.iter().enumerate() {
        assert_eq!(
            (&line["stream"], &line["partition"], &line["sequence"], &line["sub"], &line["key"]),
            (
                &json!("orders"),
                &json!("shardId-000000000000"),
                &json!((901 + number).to_string()),
                &json!(0),
                &json!(format!("key\n{}", number % 2))
            )
        );
        let text = std::str::from_utf8(LETTERS[number]).ok();
        assert_eq!(line.get("text").and_then(Value::as_str), text);
        assert_eq!(line.get("base64").and_then(Value::as_str), text.is_none().then_some("//4="));
        assert!(line["arrivedAt"].is_string() && line["reason"] == "no text or number at /customer");
    }

    for (words, told) in [
        (&["show", "orders", "shardId-000000000000:1"][..], "no dead letter at shardId-000000000000:1"),
        (&["show", "orders", "1834"], "is not a position"),
        (&["list", "nothing"], "there is no stream \"nothing\""),
        (&["replay", "orders", "shardId-000000000000:1"], "1 not found"),
        (&["discard", "orders", "shardId-000000000000:1"], "1 not found"),
    ] {
        let done = letters(&server, words);
        assert!(done.code == Some(1) && done.stderr.contains(told), "{words:?}: {done:?}");
    }
}

#[test]
fn a_replayed_letter_is_a_message_once_to_all_who_read() {
    let mut server = with_letters();
    let data = server.data().display().to_string();
    // It began before there was a partition of replays.
    let tail = run(server.folder(), &["tail", "orders", "--data", &data, "--from", "now-1h"]);
    tail.wait_for(1);
    assert_eq!(
        said(letters(&server, &["replay", "orders", &at(1)])),
        format!("{}  replayed as replays:1\n1 replayed\n", at(1))
    );
    let again = letters(&server, &["replay", "orders", &at(1)]);
    assert!(again.code == Some(1) && again.stdout == format!("{}  not found\n", at(1)), "{again:?}");
    let lines = tail.wait_for(2);
    assert!(lines[1].contains("\"added_since\":true") && lines[1].contains("\"topic\":\"c\""), "{lines:?}");

    // Two have one id, and one is no message whatever the definition.
    let all = letters(&server, &["replay", "orders", "--all"]);
    assert_eq!((all.code, all.stderr.as_str()), (Some(1), "tidegate: 1 replayed, 1 folded, 2 still dead\n"));
    let lines: Vec<&str> = all.stdout.lines().collect();
    assert_eq!(lines[0], format!("{}  replayed as replays:2", at(0)));
    assert_eq!(lines[1], format!("{}  folded: a message with the same id had come before", at(2)));
    assert!(lines[2].starts_with(&format!("{}  still dead: the message is not JSON", at(3))), "{lines:?}");
    assert!(lines[3].starts_with(&format!("{}  still dead: the message is not UTF-8", at(4))), "{lines:?}");
    assert_eq!(tail.wait_for(3).len(), 3);

    for _ in 0..2 {
        let client = server.client();
        let query =
            "{ orders(from: \"now-1h\", last: 100) { nodes { topic position key data { n added_since } } } }";
        let nodes = client.nodes("orders", query, 3);
        let of = |n: u64| nodes.iter().filter(|node| node["data"]["n"] == n).collect::<Vec<_>>();
        assert_eq!(nodes.len(), 3, "{nodes:?}");
        assert_eq!(
            (of(1)[0], of(2)[0]),
            (
                &json!({"topic": "b", "position": "replays:2", "key": "key\n0", "data": {"n": 1, "added_since": null}}),
                &json!({"topic": "c", "position": "replays:1", "key": "key\n1", "data": {"n": 2, "added_since": true}})
            )
        );
        let partitions =
            client.graphql("{ stream(name: \"orders\") { partitions { partition checkpoint } } }");
        let partitions = partitions["stream"]["partitions"].as_array().unwrap().clone();
        // The second was folded, and has a sequence all the same.
        assert!(partitions.contains(&json!({"partition": "replays", "checkpoint": "3"})), "{partitions:?}");
        server.restart();
    }

    assert_eq!(
        said(letters(&server, &["discard", "orders", &at(3)])),
        format!("{}  discarded\n1 discarded\n", at(3))
    );
    assert!(said(letters(&server, &["discard", "orders", "--all"])).ends_with("1 discarded\n"));
    for words in [&["list", "orders"][..], &["replay", "orders", "--all"], &["discard", "orders", "--all"]] {
        assert_eq!(said(letters(&server, words)), "stream orders has no dead letters\n");
    }
    assert_eq!(said(letters(&server, &["export", "orders"])), "");
    assert_eq!(tail.lines().len(), 3, "nothing comes twice: {:?}", tail.lines());
}

/// A letter that a subscriber who watches live gets, over the page's own transport, and what is counted.
#[test]
fn what_was_replayed_is_counted() {
    let server = with_letters();
    said(letters(&server, &["replay", "orders", &at(0), &at(1)]));
    until(
        "the count",
        || server.get("/metrics").text(),
        |text| text.contains("tidegate_ingest_dead_letters_replayed_total 2\n").then_some(()),
    );
}
