//! Rights on every path: each field of the whole schema is asked for by callers who may not see it, and by one who may.

mod walk;

use std::collections::BTreeSet;
use std::time::Duration;

use access::{Identity, IssuerName, Policy, Principal, Role, Roles, RuleSettings};
use apollo_compiler::Schema;
use gateway::{Event, GraphqlRequest, Started};
use schema::{PartitionId, StreamName, TimeRange, Timestamp};
use serde_json::{Value, json};
use store::{DeadLetter, DeadLetters, Journal, JournalRow, Leases, Messages, Order, TopicFilter, TopicPage};
use tokio::time::timeout;

use crate::rig::{NOW, Rig, position, principal};
use walk::{Way, arguments, document, ways};

const RULES: &str = r#"[
  { "effect": "allow", "roles": ["partner"], "issuers": ["corp"], "streams": ["orders"],
    "topics": ["{claim:tenant}/*"], "rights": ["read"] },
  { "effect": "allow", "roles": ["operator"], "streams": ["orders"], "rights": ["admin"] },
  { "effect": "deny", "unless_roles": ["auditor"], "streams": ["orders"], "fields": [
    "/kard", "/kards", "/who/kard", "/items/prise", "/deep/*/*/prise", "/memmo/kard", "/opened/pinn", "/mixed/pinn",
    "/prefs/*/pinn", "/list/0/pinn" ] },
  { "effect": "deny", "unless_roles": ["auditor"], "streams": ["bare"], "fields": ["/*"] },
  { "effect": "deny", "unless_roles": ["auditor"], "streams": ["vault", "cellar"] }
]"#;

