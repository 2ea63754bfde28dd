//! The baseline: axum, its own WebSocket, and a broadcast channel.

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::sync::broadcast;

/// A server that sends every text to everybody.
pub(crate) struct Bare {
    pub(crate) url: String,
    texts: broadcast::Sender<Utf8Bytes>,
}

impl Bare {
    pub(crate) fn send(&self, text: &str) {
        let _ = self.texts.send(text.into());
    }
}

pub(crate) async fn start() -> Bare {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}/graphql", listener.local_addr().expect("an address"));
    let texts = broadcast::Sender::new(1_024);
    let app = Router::new().route("/graphql", get(follow)).with_state(texts.clone());
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Bare { url, texts }
}

async fn follow(State(texts): State<broadcast::Sender<Utf8Bytes>>, upgrade: WebSocketUpgrade) -> Response {
    let mut texts = texts.subscribe();
    upgrade.protocols(["graphql-transport-ws"]).on_upgrade(async move |mut socket| {
        while let Ok(text) = texts.recv().await {
            if socket.send(Message::Text(text)).await.is_err() {
                return;
            }
        }
    })
}
