//! How sockets live on, and how they end.

use std::time::Duration;

use futures_util::StreamExt;
use gateway::LiveSettings;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::rig::{PATIENCE, Rig, SLOW, until};

#[tokio::test]
async fn a_node_that_stops_says_goodbye() {
    let rig = Rig::new().await;
    let (mut busy, mut idle, mut fresh) = (rig.connect().await, rig.connect().await, rig.open().await);
    busy.subscribe("a", SLOW).await;
    until("it to run", || rig.gateway.live_operations() == 1).await;
    assert_eq!(rig.gateway.sockets(), 3);
    rig.stop.send(true).unwrap();
    let expect = (1001, "Going away: the server is stopping; resume by cursor".to_owned());
    for socket in [&mut busy, &mut idle, &mut fresh] {
        assert_eq!(socket.closed().await, expect);
    }
    timeout(PATIENCE, rig.gateway.closed()).await.unwrap();
    until("all to close", || rig.gateway.sockets() == 0 && rig.gateway.live_operations() == 0).await;
}

#[tokio::test]
async fn a_client_that_does_not_answer_a_goodbye_is_waited_for_only_so_long() {
    let rig = Rig::new().await;
    let socket = rig.connect().await;
    rig.stop.send(true).unwrap();
    timeout(PATIENCE, rig.gateway.closed()).await.unwrap();
    until("it to be dropped", || rig.gateway.sockets() == 0).await;
    drop(socket);
}

#[tokio::test]
async fn a_socket_ends_with_its_token() {
    let live = LiveSettings { ping_ms: 50, ..LiveSettings::default() };
    let rig = Rig::with(Default::default(), live).await;
    let mut socket = rig.connect().await;
    rig.pass(3_604);
    assert!(socket.is_quiet().await, "the leeway of the verifier");
    rig.pass(1);
    let (code, reason) = socket.closed().await;
    assert_eq!(code, 4403);
    assert!(reason.contains("expired"), "{reason}");
}

#[tokio::test]
async fn a_socket_ends_with_its_callers_good_name() {
    let rig = Rig::new().await;
    let (mut busy, mut idle) = (rig.connect().await, rig.connect().await);
    busy.subscribe("a", SLOW).await;
    until("it to run", || rig.gateway.live_operations() == 1).await;
    rig.deny("somebody else").await;
    assert!(busy.is_quiet().await && idle.is_quiet().await);
    rig.deny("alice").await;
    for socket in [&mut busy, &mut idle] {
        let (code, reason) = socket.closed().await;
        assert_eq!((code, reason.split(':').next()), (4401, Some("Revoked")));
    }
    until("all to close", || rig.gateway.sockets() == 0 && rig.gateway.live_operations() == 0).await;
    let mut late = rig.open().await;
    late.say(json!({"type": "connection_init", "payload": {"Authorization": rig.bearer()}})).await;
    assert_eq!(late.closed().await.0, 4403, "who comes with it is told what any bad token is told");
}

#[tokio::test]
async fn a_silent_client_is_pinged() {
    let live = LiveSettings { ping_ms: 50, ..LiveSettings::default() };
    let rig = Rig::with(Default::default(), live).await;
    let mut socket = rig.connect().await;
    // The library answers while it is read from, so the socket stays.
    for _ in 0..5 {
        let frame = timeout(PATIENCE, socket.0.next()).await.unwrap().unwrap().unwrap();
        assert!(matches!(frame, Message::Ping(_)), "{frame:?}");
    }
    socket.say(json!({"type": "ping"})).await;
    assert_eq!(socket.hear().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_dropped() {
    let live = LiveSettings { ping_ms: 50, ..LiveSettings::default() };
    let rig = Rig::with(Default::default(), live).await;
    let mut socket = rig.connect().await;
    // Nothing is read, and so no ping answered.
    until("it to be dropped", || rig.gateway.sockets() == 0).await;
    let end = async {
        while let Some(frame) = socket.0.next().await {
            match frame {
                Ok(Message::Close(frame)) => panic!("a goodbye: {frame:?}"),
                Ok(_) => {}
                Err(_) => break,
            }
        }
    };
    timeout(PATIENCE, end).await.unwrap();
}

#[tokio::test]
async fn sockets_are_independent_of_one_another() {
    let rig = Rig::new().await;
    let (mut one, mut other) = (rig.connect().await, rig.connect().await);
    one.subscribe("a", SLOW).await;
    other.subscribe("a", "{ __typename }").await;
    assert_eq!(other.result("a").await["data"]["__typename"], "Query");
    one.send(Message::binary(vec![0])).await;
    assert_eq!(one.closed().await.0, 4400);
    tokio::time::sleep(Duration::from_millis(20)).await;
    other.say(json!({"type": "ping"})).await;
    assert_eq!(other.hear().await["type"], "complete");
    assert_eq!(other.hear().await["type"], "pong");
}
