//! The control plane through the pipeline.

use access::Role;
use serde_json::json;
use store::{DeadLetter, DeadLetters};

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
