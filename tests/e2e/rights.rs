//! Rights by rules: partners who read what is their own tenant's, fields that are hidden, and writers that can't reach beyond their
//! topics, over each transport.

use serde_json::{Value, json};

use super::issuers::{accepting, after, bearer};
use crate::support::{Client, Issuer, PATIENCE, Server, Setup, Socket, tidegate, until};

const RULES: &str = r#"
[[rule]]
effect = "allow"
roles = ["partner"]
issuers = ["corp"]
streams = ["orders"]
topics = ["{claim:tenant}/*"]
rights = ["read"]

[[rule]]
effect = "allow"
roles = ["supplier"]
issuers = ["corp"]
streams = ["orders", "parcels"]
topics = ["{claim:tenant}/*"]
rights = ["write"]

[[rule]]
effect = "deny"
unless_roles = ["auditor"]
streams = ["orders", "data"]
fields = ["/card"]

[[rule]]
effect = "deny"
roles = ["data.read"]
unless_roles = ["auditor"]
streams = ["vault"]

[[client]]
id = "auditor"
secret_env = "SECRET"
roles = ["data.read", "data.write", "data.admin", "auditor"]

[[client]]
id = "reader"
secret_env = "SECRET"
roles = ["data.read", "data.write"]

[[stream]]
name = "parcels"
topic = "/to"

[[stream]]
name = "vault"
"#;

const SECRET: &str = "0123456789abcdef";

/// Whoever has a token of `corp` with this scope, of this tenant.
fn of_tenant(server: &Server, issuer: &Issuer, scope: &str, tenant: &Value) -> Client {
    let claims = json!({
        "iss": issuer.url(), "aud": "tidegate", "sub": format!("{scope}-{tenant}"), "client_id": "app", "scope": scope,
        "tenant": tenant, "exp": after(300),
    });
    bearer(server, issuer.mint(&json!({}), &claims))
}

fn order(tenant: &str, number: u32) -> String {
    format!(r#"{{"tenant":"{tenant}","number":{number},"card":"4000-{tenant}"}}"#)
}

/// A node with an order of each tenant, and whoever wrote them.
fn start(issuer: &Issuer) -> (Server, Client) {
    let settings = format!("{RULES}{}", accepting("corp", issuer));
    let server = Setup::configured(&settings).env("SECRET", SECRET).start();
    let auditor = Client::sign_in(server.address, "auditor", SECRET);
    for tenant in ["acme", "globex"] {
        auditor.put_record("orders", &format!("{tenant}/1"), &order(tenant, 1));
        auditor.put_record("vault", tenant, "{}");
    }
    auditor.nodes("orders", "{ orders(last: 9) { nodes { data { card } } } }", 2);
    auditor.nodes("vault", "{ vault(last: 9) { nodes { topic } } }", 2);
    (server, auditor)
}

#[test]
fn a_partner_reads_its_own_tenants_orders_without_what_is_hidden() {
    let Some(issuer) = Issuer::start("rights by claims") else { return };
    let (server, auditor) = start(&issuer);
    let partner = of_tenant(&server, &issuer, "partner", &json!("acme"));
    let nodes = partner.nodes("orders", "{ orders { nodes { topic data { number tenant } } } }", 1);
    assert_eq!(nodes, [json!({ "topic": "acme/1", "data": { "number": 1, "tenant": "acme" } })]);
    assert_eq!(
        partner.graphql("{ topics(stream: \"orders\") { topic } }")["topics"],
        json!([{ "topic": "acme/1" }])
    );
    assert_eq!(partner.graphql("{ streams { name } }")["streams"], json!([{ "name": "orders" }]));

    let schema = partner.graphql("{ __schema { types { name fields { name } } } }").to_string();
    assert!(schema.contains("OrdersData") && schema.contains("\"tenant\""), "{schema}");
    for word in ["\"card\"", "\"raw\"", "Vault", "Parcels"] {
        assert!(!schema.contains(word), "{word} is in {schema}");
    }
    for (query, code, expect) in [
        ("{ orders(topic: \"globex/1\") { nodes { topic } } }", "FORBIDDEN", "do not include this"),
        ("{ orders { nodes { data { card } } } }", "GRAPHQL_VALIDATION_FAILED", "\"card\""),
        ("{ orders { nodes { raw } } }", "GRAPHQL_VALIDATION_FAILED", "\"raw\""),
        ("{ vault { nodes { topic } } }", "GRAPHQL_VALIDATION_FAILED", "\"vault\""),
        ("{ deadLetters(stream: \"orders\") { text } }", "FORBIDDEN", "data.admin"),
    ] {
        let answer = partner.graphql_answer(query, &json!({})).json();
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], code, "{query}: {answer}");
        assert!(error["message"].as_str().unwrap().contains(expect), "{query}: {answer}");
    }
    // Others: of two tenants, of none, of one that is a pattern.
    for (tenant, topics) in [
        (json!(["acme", "globex"]), vec!["acme/1", "globex/1"]),
        (Value::Null, vec![]),
        (json!("*"), vec![]),
        (json!(""), vec![]),
    ] {
        let other = of_tenant(&server, &issuer, "partner", &tenant);
        let answer = other.graphql_answer("{ orders { nodes { topic } } }", &json!({})).json();
        let told = answer["data"]["orders"]["nodes"].as_array().cloned().unwrap_or_default();
        let told: Vec<&str> = told.iter().map(|node| node["topic"].as_str().unwrap()).collect();
        assert_eq!(told, topics, "{tenant}: {answer}");
    }
    // Who reads everything sees no more of a message, and nothing of what is denied.
    let reader = Client::sign_in(server.address, "reader", SECRET);
    assert_eq!(reader.nodes("orders", "{ orders { nodes { topic } } }", 2).len(), 2);
    let answer =
        reader.graphql_answer("{ vault { nodes { topic } } orders { nodes { data { card } } } }", &json!({}));
    assert!(!answer.text().contains("4000-"), "{}", answer.text());
    let answer = auditor.graphql("{ orders(first: 1) { nodes { raw } } }");
    assert!(answer.to_string().contains("4000-acme"), "{answer}");
}

