//! A client of graphql-transport-ws.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::Client;

/// What the system may keep of what comes: little, so that a server feels whether it is read.
const BUFFER_BYTES: u32 = 32 << 10;

/// A signed-in socket.
#[derive(Debug)]
pub(crate) struct Socket(WebSocketStream<TcpStream>);

/// How a socket ended.
#[derive(Debug)]
pub(crate) enum End {
    /// By the server, with this code and reason.
    Closed(u16, String),
    Lost,
}

impl From<Error> for End {
    fn from(_: Error) -> Self {
        Self::Lost
    }
}

impl From<std::io::Error> for End {
    fn from(_: std::io::Error) -> Self {
        Self::Lost
    }
}

impl Socket {
    /// Connects, and signs in.
    pub(crate) async fn connect(client: &Client) -> Result<Self, End> {
        let mut socket = Self(open(client.address).await?);
        let payload = json!({ "Authorization": format!("Bearer {}", client.token) });
        socket.say(json!({ "type": "connection_init", "payload": payload })).await?;
        let answer = socket.hear().await?;
        assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), json!({ "type": "connection_ack" }));
        Ok(socket)
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str, variables: Value) -> Result<(), End> {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "id": id, "type": "subscribe", "payload": payload })).await
    }

    /// Shows a new token by a ping.
    pub(crate) async fn renew(&mut self, token: &str) -> Result<(), End> {
        let payload = json!({ "Authorization": format!("Bearer {token}") });
        self.say(json!({ "type": "ping", "payload": payload })).await
    }

    async fn say(&mut self, message: Value) -> Result<(), End> {
        Ok(self.0.send(Message::text(message.to_string())).await?)
    }

    /// The next message, as it stands. It may be dropped while it waits.
    pub(crate) async fn hear(&mut self) -> Result<String, End> {
        loop {
            match self.0.next().await.ok_or(End::Lost)?? {
                Message::Text(text) => return Ok(text.to_string()),
                Message::Close(Some(frame)) => {
                    return Err(End::Closed(frame.code.into(), frame.reason.to_string()));
                }
                Message::Close(None) => return Err(End::Lost),
                _ => {}
            }
        }
    }
}

async fn open(address: SocketAddr) -> Result<WebSocketStream<TcpStream>, End> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{address}/graphql").into_client_request()?;
    let subprotocol = "graphql-transport-ws".parse().expect("it is a value of a header");
    request.headers_mut().insert("sec-websocket-protocol", subprotocol);
    Ok(client_async(request, stream).await?.0)
}
