//! The control plane through the pipeline.

use access::Role;
use serde_json::json;
use store::{DeadLetter, DeadLetters, LetterDecisions};

use crate::rig::{NOW, Rig, position, principal};

async fn rig() -> Rig {
    Rig::new(&[(
        json!({"name": "orders", "topic": "/t", "retention": "7d"}),
        &[("a", 1, r#"{"t":"a","x":[{"y":1}]}"#), ("b", 2, "{}")],
    )])
    .await
}

#[tokio::test]
async fn streams_topics_and_shapes_are_listed() {
    let rig = rig().await;
    let answer = rig
        .ask("{ streams { name rootField typeName topic retention partitions { partition } } stream(name: \"none\") { name } topics(stream: \"orders\", prefix: \"b\") { topic lastTime } shape(stream: \"orders\") { places { path kinds } } }")
        .await;
    assert_eq!(
        answer["data"],
        json!({
            "streams": [{"name": "orders", "rootField": "orders", "typeName": "Orders", "topic": "/t", "retention": "7d", "partitions": []}],
            "stream": null,
            "topics": [{"topic": "b", "lastTime": "2020-06-01T00:00:02.000000Z"}],
            "shape": {"places": [
                {"path": "", "kinds": ["object"]},
                {"path": "/t", "kinds": ["text"]},
                {"path": "/x", "kinds": ["array"]},
                {"path": "/x/*", "kinds": ["object"]},
                {"path": "/x/*/y", "kinds": ["integer"]},
            ]},
        })
    );
    assert!(
        rig.errors("{ shape(stream: \"none\") { version } }").await[0]
            .contains("there is no stream \"none\"")
    );
}

#[tokio::test]
async fn publish_hands_on_the_digits_that_were_sent() {
    let rig = rig().await;
    let literal = r#"mutation { publish(stream: "orders", key: "k", data: {big: 123456789012345678901234567890, e: 1e400, s: "ü\"", l: [null, true]}) { position topic } }"#;
    let answer = rig.ask(literal).await;
    assert_eq!(
        answer,
        json!({"data": {"publish": {"position": "shardId-000000000000:7", "topic": "routed"}}})
    );
    let body = r#"{"query":"mutation P($d: JSON!, $t: String) { one: publish(stream: \"orders\", topic: $t, data: $d) { topic } two: publish(stream: \"orders\", data: {in: $d}) { topic } }","variables":{"d":{"n":9007199254740993,"e":1e400},"t":"mine"}}"#;
    let answer = rig.raw(&principal(&[Role::Write]), body).await;
    assert_eq!(
        String::from_utf8(answer).unwrap(),
        r#"{"data":{"one":{"topic":"mine"},"two":{"topic":"routed"}}}"#
    );
    let notes = rig.notes.0.lock().unwrap();
    let data: Vec<&str> = notes.iter().map(|request| std::str::from_utf8(&request.data).unwrap()).collect();
    assert_eq!(
        data,
        [
            r#"{"big":123456789012345678901234567890,"e":1e400,"s":"ü\"","l":[null,true]}"#,
            r#"{"n":9007199254740993,"e":1e400}"#,
            r#"{"in":{"n":9007199254740993,"e":1e400}}"#,
        ]
    );
}

#[tokio::test]
async fn roles_are_asked_for() {
    let rig = rig().await;
    let letter = DeadLetter {
        position: position(3),
        arrived_at: schema::Timestamp(NOW),
        key: "k".into(),
        reason: "why".into(),
        raw: "x".into(),
    };
    rig.store.write_dead_letters(&"orders".to_owned().try_into().unwrap(), &[letter]).await.unwrap();
    for (query, role) in [
        ("{ streams { name } }", Role::Read),
        ("{ topics(stream: \"orders\") { topic } }", Role::Read),
        ("{ shape(stream: \"orders\") { version } }", Role::Read),
        ("{ deadLetters(stream: \"orders\") { reason text } }", Role::Admin),
        ("{ deadLetter(stream: \"orders\", position: \"p:1\") { reason text } }", Role::Admin),
        ("mutation { replayDeadLetters(stream: \"orders\", positions: []) { verdict } }", Role::Admin),
        ("mutation { discardDeadLetters(stream: \"orders\", positions: []) { verdict } }", Role::Admin),
        ("mutation { publish(stream: \"orders\", data: 1) { topic } }", Role::Write),
    ] {
        let all = principal(&[role]);
        let granted = rig.ask_as(&all, query, json!({})).await;
        assert!(granted.get("errors").is_none(), "{query}: {granted}");
        let others: Vec<Role> = Role::ALL.into_iter().filter(|other| *other != role).collect();
        let denied = rig.ask_as(&principal(&others), query, json!({})).await;
        assert_eq!(denied["errors"][0]["extensions"]["code"], "FORBIDDEN", "{query}: {denied}");
    }
    let letters = rig.ask("{ deadLetters(stream: \"orders\") { position reason text sizeBytes } }").await;
    assert_eq!(
        letters["data"]["deadLetters"],
        json!([{"position": "shardId-000000000000:3", "reason": "why", "text": "x", "sizeBytes": 1}])
    );
}

#[tokio::test]
async fn dead_letters_are_looked_at_one_by_one_and_page_by_page() {
    let rig = rig().await;
    let letter = |sequence, sub, raw: &[u8]| DeadLetter {
        position: schema::Position { sub, ..position(sequence) },
        arrived_at: schema::Timestamp(NOW),
        key: "k".into(),
        reason: "why".into(),
        raw: bytes::Bytes::copy_from_slice(raw),
    };
    let (orders, large) = ("orders".to_owned().try_into().unwrap(), vec![b'x'; 1 << 20]);
    let mut letters: Vec<DeadLetter> = (1..=25).map(|n| letter(n, 0, b"{")).collect();
    letters[3] = letter(3, 7, b"\xff\x00");
    letters.extend((30..50).map(|n| letter(n, 0, &large)));
    rig.store.write_dead_letters(&orders, &letters).await.unwrap();

    let fields = "position partition sequence sub arrivedAt key reason sizeBytes text base64";
    let query = format!(
        "{{ deadLetter(stream: \"orders\", position: \"shardId-000000000000:3:7\") {{ {fields} }} }}"
    );
    assert_eq!(
        rig.ask(&query).await["data"]["deadLetter"],
        json!({
            "position": "shardId-000000000000:3:7", "partition": "shardId-000000000000", "sequence": "3", "sub": 7,
            "arrivedAt": "2020-06-01T00:00:00.000000Z", "key": "k", "reason": "why", "sizeBytes": 2,
            "text": null, "base64": "/wA=",
        })
    );
    let none =
        rig.ask("{ deadLetter(stream: \"orders\", position: \"shardId-000000000000:4:1\") { text } }").await;
    assert_eq!(none, json!({"data": {"deadLetter": null}}));

    for first in [1, 4, 30, 100] {
        let (mut after, mut listed, mut pages) = (json!(null), Vec::new(), 0);
        loop {
            let query = "query($first: Int, $after: String) { deadLetters(stream: \"orders\", first: $first, after: $after) { position } }";
            let page = rig.ask_with(query, json!({"first": first, "after": after})).await;
            let page = page["data"]["deadLetters"].as_array().unwrap_or_else(|| panic!("{page}")).clone();
            assert!(page.len() <= first);
            let Some(last) = page.last() else { break };
            after = last["position"].clone();
            listed.extend(page.iter().map(|letter| letter["position"].as_str().unwrap().to_owned()));
            pages += 1;
        }
        let expect: Vec<String> = letters.iter().map(|letter| letter.position.to_string()).collect();
        assert_eq!(listed, expect, "by {first}");
        // Twenty letters of a megabyte are not one page.
        assert!(pages > 1, "by {first}");
    }
}

#[tokio::test]
async fn of_each_dead_letter_is_said_what_became_of_it() {
    let rig = Rig::new(&[
        (json!({"name": "orders", "topic": "/t"}), &[]),
        (json!({"name": "elsewhere", "topic": "/t"}), &[]),
    ])
    .await;
    let at = |n: u64| position(n).to_string();
    let positions = json!([at(2), at(3), at(4), at(8)]);
    let replay = "mutation($s: String!, $p: [String!]!) { replayDeadLetters(stream: $s, positions: $p) { position verdict message reason } }";
    let answer = rig.ask_with(replay, json!({"s": "orders", "p": positions})).await;
    assert_eq!(
        answer["data"]["replayDeadLetters"],
        json!([
            {"position": at(2), "verdict": "REPLAYED", "message": at(102), "reason": null},
            {"position": at(3), "verdict": "STILL_DEAD", "message": null, "reason": "it is odd"},
            {"position": at(4), "verdict": "FOLDED", "message": null, "reason": null},
            {"position": at(8), "verdict": "NOT_FOUND", "message": null, "reason": null},
        ])
    );
    let answer = rig.ask_with(replay, json!({"s": "elsewhere", "p": positions})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "MISDIRECTED", "{answer}");

    let orders = "orders".to_owned().try_into().unwrap();
    let letter = |n| DeadLetter {
        position: position(n),
        arrived_at: schema::Timestamp(NOW),
        key: "k".into(),
        reason: "why".into(),
        raw: "x".into(),
    };
    rig.store.write_dead_letters(&orders, &[2, 3, 4].map(letter)).await.unwrap();
    let begun = LetterDecisions { version: 1, replays: vec![position(3)], ..LetterDecisions::default() };
    assert!(rig.store.put_letter_decisions(&orders, &begun).await.unwrap());
    let discard = "mutation($s: String!, $p: [String!]!) { discardDeadLetters(stream: $s, positions: $p) { position verdict } }";
    let answer = rig.ask_with(discard, json!({"s": "orders", "p": [at(2), at(3), at(9)]})).await;
    assert_eq!(
        answer["data"]["discardDeadLetters"],
        json!([
            {"position": at(2), "verdict": "DISCARDED"},
            {"position": at(3), "verdict": "BEING_REPLAYED"},
            {"position": at(9), "verdict": "NOT_FOUND"},
        ])
    );
    let left = rig.ask("{ deadLetters(stream: \"orders\") { position } }").await;
    assert_eq!(left["data"]["deadLetters"], json!([{"position": at(3)}, {"position": at(4)}]));

    for mutation in [replay, discard] {
        for (stream, positions, words) in [
            ("none", json!([at(1)]), "there is no stream \"none\""),
            ("orders", json!(["nowhere"]), "\"nowhere\" is not a position"),
            ("orders", json!(vec![at(1); 101]), "there are 101 positions, and at most 100"),
        ] {
            let answer = rig.ask_with(mutation, json!({"s": stream, "p": positions})).await;
            let message = answer["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains(words), "{answer}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        }
    }
}
