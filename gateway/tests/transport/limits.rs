//! What a client can't do to a server.

use futures_util::SinkExt;
use gateway::{GatewaySettings, LiveSettings};
use serde_json::json;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::client::QUIET;
use crate::rig::{PATIENCE, Rig, SLOW, until};

/// Its answer is larger than any buffer of a socket.
const LARGE: &str = "{ a: __schema { types { ...T } } b: __schema { types { ...T } } }
    fragment T on __Type { name description fields { name description args { name } type { name kind } } }";

#[tokio::test]
async fn what_is_too_large_or_no_text_closes_the_socket() {
    let rig =
        Rig::with(GatewaySettings { body_bytes: 10_000, ..Default::default() }, Default::default()).await;
    let large = Message::text("x".repeat(100_000));
    let no_text = Message::Frame(Frame::message(vec![0xff], OpCode::Data(Data::Text), true));
    for (message, code) in [(large, 1009), (no_text, 1007)] {
        let mut socket = rig.connect().await;
        socket.send(message).await;
        assert_eq!(socket.closed().await.0, code);
    }
    until("sockets to close", || rig.gateway.sockets() == 0).await;
}

#[tokio::test]
async fn ten_thousand_operations_on_one_socket() {
    let rig = Rig::new().await;
    let mut socket = rig.connect().await;
    let most = LiveSettings::default().subscriptions_per_socket;
    for n in 0..10_000 {
        socket.subscribe(&n.to_string(), SLOW).await;
        if n < most {
            continue;
        }
        let message = socket.hear().await;
        assert_eq!(message["id"], n.to_string(), "{message}");
        assert_eq!(message["payload"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{message}");
        assert_eq!(rig.gateway.live_operations(), most);
    }
    rig.gate.add_permits(most);
    for _ in 0..2 * most {
        let message = socket.hear().await;
        assert!(message["type"] == "next" || message["type"] == "complete", "{message}");
    }
    assert_eq!(rig.gateway.live_operations(), 0);
}

#[tokio::test]
async fn what_is_started_and_stopped_without_reading_does_not_heap_up() {
    let rig = Rig::new().await;
    let mut socket = rig.connect().await;
    for n in 0..2_000 {
        let id = n.to_string();
        socket.subscribe(&id, SLOW).await;
        socket.say(json!({"id": id, "type": "complete"})).await;
        assert!(rig.gateway.live_operations() <= 201, "{}", rig.gateway.live_operations());
    }
    until("all to end", || rig.gateway.live_operations() == 0).await;
}

#[tokio::test]
async fn a_large_answer_comes_whole() {
    let rig = Rig::new().await;
    let mut socket = rig.connect().await;
    socket.subscribe("a", LARGE).await;
    let over_socket = socket.result("a").await;
    let body = json!({ "query": LARGE }).to_string();
    let head = "POST /graphql HTTP/1.1\r\nContent-Type: application/json";
    let answer = rig.http(head, &body, |_| false).await;
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    assert!(body.len() > 20_000, "{}", body.len());
    assert_eq!(over_socket, serde_json::from_str::<serde_json::Value>(body).unwrap());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_little_is_kept_for_it() {
    let live = LiveSettings { unread_ms: 2_000, unread_bytes: 10_000, ..Default::default() };
    let rig = Rig::with(Default::default(), live).await;
    let mut socket = rig.connect().await;
    // Pings whose pongs nobody reads fill what the system buffers, then what the server does; then it takes no more.
    let ping = Message::text(json!({"type": "ping", "payload": {"x": "y".repeat(50_000)}}).to_string());
    let mut sent = 0;
    let flood = async {
        while timeout(PATIENCE, socket.0.send(ping.clone())).await.unwrap().is_ok() {
            sent += ping.len();
        }
    };
    flood.await;
    until("the server to give it up", || rig.gateway.sockets() == 0).await;
    assert!(sent < 50_000_000, "{sent} bytes are more than two systems buffer");
}

#[tokio::test]
async fn what_is_stopped_while_nothing_is_read_does_not_heap_up() {
    let live = LiveSettings { unread_bytes: 1 << 30, ..Default::default() };
    let rig = Rig::with(Default::default(), live).await;
    let mut socket = rig.connect().await;
    // More pongs than two systems buffer: from here on no operation is polled.
    let ping = Message::text(json!({"type": "ping", "payload": {"x": "y".repeat(50_000)}}).to_string());
    for _ in 0..600 {
        socket.send(ping.clone()).await;
    }
    let heap = async {
        for n in 0..2_000 {
            let id = n.to_string();
            socket.subscribe(&id, SLOW).await;
            socket.say(json!({"id": id, "type": "complete"})).await;
        }
    };
    let watch = async {
        until("some to wait", || rig.gateway.live_operations() >= 150).await;
        sleep(QUIET).await;
    };
    tokio::join!(heap, watch);
    assert!(rig.gateway.live_operations() <= 200, "{}", rig.gateway.live_operations());
}
