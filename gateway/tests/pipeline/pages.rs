//! Pages: ranges, ends, cursors, topics, against a plain list.

use gateway::GatewaySettings;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::rig::{Rig, principal};
use access::Role;

const DATA: &[(&str, i64, &str)] = &[
    ("a", 10, r#"{"n":1}"#),
    ("b", 10, r#"{"n":2}"#),
    ("a", 5, r#"{"n":3}"#),
    ("c", 20, r#"{"n":4}"#),
    ("b", 15, r#"{"n":5}"#),
    ("a", 30, r#"{"n":6}"#),
];

async fn rig() -> Rig {
    Rig::new(&[(json!({"name": "s", "topic": "key"}), DATA)]).await
}

fn numbers(answer: &Value) -> Vec<i64> {
    let nodes = answer["data"]["s"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    nodes.iter().map(|node| node["data"]["n"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn arguments_choose_rows_oldest_first() {
    let rig = rig().await;
    for (arguments, expect) in [
        ("", vec![3, 1, 2, 5, 4, 6]),
        ("(last: 2)", vec![4, 6]),
        ("(first: 2)", vec![3, 1]),
        ("(topic: \"a\")", vec![3, 1, 6]),
        ("(topics: [\"a\", \"c\"], last: 3)", vec![1, 4, 6]),
        ("(topic: \"a\", topics: \"c\")", vec![3, 1, 4, 6]),
        ("(topic: \"nobody\")", vec![]),
        ("(from: \"2020-06-01T00:00:10Z\", to: \"2020-06-01T00:00:20Z\")", vec![1, 2, 5]),
        ("(from: \"now+10s\", to: \"now+20s\", topic: \"b\")", vec![2, 5]),
        ("(from: \"now+20s\", to: \"now+10s\")", vec![]),
    ] {
        let answer = rig.ask(&format!("{{ s{arguments} {{ nodes {{ data {{ n }} }} }} }}")).await;
        assert_eq!(numbers(&answer), expect, "{arguments}");
    }
}

#[tokio::test]
async fn wrong_arguments_say_what_was_expected() {
    let rig = rig().await;
    for (arguments, part) in [
        ("first: 1, last: 1", "first or last, not both"),
        ("first: 0", "from 1 to 10000"),
        ("last: 10001", "from 1 to 10000"),
        ("from: \"soon\"", "expected ISO 8601"),
        ("after: \"AAAA\"", "cursor is damaged"),
        ("topic: \"\"", "1 to 512 bytes"),
    ] {
        let answer = rig.ask(&format!("{{ s({arguments}) {{ nodes {{ topic }} }} me {{ subject }} }}")).await;
        assert_eq!(answer["data"], json!({"s": null, "me": {"subject": "alice"}}), "{arguments}: {answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(part), "{arguments}: {answer}");
        assert_eq!(answer["errors"][0]["path"], json!(["s"]));
    }
}

#[tokio::test]
async fn too_many_topics_are_refused_with_a_hint() {
    let settings = GatewaySettings { topics_max: 2, ..GatewaySettings::default() };
    let rig = Rig::with_settings(&[(json!({"name": "s", "topic": "key"}), DATA)], settings).await;
    assert!(
        rig.errors("{ s { nodes { topic } } }").await[0]
            .contains("name some by topic or topics, or narrow from and to")
    );
    let narrow = rig
        .ask("{ s(from: \"now+12s\", to: \"now+16s\", topics: [\"b\", \"c\"]) { nodes { data { n } } } }")
        .await;
    assert_eq!(numbers(&narrow), [5]);
}

#[tokio::test]
async fn who_may_not_read_is_told_so() {
    let rig = Rig::new(&[
        (json!({"name": "s", "topic": "key"}), DATA),
        (json!({"name": "own", "topic": "caller"}), &[("alice", 0, r#"{"n":1}"#), ("bob", 1, r#"{"n":2}"#)]),
    ])
    .await;
    let writer = rig.ask_as(&principal(&[Role::Write]), "{ s { nodes { topic } } }", json!({})).await;
    assert_eq!(writer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let reader = principal(&[Role::Read]);
    let own =
        rig.ask_as(&reader, "{ own { nodes { topic } } topics(stream: \"own\") { topic } }", json!({})).await;
    assert_eq!(
        own,
        json!({"data": {"own": {"nodes": [{"topic": "alice"}]}, "topics": [{"topic": "alice"}]}})
    );
    for query in [
        "{ own(topic: \"bob\") { nodes { topic } } }",
        "{ own(topics: [\"alice\", \"bob\"]) { nodes { topic } } }",
    ] {
        let foreign = rig.ask_as(&reader, query, json!({})).await;
        assert_eq!(
            (&foreign["data"]["own"], &foreign["errors"][0]["extensions"]["code"]),
            (&json!(null), &json!("FORBIDDEN"))
        );
    }
    let admin =
        rig.ask_as(&principal(&[Role::Read, Role::Admin]), "{ own { nodes { topic } } }", json!({})).await;
    assert_eq!(admin["data"]["own"]["nodes"], json!([{"topic": "alice"}, {"topic": "bob"}]));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Following cursors in either direction visits every row once, in order, whatever the page's size.
    #[test]
    fn pages_cover_everything_once(
        rows in prop::collection::vec((0usize..4, 0i64..6), 0..30), size in 1usize..8, forward: bool
    ) {
        let topics = ["a", "b", "c", "d"];
        let texts: Vec<String> = (0..rows.len()).map(|n| format!("{{\"n\":{n}}}")).collect();
        let messages: Vec<(&str, i64, &str)> =
            rows.iter().zip(&texts).map(|((topic, at), text)| (topics[*topic], *at, text.as_str())).collect();
        let mut expect: Vec<(i64, usize)> = rows.iter().enumerate().map(|(n, (_, at))| (*at, n)).collect();
        expect.sort_unstable();
        let got = runtime().block_on(async {
            let rig = Rig::new(&[(json!({"name": "s", "topic": "key"}), messages.as_slice())]).await;
            let mut got: Vec<i64> = Vec::new();
            let mut cursor: Option<String> = None;
            loop {
                let (count, place) = if forward { ("first", "after") } else { ("last", "before") };
                let at = cursor.map_or(String::new(), |cursor| format!(", {place}: \"{cursor}\""));
                let selection = if rows.is_empty() { "topic" } else { "data { n }" };
                let answer = rig.ask(&format!("{{ s({count}: {size}{at}) {{ nodes {{ {selection} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}")).await;
                let page = if rows.is_empty() { Vec::new() } else { numbers(&answer) };
                let info = &answer["data"]["s"]["pageInfo"];
                let (more, next) = if forward { ("hasNextPage", "endCursor") } else { ("hasPreviousPage", "startCursor") };
                if forward { got.extend(page) } else { got.splice(0..0, page); }
                if info[more] == json!(false) {
                    return got;
                }
                cursor = info[next].as_str().map(Into::into);
            }
        });
        let expect: Vec<i64> = expect.into_iter().map(|(_, n)| n as i64).collect();
        prop_assert_eq!(got, expect);
    }
}