#[tokio::test]
async fn what_comes_live_and_what_is_replayed_is_only_what_may_be_read() {
    let Some(issuer) = Issuer::start("live rights by claims") else { return };
    let (server, auditor) = start(&issuer);
    let partner = of_tenant(&server, &issuer, "partner", &json!("acme"));
    partner.nodes("orders", "{ orders { nodes { topic } } }", 1);
    // A cursor of somebody who sees everything is a place, and no more.
    let cursor = auditor.graphql("{ orders(last: 1) { resumeCursor } }")["orders"]["resumeCursor"].clone();
    let fields = "{ message { topic data { number } } }";
    let mut socket = Socket::connect(&partner).await.unwrap();
    let history = format!("subscription {{ orders(from: \"1970-01-01T00:00:00Z\") {fields} }}");
    socket.subscribe("history", &history, json!({})).await.unwrap();
    let resumed = format!("subscription($c: ResumeCursor) {{ orders(resume: $c) {fields} }}");
    socket.subscribe("resumed", &resumed, json!({ "c": cursor })).await.unwrap();
    let foreign = format!("subscription {{ orders(topic: \"globex/1\") {fields} }}");
    socket.subscribe("foreign", &foreign, json!({})).await.unwrap();
    socket
        .subscribe("hidden", "subscription { orders { message { data { card } } } }", json!({}))
        .await
        .unwrap();
    for tenant in ["globex", "acme", "globex", "acme"] {
        for number in 2..4 {
            auditor.put_record("orders", &format!("{tenant}/{number}"), &order(tenant, number));
        }
    }
    let (mut told, mut errors) = (std::collections::BTreeMap::<String, Vec<u64>>::new(), Vec::new());
    while told.values().map(Vec::len).sum::<usize>() < 9 || errors.len() < 2 {
        let text = tokio::time::timeout(PATIENCE, socket.hear()).await.unwrap().unwrap();
        assert!(!text.contains("globex/2") && !text.contains("4000"), "{text}");
        let message: Value = serde_json::from_str(&text).unwrap();
        let id = message["id"].as_str().unwrap_or_default().to_owned();
        if message["type"] == "error" {
            errors.push((id, message["payload"][0]["extensions"]["code"].clone()));
            continue;
        }
        let row = &message["payload"]["data"]["orders"]["message"];
        assert!(row["topic"].as_str().unwrap().starts_with("acme/"), "{text}");
        told.entry(id).or_default().push(row["data"]["number"].as_u64().unwrap());
    }
    errors.sort_by_key(|(id, _)| id.clone());
    assert_eq!(
        errors,
        [("foreign".into(), json!("FORBIDDEN")), ("hidden".into(), json!("GRAPHQL_VALIDATION_FAILED"))]
    );
    told.values_mut().for_each(|numbers| numbers.sort_unstable());
    assert_eq!((&told["history"], &told["resumed"]), (&vec![1, 2, 2, 3, 3], &vec![2, 2, 3, 3]));
}

