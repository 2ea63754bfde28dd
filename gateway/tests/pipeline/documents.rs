//! Documents that are refused, and why; introspection.

use gateway::GatewaySettings;
use serde_json::json;

use crate::rig::Rig;

async fn rig() -> Rig {
    Rig::new(&[(json!({"name": "s", "topic": "key"}), &[("a", 0, r#"{"a":{"b":1}}"#)])]).await
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_place() {
    let rig = rig().await;
    let bomb: String =
        (0..40).map(|i| format!("fragment F{i} on S {{ ...F{n} ... {{ ...F{n} }} }} ", n = i + 1)).collect();
    for (query, code, part) in [
        ("", "GRAPHQL_PARSE_FAILED", "Unexpected <EOF>"),
        ("{", "GRAPHQL_PARSE_FAILED", ""),
        ("{ s }", "GRAPHQL_VALIDATION_FAILED", "must have a selection"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", "nothing"),
        ("{ s { nodes { data { a { c } } } } }", "GRAPHQL_VALIDATION_FAILED", "\"c\""),
        ("query A { __typename } query B { __typename }", "BAD_REQUEST", "several operations"),
        ("query ($n: Int!) { s(first: $n) { nodes { topic } } }", "BAD_USER_INPUT", "n"),
        ("subscription { s { cursor } }", "BAD_REQUEST", "text/event-stream"),
        (
            "subscription { s { cursor } t: s { late } }",
            "GRAPHQL_VALIDATION_FAILED",
            "only one top level field",
        ),
        (
            &format!("{{ s {{ nodes {{ ...F0 }} }} }} {bomb} fragment F40 on S {{ topic }}"),
            "LIMIT_EXCEEDED",
            "fields once its fragments are resolved",
        ),
        ("{ s { nodes { ...F } } } fragment F on S { ...F }", "GRAPHQL_VALIDATION_FAILED", ""),
        (
            &format!("{{ {} }}", (0..21).map(|i| format!("a{i}: __typename ")).collect::<String>()),
            "LIMIT_EXCEEDED",
            "21 root fields",
        ),
        (
            &format!("{{ s {{ nodes {{ topic {} }} }} }}", "key ".repeat(10_000)),
            "LIMIT_EXCEEDED",
            "more than 10000 tokens",
        ),
        (
            &format!("{}{}", "{ s ".repeat(2_000), "}".repeat(2_000)),
            "LIMIT_EXCEEDED",
            "more than 10000 tokens",
        ),
    ] {
        let answer = rig.ask(query).await;
        let shown: String = query.chars().take(80).collect();
        assert!(answer.get("data").is_none(), "{shown}: {answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{shown}: {answer}");
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(part), "{shown}: {message}");
    }
    let answer = rig.ask("{\n  s { nothing }\n}").await;
    assert_eq!(answer["errors"][0]["locations"], json!([{"line": 2, "column": 7}]), "{answer}");
}

#[tokio::test]
async fn a_large_response_is_refused_rather_than_cut() {
    let settings = GatewaySettings { response_bytes: 200, ..GatewaySettings::default() };
    let text = format!("{{\"t\":\"{}\"}}", "x".repeat(150));
    let messages = [("a", 0, text.as_str()), ("a", 1, &text)];
    let rig = Rig::with_settings(&[(json!({"name": "s", "topic": "key"}), &messages)], settings).await;
    // Both rows are read, as bytes are counted in rows; written with their escapes they are too many.
    let answer = rig.ask("{ s { nodes { raw data { t } } } }").await;
    assert_eq!(answer["data"]["s"], json!(null), "{answer}");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
}

#[tokio::test]
async fn introspection_shows_streams_and_control_plane_alike() {
    let rig = rig().await;
    let answer = rig.ask("{ __schema { queryType { fields { name } } mutationType { name } } __type(name: \"SDataA\") { fields { name type { name } } } }").await;
    let fields = answer["data"]["__schema"]["queryType"]["fields"].as_array().unwrap();
    for name in ["s", "streams", "deadLetters", "me"] {
        assert!(fields.iter().any(|field| field["name"] == name), "{name} is not in {answer}");
    }
    assert_eq!(answer["data"]["__type"]["fields"], json!([{"name": "b", "type": {"name": "Long"}}]));
}

#[tokio::test]
async fn the_schema_is_what_the_repository_says() {
    let rig = Rig::new(&[(
        json!({"name": "user-events", "topic": "/topic", "json_strings": ["/message"]}),
        &[
            ("t", 0, r#"{"topic":"t","cookie-id":"c","message":"{\"color\":\"teal\"}","n":[1]}"#),
            ("t", 0, r#"{"n":"x"}"#),
        ],
    )])
    .await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/example.graphql");
    let sdl = rig.gateway.sdl();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &sdl).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(sdl, written, "docs/example.graphql is stale: run this test with UPDATE=1");
}
