//! How sockets are opened, and who may.

use std::time::Duration;

use gateway::LiveSettings;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::rig::Rig;

#[tokio::test]
async fn the_subprotocol_is_one_of_those_offered() {
    let rig = Rig::new().await;
    for (offered, spoken) in [
        (Some("graphql-transport-ws"), true),
        (Some("graphql-ws, graphql-transport-ws"), true),
        (Some("graphql-transport-ws2"), false),
        (Some("graphql-ws"), false),
        (None, false),
    ] {
        let mut request = rig.request();
        request.headers_mut().remove("sec-websocket-protocol");
        if let Some(offered) = offered {
            // The library refuses a server that agrees to none of what it offered, so it is told of one.
            request.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
        }
        match rig.handshake(request).await {
            Ok((mut socket, response)) if spoken => {
                assert_eq!(response.headers()["sec-websocket-protocol"], "graphql-transport-ws");
                socket.say(json!({"type": "ping"})).await;
                assert_eq!(socket.hear().await, json!({"type": "pong"}));
            }
            Ok((mut socket, response)) => {
                assert!(!response.headers().contains_key("sec-websocket-protocol"), "{offered:?}");
                let expect = (4406, "Subprotocol not acceptable".to_owned());
                assert_eq!(socket.closed().await, expect, "{offered:?}");
            }
            Err(Error::Protocol(_)) if !spoken && offered.is_some() => {}
            Err(error) => panic!("{offered:?}: {error}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_told() {
    let rig = Rig::new().await;
    let upgrade = "GET /graphql HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12";
    let answer = rig.http(upgrade, "", |_| false).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("sec-websocket-version: 13"), "{answer}");
    let plain = rig.http("GET /graphql?query=%7B__typename%7D HTTP/1.1", "", |_| false).await;
    assert!(plain.ends_with(r#"{"data":{"__typename":"Query"}}"#), "{plain}");
}

#[tokio::test]
async fn who_may_sign_in() {
    let rig = Rig::new().await;
    let (alice, bob) = (rig.bearer(), format!("Bearer {}", rig.token("bob")));
    let good = json!({ "Authorization": alice });
    for (rule, upgrade, payload, closed) in [
        ("by connection_init", None, good.clone(), None),
        ("by headers in it", None, json!({"headers": {"Authorization": alice}}), None),
        ("by the upgrade", Some(&alice), json!({}), None),
        ("by both", Some(&alice), good.clone(), None),
        ("by none", None, json!({}), Some("Forbidden: send a token")),
        ("by another token in the payload", None, json!({"token": alice}), Some("Forbidden: send a token")),
        ("by two callers", Some(&bob), good, Some("Forbidden: the tokens of")),
        ("by a bad token", None, json!({"Authorization": "Bearer x.y.z"}), Some("Forbidden: the access")),
        (
            "by a token that can't be one",
            None,
            json!({"Authorization": "Bearer \n"}),
            Some("Forbidden: the access"),
        ),
    ] {
        let mut request = rig.request();
        if let Some(upgrade) = upgrade {
            request.headers_mut().insert("authorization", upgrade.parse().unwrap());
        }
        let (mut socket, _) = rig.handshake(request).await.unwrap();
        socket.say(json!({"type": "connection_init", "payload": payload})).await;
        match closed {
            None => assert_eq!(socket.hear().await, json!({"type": "connection_ack"}), "{rule}"),
            Some(expect) => {
                let (code, reason) = socket.closed().await;
                assert!(code == 4403 && reason.starts_with(expect), "{rule}: {code} {reason}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_in_the_address_is_none() {
    let rig = Rig::new().await;
    let mut request = rig.request();
    let uri = format!("ws://{}/graphql?access_token={}", rig.address, rig.token("alice"));
    *request.uri_mut() = uri.parse().unwrap();
    let (mut socket, _) = rig.handshake(request).await.unwrap();
    socket.say(json!({"type": "connection_init"})).await;
    assert_eq!(socket.closed().await.0, 4403);
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_the_socket() {
    let rig = Rig::new().await;
    let text = |text: &str| vec![Message::text(text)];
    let init = json!({"type": "connection_init", "payload": {"Authorization": rig.bearer()}}).to_string();
    for (messages, code, reason) in [
        (text("hello"), 4400, "Invalid message: a message must be a JSON object"),
        (text(r#"{"type":"start"}"#), 4400, "Invalid message: there is no message of type \"start\""),
        (vec![Message::binary(vec![1])], 4400, "Invalid message: binary frames are not accepted, send text"),
        (text(r#"{"id":"a","type":"subscribe","payload":{"query":"{x}"}}"#), 4401, "Unauthorized"),
        (vec![Message::text(&init); 2], 4429, "Too many initialisation requests"),
    ] {
        let mut socket = rig.open().await;
        for message in messages {
            socket.send(message).await;
        }
        assert_eq!(socket.closed().await, (code, reason.to_owned()));
    }
}

#[tokio::test]
async fn a_client_that_does_not_sign_in_is_closed() {
    let live = LiveSettings { init_ms: 50, ..LiveSettings::default() };
    let rig = Rig::with(Default::default(), live).await;
    let mut socket = rig.open().await;
    assert_eq!(socket.closed().await, (4408, "Connection initialisation timeout".to_owned()));
    let mut socket = rig.connect().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(socket.is_quiet().await, "who signed in stays");
}