#[test]
fn a_supplier_writes_its_own_tenants_topics_whatever_its_messages_say() {
    let Some(issuer) = Issuer::start("rights of writers") else { return };
    let (server, auditor) = start(&issuer);
    let supplier = of_tenant(&server, &issuer, "supplier", &json!("acme"));
    let put = |stream: &str, key: &str, data: &str| {
        supplier
            .put(&format!("/streams/{stream}/record"), format!(r#"{{"Data":{data},"PartitionKey":"{key}"}}"#))
    };
    put("orders", "acme/9", "{}").expect(200);
    // Where the topic is what the message says, that is what is asked about.
    put("parcels", "globex/1", r#"{"to":"acme/1"}"#).expect(200);
    for (stream, key, data) in [
        ("orders", "globex/9", "{}"),
        ("orders", "acme", "{}"),
        ("parcels", "acme/1", r#"{"to":"globex/1"}"#),
        ("parcels", "acme/1", r#"{"to":"acme"}"#),
    ] {
        let answer = put(stream, key, data).expect(403).text();
        assert!(answer.contains("do not include this: to write topic"), "{answer}");
    }
    let forged = supplier.post(
        "/streams/parcels/messages?topic=globex%2F1",
        "application/x-ndjson",
        r#"{"to":"acme/1"}"#,
    );
    assert_eq!(forged.status, 403, "{}", forged.text());
    let publish =
        r#"mutation { publish(stream: "parcels", topic: "globex/1", data: {to: "acme/1"}) { topic } }"#;
    let answer = supplier.graphql_answer(publish, &json!({})).json();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    // Whether a stream is there where nothing may be written is not told.
    let [there, not] = ["vault", "nowhere"].map(|stream| put(stream, "acme/1", "{}").expect(403).text());
    assert_eq!(there.replace("vault", "nowhere"), not);
    put("acme-new", "acme/1", "{}").expect(403);

    auditor.put_record("parcels", "end", r#"{"to":"end"}"#);
    let topics = until(
        "the last parcel",
        || auditor.graphql("{ topics(stream: \"parcels\") { topic } }")["topics"].clone(),
        |topics| topics.as_array()?.iter().any(|topic| topic["topic"] == "end").then(|| topics.clone()),
    );
    assert_eq!(topics, json!([{ "topic": "acme/1" }, { "topic": "end" }]));
    let streams = auditor.graphql("{ streams { name } }").to_string();
    assert!(!streams.contains("nowhere") && !streams.contains("acme-new"), "{streams}");
    // It reads nothing.
    let answer = supplier.graphql_answer("{ orders { nodes { topic } } }", &json!({})).json();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("data.read"), "{answer}");
}

#[test]
fn whole_messages_are_given_to_nobody_from_whom_a_part_is_hidden() {
    let Some(issuer) = Issuer::start("rights at /data") else { return };
    let (server, auditor) = start(&issuer);
    let reader = Client::sign_in(server.address, "reader", SECRET);
    reader.post("/data", "application/json", r#"{"card":"4000-mine","n":1}"#).expect(200);
    auditor.post("/data", "application/json", r#"{"card":"4000-ours","n":2}"#).expect(200);
    let page = until(
        "the auditor's own message",
        || auditor.get("/data").expect(200).json(),
        |page| page["messages"].as_array().is_some_and(|all| !all.is_empty()).then(|| page.clone()),
    );
    assert_eq!(page["messages"][0]["data"]["card"], "4000-ours");
    let answer = reader.get("/data").expect(403).text();
    assert!(answer.contains("fields are hidden") && !answer.contains("4000"), "{answer}");
    let nodes = reader.nodes("data", "{ data { nodes { data { n } } } }", 1);
    assert_eq!(nodes, [json!({ "data": { "n": 1 } })]);
}

#[test]
fn rules_that_cannot_be_used_are_told_at_the_start() {
    let here = tempfile::tempdir().unwrap();
    let file = here.path().join("tidegate.toml");
    for (rule, expect) in [
        (
            "effect = \"allow\"\nroles = [\"x\"]\nrights = [\"read\"]\nstreams = []",
            "[[rule]] number 1: streams is empty",
        ),
        (
            "effect = \"deny\"\nstreams = [\"*\"]\nissuers = [\"corp\"]",
            "there is no issuer \"corp\": there are embedded, keys",
        ),
        ("effect = \"deny\"\nstreams = [\"{x}\"]", "\"{x}\" is no pattern: in braces stand sub, claim:NAME"),
    ] {
        std::fs::write(&file, format!("[[rule]]\n{rule}\n")).unwrap();
        let done = tidegate(here.path(), &["--config", "tidegate.toml", "--listen", "127.0.0.1:0"], "");
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{expect}: {done:?}");
        assert!(done.stderr.contains(expect), "{}", done.stderr);
    }
}
