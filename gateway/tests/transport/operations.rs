//! Queries and mutations on a socket.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::rig::{Rig, SLOW, until};

#[tokio::test]
async fn a_query_has_one_answer() {
    let rig = Rig::new().await;
    let mut socket = rig.connect().await;
    let query = "query Q($s: Boolean!) { __typename @include(if: $s) streams { name } }";
    let payload = json!({"query": query, "operationName": "Q", "variables": {"s": true}, "extensions": {}});
    socket.say(json!({"id": "a", "type": "subscribe", "payload": payload})).await;
    assert_eq!(socket.result("a").await, json!({"data": {"__typename": "Query", "streams": []}}));
    assert_eq!(socket.hear().await, json!({"id": "a", "type": "complete"}));
    // The id is free again.
    socket.subscribe("a", "{ __typename }").await;
    assert_eq!(socket.result("a").await, json!({"data": {"__typename": "Query"}}));
    assert_eq!(socket.hear().await, json!({"id": "a", "type": "complete"}));
    assert_eq!(rig.gateway.live_operations(), 0);
}

#[tokio::test]
async fn what_can_not_be_executed_is_an_error() {
    let rig = Rig::new().await;
    let mut socket = rig.connect().await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", "BAD_REQUEST"),
    ] {
        socket.subscribe("a", query).await;
        let message = socket.hear().await;
        assert_eq!((&message["id"], &message["type"]), (&json!("a"), &json!("error")), "{message}");
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{message}");
    }
    socket.say(json!({"type": "ping"})).await;
    assert_eq!(socket.hear().await, json!({"type": "pong"}), "no complete follows an error");
}

#[tokio::test]
async fn a_slow_operation_holds_nothing_up() {
    let rig = Rig::new().await;
    let mut socket = rig.connect().await;
    socket.subscribe("slow", SLOW).await;
    until("it to run", || rig.gateway.live_operations() == 1).await;
    socket.say(json!({"type": "ping", "payload": {"n": 1}})).await;
    assert_eq!(socket.hear().await, json!({"type": "pong", "payload": {"n": 1}}));
    socket.subscribe("quick", "{ __typename }").await;
    assert_eq!(socket.result("quick").await, json!({"data": {"__typename": "Query"}}));
    assert_eq!(socket.hear().await["type"], "complete");
    rig.gate.add_permits(1);
    assert_eq!(socket.result("slow").await, json!({"data": {"publish": {"topic": "t"}}}));
    assert_eq!(socket.hear().await, json!({"id": "slow", "type": "complete"}));
}

#[tokio::test]
async fn an_id_that_is_in_use_closes_the_socket() {
    let rig = Rig::new().await;
    let mut socket = rig.connect().await;
    socket.subscribe("a", SLOW).await;
    socket.subscribe("a", SLOW).await;
    assert_eq!(socket.closed().await, (4409, "Subscriber for a already exists".to_owned()));
    until("what ran to end", || rig.gateway.live_operations() == 0).await;
}

#[tokio::test]
async fn what_a_client_completes_is_ended_and_says_nothing_more() {
    let rig = Rig::new().await;
    let mut socket = rig.connect().await;
    socket.subscribe("a", SLOW).await;
    until("it to run", || rig.gateway.live_operations() == 1).await;
    socket.say(json!({"id": "a", "type": "complete"})).await;
    until("it to end", || rig.gateway.live_operations() == 0).await;
    rig.gate.add_permits(1);
    assert!(socket.is_quiet().await);
    socket.subscribe("a", SLOW).await;
    assert_eq!(socket.result("a").await, json!({"data": {"publish": {"topic": "t"}}}));
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_operations() {
    let rig = Rig::new().await;
    let mut socket = rig.connect().await;
    socket.subscribe("a", SLOW).await;
    until("it to run", || rig.gateway.live_operations() == 1).await;
    socket.send(Message::Close(None)).await;
    until("it to end", || rig.gateway.live_operations() == 0 && rig.gateway.sockets() == 0).await;
    let mut socket = rig.connect().await;
    socket.subscribe("a", SLOW).await;
    until("it to run", || rig.gateway.live_operations() == 1).await;
    drop(socket);
    until("it to end", || rig.gateway.live_operations() == 0 && rig.gateway.sockets() == 0).await;
}
