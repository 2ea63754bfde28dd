//! What was not known before is known soon after, while everything runs on.

use serde_json::json;

use crate::support::{Setup, until};

#[test]
fn a_stream_and_its_fields_come_to_be_by_use() {
    let server = Setup::empty().start();
    let client = server.client();
    assert_eq!(client.graphql("{ streams { name } }"), json!({ "streams": [] }));
    client.put_record("brand-new", "k", r#"{"a": 1}"#);
    let nodes = client.nodes("brandNew", "{ brandNew(last: 1) { nodes { data { a } } } }", 1);
    assert_eq!(nodes, [json!({ "data": { "a": 1 } })]);
    let streams = client.graphql("{ streams { name rootField topic retention } }");
    assert_eq!(
        streams["streams"],
        json!([{ "name": "brand-new", "rootField": "brandNew", "topic": "key", "retention": "30d" }])
    );
    // Only messages that are accepted make a stream.
    client.put("/streams/never/record", r#"{"Data":{"a":1,"a":2},"PartitionKey":"k"}"#).expect(400);
    assert_eq!(client.graphql("{ streams { name } }"), json!({ "streams": [{ "name": "brand-new" }] }));
}

#[test]
fn a_new_field_can_be_selected_without_a_restart() {
    let server = Setup::empty().start();
    let client = server.client();
    client.put_record("s", "k", r#"{"a": 1}"#);
    let before = "{ s(last: 9) { nodes { data { a } } } }";
    client.nodes("s", before, 1);
    let version = || {
        let answer = client.graphql_answer(before, &json!({}));
        answer.header("tidegate-schema").unwrap().to_owned()
    };
    let first = version();
    let unknown = client.graphql_answer("{ s(last: 9) { nodes { data { b { c } } } } }", &json!({})).json();
    assert!(unknown["errors"].is_array(), "{unknown}");

    client.put_record("s", "k", r#"{"a": 2, "b": {"c": "new"}}"#);
    let nodes = client.nodes("s", "{ s(last: 9) { nodes { data { a b { c } } } } }", 2);
    assert_eq!(nodes[0], json!({ "data": { "a": 1, "b": null } }));
    assert_eq!(nodes[1], json!({ "data": { "a": 2, "b": { "c": "new" } } }));
    assert_ne!(version(), first, "clients are told by the header that the schema is another");
}

#[test]
fn a_field_of_another_kind_becomes_a_sibling_and_old_documents_stay_valid() {
    let server = Setup::empty().start();
    let client = server.client();
    client.put_record("s", "k", r#"{"n": 1}"#);
    client.nodes("s", "{ s(last: 9) { nodes { data { n } } } }", 1);
    client.put_record("s", "k", r#"{"n": {"now": "an object"}}"#);
    let nodes = client.nodes("s", "{ s(last: 9) { nodes { data { n n_json } } } }", 2);
    assert_eq!(nodes[1]["data"]["n_json"], json!({ "now": "an object" }));
    let again = client.graphql_answer("{ s(last: 9) { nodes { data { n } } } }", &json!({})).json();
    assert_eq!(again["data"]["s"]["nodes"][0]["data"]["n"], 1, "{again}");
}

#[test]
fn introspection_learns_it_too() {
    let server = Setup::empty().start();
    let client = server.client();
    client.put_record("s", "k", r#"{"probe": true}"#);
    let document = r#"{ __type(name: "SData") { fields { name } } }"#;
    until(
        "introspection to name the field",
        || client.graphql_answer(document, &json!({})).json(),
        |answer| (answer["data"]["__type"]["fields"][0]["name"] == "probe").then_some(()),
    );
}
