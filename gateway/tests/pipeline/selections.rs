//! What is selected comes back, and nothing else.

use serde_json::{Value, json};

use crate::rig::Rig;

const EVENT: &str = r#"{"cookie_id":"c1","topic":"color","message":"{\"color\":\"teal\",\"n\":9007199254740993}","user-agent":"x","tags":["a","b"],"website_id":null}"#;

async fn rig() -> Rig {
    Rig::new(&[(
        json!({"name": "user-events", "topic": "/topic", "json_strings": ["/message"]}),
        &[("color", 1, EVENT)],
    )])
    .await
}

#[tokio::test]
async fn chosen_fields_come_back_under_their_aliases() {
    let rig = rig().await;
    for (selection, expect) in [
        (
            "time topic position key",
            json!({"time": "2020-06-01T00:00:01.000000Z", "topic": "color", "position": "shardId-000000000000:1", "key": "key"}),
        ),
        (
            "data { cookie_id message { color } }",
            json!({"data": {"cookie_id": "c1", "message": {"color": "teal"}}}),
        ),
        (
            "data { m: message { __typename c: color color } }",
            json!({"data": {"m": {"__typename": "UserEventsDataMessage", "c": "teal", "color": "teal"}}}),
        ),
        ("data { user_agent tags }", json!({"data": {"user_agent": "x", "tags": ["a", "b"]}})),
        // Twice the same field, in pieces: merged.
        (
            "data { message { color } } data { message { n } cookie_id }",
            json!({"data": {"message": {"color": "teal", "n": 9_007_199_254_740_993_i64}, "cookie_id": "c1"}}),
        ),
        (
            "... on UserEvents { data { ... { cookie_id } } } ...F",
            json!({"data": {"cookie_id": "c1"}, "timeSource": "MESSAGE"}),
        ),
        ("raw", json!({"raw": EVENT})),
        ("__typename", json!({"__typename": "UserEvents"})),
    ] {
        let fragment =
            if selection.contains("...F") { "fragment F on UserEvents { timeSource }" } else { "" };
        let answer = rig.ask(&format!("{{ userEvents {{ nodes {{ {selection} }} }} }} {fragment}")).await;
        assert_eq!(answer, json!({"data": {"userEvents": {"nodes": [expect]}}}), "{selection}");
    }
}

#[tokio::test]
async fn digits_survive_to_the_last_byte() {
    let rig = rig().await;
    let body = json!({"query": "{ userEvents { nodes { data { message { n } } } } }"}).to_string();
    let bytes = rig.raw(&crate::rig::principal(&access::Role::ALL), &body).await;
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text, r#"{"data":{"userEvents":{"nodes":[{"data":{"message":{"n":9007199254740993}}}]}}}"#);
}

#[tokio::test]
async fn conditions_are_decided_by_variables() {
    let rig = rig().await;
    let query = "query ($y: Boolean!, $n: Boolean = false) { userEvents { nodes { topic @include(if: $y) key @skip(if: $y) data @include(if: $n) { cookie_id } } } }";
    for (yes, expect) in [(true, json!({"topic": "color"})), (false, json!({"key": "key"}))] {
        for _ in 0..2 {
            let answer = rig.ask_with(query, json!({"y": yes})).await;
            assert_eq!(answer, json!({"data": {"userEvents": {"nodes": [expect]}}}));
        }
    }
}

#[tokio::test]
async fn roots_of_all_owners_come_back_in_the_order_of_the_selection() {
    let rig = rig().await;
    let answer = rig
        .raw(
            &crate::rig::principal(&access::Role::ALL),
            &json!({"query": "query ($s: String!) { a: __typename streams { name ...P } b: userEvents(last: 1) { nodes { topic } } me { subject } c: stream(name: $s) { rootField } __type(name: \"Long\") { kind } } fragment P on Stream { typeName }", "variables": {"s": "user-events"}}).to_string(),
        )
        .await;
    let text = String::from_utf8(answer).unwrap();
    assert_eq!(
        text,
        r#"{"data":{"a":"Query","streams":[{"name":"user-events","typeName":"UserEvents"}],"b":{"nodes":[{"topic":"color"}]},"me":{"subject":"alice"},"c":{"rootField":"userEvents"},"__type":{"kind":"SCALAR"}}}"#
    );
}

#[tokio::test]
async fn a_value_that_its_type_cannot_hold_is_an_error_at_its_place() {
    let big = r#"{"n":123456789012345678901234567890,"f":1e400,"s":1}"#;
    let rig =
        Rig::new(&[(json!({"name": "s", "topic": "key"}), &[("a", 0, r#"{"n":1,"f":1.5}"#), ("a", 1, big)])])
            .await;
    let body = json!({"query": "{ s { edges { node { data { n f s } raw } } } }"}).to_string();
    let text = String::from_utf8(rig.raw(&crate::rig::principal(&access::Role::ALL), &body).await).unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        answer["data"]["s"]["edges"][1]["node"],
        json!({"data": {"n": null, "f": null, "s": 1}, "raw": big})
    );
    assert_eq!(answer["errors"][0]["path"], json!(["s", "edges", 1, "node", "data", "n"]));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "VALUE_OUT_OF_RANGE");
    assert_eq!(answer["errors"][1]["path"][5], "f");
}

#[tokio::test]
async fn the_schema_learns_a_new_field_without_a_restart() {
    let rig = rig().await;
    let query = "{ userEvents { nodes { data { shade } } } }";
    assert!(rig.errors(query).await[0].contains("shade"), "{:?}", rig.errors(query).await);
    let streams = store::Catalog::streams(&rig.store).await.unwrap();
    crate::rig::fill(&rig.store, &streams[0], &[("color", 9, r#"{"shade":"dark"}"#)]).await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let answer = rig.ask(query).await;
        if answer["data"]["userEvents"]["nodes"][1]["data"]["shade"] == "dark" {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{answer}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_object_of_which_nothing_is_left_is_empty() {
    let rig =
        Rig::new(&[(json!({"name": "s", "topic": "key"}), &[("a", 0, r#"{"n":1,"o":{"x":1}}"#)])]).await;
    for (query, expect) in [
        ("{ s { nodes @skip(if: true) { topic } } }", json!({ "s": {} })),
        ("{ s { nodes { topic @skip(if: true) } } }", json!({ "s": { "nodes": [{}] } })),
        ("{ s { nodes { data { n @include(if: false) } } } }", json!({ "s": { "nodes": [{ "data": {} }] } })),
        (
            "{ s { nodes { data { o { x @include(if: false) } } } } }",
            json!({ "s": { "nodes": [{ "data": { "o": {} } }] } }),
        ),
        ("{ s { pageInfo { hasNextPage @skip(if: true) } } }", json!({ "s": { "pageInfo": {} } })),
        ("{ s { edges { cursor @skip(if: true) } } }", json!({ "s": { "edges": [{}] } })),
        ("{ s @skip(if: true) { nodes { topic } } }", json!({})),
    ] {
        let answer = rig.ask(query).await;
        assert_eq!(answer["data"], expect, "{query}: {answer}");
    }
}