/// Who asks, and what must never be among what it is told.
fn callers() -> Vec<(Principal, Vec<&'static str>)> {
    let rules: Vec<RuleSettings> = serde_json::from_str(RULES).unwrap();
    let policy = Policy::new(rules, ["corp"]).unwrap();
    let caller = |scope: &str, tenant: &str| {
        let mut identity = Identity::new(IssuerName::Named("corp".into()), "alice", "app");
        (identity.roles, identity.expires_at) = (Roles::from_scope(scope), Timestamp(i64::MAX / 2));
        identity.claims.insert("/tenant".into(), vec![tenant.into()]);
        Principal::of(identity, &policy).unwrap()
    };
    let hidden = ["SECRET", "424242", "UNSEEN", "LETTER", "cellar", "Cellar", "kard", "prise", "pinn"];
    let with = |more: &[&'static str]| [&hidden[..], more].concat();
    vec![
        (caller("partner", "acme"), with(&["FOREIGN", "MARK"])),
        (caller("data.read", "acme"), with(&[])),
        (caller("data.read data.write data.admin", ""), with(&[])),
        (caller("operator", "acme"), with(&["FOREIGN", "MARK", "acme/1"])),
        (caller("data.write", "acme"), with(&["FOREIGN", "MARK", "acme/1"])),
        (caller("", ""), with(&["FOREIGN", "MARK", "acme/1"])),
    ]
}

async fn world() -> Rig {
    let prefs: Vec<String> = (0..300).map(|n| format!(r#""k{n}":{{"pinn":"SECRET","ok":{n}}}"#)).collect();
    let full = |note: &str| {
        format!(
            r#"{{"note":"{note}","kard":"SECRET","kards":["SECRET"],"who":{{"name":"n","kard":{{"number":"SECRET"}}}},
            "items":[{{"sku":"x","prise":"SECRET"}}],"deep":[[{{"prise":"SECRET","ok":1}}]],"memmo":"{{\"kard\":\"SECRET\"}}",
            "opened":"{{\"pinn\":\"SECRET\",\"ok\":true}}","mixed":{{"pinn":"SECRET","ok":1}},"list":[{{"pinn":"SECRET","ok":1}}],
            "prefs":{{{}}}}}"#,
            prefs.join(",")
        )
    };
    // Other kinds at the same places go to sibling fields, which show values as they are.
    let odd = r#"{"note":"FOREIGN","kard":424242,"kards":{"x":"SECRET"},"who":"SECRET","items":"SECRET",
        "deep":"SECRET","memmo":{"kard":"SECRET"},"opened":["SECRET"],"mixed":["SECRET"],"list":"SECRET","prefs":["SECRET"]}"#;
    let (own, foreign) = (full("OWN"), full("FOREIGN"));
    let orders = [("acme/1", 0, own.as_str()), ("globex/named", 0, &foreign), ("globex/MARK", 0, odd)];
    let orders = [&orders[..], &[("acme/1", 1, odd.replace("FOREIGN", "OWN").leak())]].concat();
    let unseen = [("acme/1", 0, r#"{"x":"UNSEEN"}"#)];
    let rig = Rig::new(&[
        (json!({ "name": "orders", "topic": "key", "json_strings": ["/opened"] }), &orders),
        (json!({ "name": "bare" }), &[("acme/1", 0, r#"{"a":"SECRET","b":{"c":"SECRET"}}"#)]),
        (json!({ "name": "vault" }), &unseen),
        (json!({ "name": "cellar" }), &unseen),
    ])
    .await;
    for stream in ["orders", "bare", "vault", "cellar"] {
        journal(&rig, &StreamName::new(stream).unwrap()).await;
    }
    for stream in STREAMS {
        let letter = DeadLetter {
            position: position(9),
            arrived_at: Timestamp(NOW),
            key: "key".into(),
            reason: "LETTER".into(),
            raw: "LETTER".into(),
        };
        rig.store.write_dead_letters(&StreamName::new(stream).unwrap(), &[letter]).await.unwrap();
    }
    rig
}

/// Journals what the rig has written, so that subscriptions find it behind their fence.
async fn journal(rig: &Rig, stream: &StreamName) {
    let filter = TopicFilter { range: TimeRange::ALL, prefix: String::new(), after: None, limit: 10 };
    let (mut messages, partition) = (Vec::new(), PartitionId::embedded(0));
    for activity in rig.store.topics(stream, filter).await.unwrap() {
        let page = TopicPage {
            range: TimeRange::ALL,
            order: Order::Ascending,
            after: None,
            before: None,
            rows_max: 10,
            bytes_max: usize::MAX,
        };
        messages.extend(rig.store.read_topic(stream, &activity.topic, page).await.unwrap());
    }
    messages.sort_by_key(|message| message.position.clone());
    let last = messages.last().unwrap().position.sequence;
    let epoch = rig.store.claim_lease(stream, &partition).await.unwrap().epoch;
    let row = JournalRow { after: 0.into(), last, messages, children: Vec::new() };
    rig.store.append_journal(stream, &partition, &row).await.unwrap();
    assert!(rig.store.checkpoint(stream, &partition, epoch, last).await.unwrap());
}

/// Streams that somebody names; `cellar` is told by nobody.
const STREAMS: [&str; 3] = ["orders", "bare", "vault"];

/// Texts for the arguments of root fields, by name.
fn values(name: &str) -> Vec<String> {
    let quoted = |text: &str| format!("{text:?}");
    match name {
        "stream" | "name" => STREAMS.iter().map(|name| quoted(name)).collect(),
        "position" => vec![quoted(&position(9).to_string())],
        _ => Vec::new(),
    }
}

/// Every document: of a stream's fields also with topics that are named, and with all of time.
fn documents(schema: &Schema) -> Vec<String> {
    let query = schema.get_object("Query").unwrap();
    let mut documents = Vec::new();
    for way in ways(schema, "Query") {
        let field = &query.fields[way[0].as_str()];
        let mut texts = arguments(field, &values);
        if field.argument_by_name("topics").is_some() {
            texts.extend(
                [
                    "(last: 100)",
                    "(topic: \"globex/named\")",
                    "(topics: [\"acme/1\", \"globex/named\"])",
                    "(first: 9, from: \"1970-01-01T00:00:00Z\")",
                ]
                .map(ToOwned::to_owned),
            );
        }
        documents.extend(texts.iter().map(|text| document("query", &way, text)));
    }
    documents
}

fn parsed(sdl: &str) -> Schema {
    Schema::parse(sdl, "schema.graphql").unwrap()
}

async fn told(rig: &Rig, caller: &Principal, query: &str) -> String {
    let body = json!({ "query": query }).to_string();
    String::from_utf8(rig.raw(caller, &body).await).unwrap()
}

#[tokio::test]
async fn no_field_of_the_whole_schema_tells_what_its_caller_may_not_know() {
    let rig = world().await;
    let documents = documents(&parsed(&rig.gateway.sdl()));
    assert!(documents.len() > 300, "{}", documents.len());
    for (caller, never) in callers() {
        for query in &documents {
            let answer = told(&rig, &caller, query).await;
            // What it has asked by name itself comes back in the error.
            for word in never.iter().filter(|word| !query.contains(**word)) {
                assert!(!answer.contains(word), "{:?} is told {word} by {query}: {answer}", caller.roles());
            }
        }
    }
    // The same documents find all of it for whom nothing is hidden.
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let all = ["SECRET", "424242", "UNSEEN", "LETTER", "cellar", "FOREIGN", "MARK"];
    for query in &documents {
        let answer = told(&rig, &principal(&Role::ALL), query).await;
        found.extend(all.iter().filter(|word| answer.contains(**word)));
    }
    assert_eq!(found.len(), all.len(), "{found:?}");
}

#[tokio::test]
async fn a_schema_has_what_its_caller_may_read_and_no_more() {
    let rig = world().await;
    let seen = |ways: &[Way]| -> BTreeSet<String> { ways.iter().map(|way| way.join(".")).collect() };
    let whole = seen(&ways(&parsed(&rig.gateway.sdl()), "Query"));
    for (caller, _) in callers() {
        let sdl = rig.gateway.sdl_for(&caller).await.unwrap();
        for word in ["kard", "prise", "pinn", "memmo", "vault", "Vault", "ellar"] {
            assert!(!sdl.contains(word), "{:?} sees {word}", caller.roles());
        }
        // Introspection tells the same.
        let query = "{ __schema { types { name description fields { name description } } } }";
        let answer = told(&rig, &caller, query).await;
        let own = parsed(&sdl);
        for word in ["kard", "prise", "\"pinn", "memmo", "vault", "Vault", "ellar", "\"raw"] {
            assert!(!answer.contains(word), "{:?} is told {word}", caller.roles());
        }
        let message = own.get_object("Orders");
        assert!(message.is_none_or(|message| !message.fields.contains_key("raw")));
        assert_eq!(answer.contains("OrdersData"), own.get_object("OrdersData").is_some());
        let shown = seen(&ways(&own, "Query"));
        assert!(shown.is_subset(&whole));
        let reads = caller.roles().has("data.read") || caller.roles().has("partner");
        for way in [
            "orders.nodes.topic",
            "orders.nodes.data.note",
            "orders.nodes.data.who.name",
            "orders.nodes.data.items.sku",
            "orders.nodes.data.deep.ok",
            "orders.nodes.data.opened.ok",
            "orders.nodes.data.mixed.ok",
            "orders.nodes.data.list.ok",
            "orders.nodes.data.prefs_entries.value.ok",
        ] {
            assert_eq!(shown.contains(way), reads, "{:?} {way}: {sdl}", caller.roles());
        }
        assert_eq!(shown.contains("bare.nodes.topic"), caller.roles().has("data.read"));
    }
    let whole = rig.gateway.sdl_for(&principal(&Role::ALL)).await.unwrap();
    assert_eq!(whole, rig.gateway.sdl());
}

#[tokio::test]
async fn a_subscription_from_the_beginning_tells_no_more_than_a_query() {
    let rig = world().await;
    let whole = parsed(&rig.gateway.sdl());
    for (caller, never) in callers() {
        let own = parsed(&rig.gateway.sdl_for(&caller).await.unwrap());
        let own: BTreeSet<Way> =
            ways(&own, "Subscription").into_iter().filter(|way| !way.is_empty()).collect();
        for way in ways(&whole, "Subscription") {
            for arguments in ["", "(from: \"1970-01-01T00:00:00Z\")", "(topic: \"globex/named\")"] {
                let query = document("subscription", &way, arguments);
                let request =
                    GraphqlRequest::from_json(json!({ "query": query }).to_string().as_bytes()).unwrap();
                match rig.gateway.pipeline().start(&caller, &request, false, None).await {
                    Started::Answer(answer) => {
                        let answer = String::from_utf8(answer.body).unwrap();
                        assert!(
                            never.iter().all(|word| !answer.contains(word) || query.contains(word)),
                            "{query}: {answer}"
                        );
                        assert!(!own.contains(&way) || arguments.contains("globex"), "{query}: {answer}");
                    }
                    Started::Live(mut live) => {
                        assert!(own.contains(&way), "{query} was let in");
                        // Only the beginnings are read: those of other documents are the same messages.
                        let first = match arguments.contains("from") {
                            true => timeout(Duration::from_secs(20), live.next()).await.unwrap(),
                            false => None,
                        };
                        if let Some(Event::Batch(batch)) = first {
                            for at in 0..batch.len() {
                                let told = String::from_utf8_lossy(batch.payload(at)).into_owned();
                                assert!(never.iter().all(|word| !told.contains(word)), "{query}: {told}");
                            }
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn pages_and_topics_are_those_that_may_be_read() {
    let rig = world().await;
    let (partner, _) = callers().remove(0);
    let ask = |query: &'static str| rig.ask_as(&partner, query, json!({}));
    let answer =
        ask("{ orders { nodes { topic data { note } } } topics(stream: \"orders\") { topic } }").await;
    let nodes = answer["data"]["orders"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 2, "{answer}");
    assert!(
        nodes.iter().all(|node| node == &json!({ "topic": "acme/1", "data": { "note": "OWN" } })),
        "{answer}"
    );
    assert_eq!(answer["data"]["topics"], json!([{ "topic": "acme/1" }]));
    for (query, expect) in [
        ("{ topics(stream: \"orders\", prefix: \"ac\") { topic } }", json!([{ "topic": "acme/1" }])),
        ("{ topics(stream: \"orders\", prefix: \"acme/1\") { topic } }", json!([{ "topic": "acme/1" }])),
        ("{ topics(stream: \"orders\", prefix: \"acme/2\") { topic } }", json!([])),
        ("{ topics(stream: \"orders\", prefix: \"glo\") { topic } }", json!([])),
        ("{ topics(stream: \"orders\", after: \"acme/1\") { topic } }", json!([])),
    ] {
        assert_eq!(ask(query).await["data"]["topics"], expect, "{query}");
    }
    let answer = ask("{ orders(topic: \"globex/named\") { nodes { topic } } }").await;
    assert_eq!(answer["data"]["orders"], Value::Null);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    // Whether a topic is there that may not be read is not told either.
    let other = ask("{ orders(topic: \"globex/nowhere\") { nodes { topic } } }").await;
    let told = |answer: &Value| answer["errors"][0]["message"].as_str().unwrap().replace("named", "nowhere");
    assert_eq!(told(&answer), told(&other));
    let answer = ask("{ streams { name ownTopicOnly shapeVersion } stream(name: \"vault\") { name } }").await;
    assert_eq!(
        answer["data"]["streams"],
        json!([{ "name": "orders", "ownTopicOnly": true, "shapeVersion": 1 }])
    );
    assert_eq!(answer["data"]["stream"], Value::Null);
}

#[tokio::test]
async fn what_is_compiled_for_one_is_shared_by_those_who_see_the_same() {
    let rig = world().await;
    let [(partner, _), (reader, _), ..] = <[_; 6]>::try_from(callers()).unwrap();
    let query = "{ orders { nodes { data { note } } } }";
    let (one, other) = (told(&rig, &partner, query).await, told(&rig, &reader, query).await);
    assert!(!one.contains("FOREIGN") && other.contains("FOREIGN"), "{one} {other}");
    // Whoever sees more is not answered by what was compiled for less, nor the other way round.
    let query = "{ orders { nodes { data { kard } } } }";
    assert!(told(&rig, &principal(&Role::ALL), query).await.contains("SECRET"));
    assert!(!told(&rig, &reader, query).await.contains("SECRET"));
    assert!(told(&rig, &principal(&Role::ALL), query).await.contains("SECRET"));
    let version = |caller: Principal| {
        let request = GraphqlRequest::from_json(br#"{"query":"{ __typename }"}"#).unwrap();
        let pipeline = rig.gateway.pipeline().clone();
        async move { pipeline.execute(&caller, &request, false).await.schema_version }
    };
    assert_ne!(version(partner).await, version(reader.clone()).await);
    assert_ne!(version(reader.clone()).await, version(principal(&Role::ALL)).await);
    assert_eq!(version(reader.clone()).await, version(reader).await);
}
