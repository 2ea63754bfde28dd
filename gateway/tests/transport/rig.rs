//! A gateway on a listener of its own, with an issuer, a clock to be set, and a way in that waits to be let on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use access::{Bodies, Credentials, DenialTarget, Development, Grant, Issuer, IssuerSettings, Roles, Trust};
use async_trait::async_trait;
use axum::serve::ListenerExt;
use gateway::{Gateway, GatewaySettings, Hub, LiveSettings, Parts};
use schema::{Clock, Limits, PartitionId, Position, Timestamp, Topic};
use serde_json::json;
use store::embedded::Embedded;
use store::{NoReplays, Publish, PublishError, PublishRequest, Published, WritePolicy};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};

use crate::client::Socket;

/// Longer than anything takes that comes at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// A mutation that is answered once [`Rig::gate`] is opened.
pub(crate) const SLOW: &str = "mutation { publish(stream: \"s\", data: 1) { topic } }";
/// What the system may keep of one direction of a connection: little, so that who does not read is soon felt.
const BUFFER_BYTES: u32 = 32 << 10;

pub(crate) struct Rig {
    pub(crate) gateway: Gateway,
    pub(crate) address: SocketAddr,
    pub(crate) stop: watch::Sender<bool>,
    /// Lets as many messages in as it has permits.
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) store: Embedded,
    pub(crate) hub: Arc<Hub>,
    issuer: Issuer,
    clock: Arc<AtomicI64>,
    dir: Arc<TempDir>,
}

struct Gated(Arc<Semaphore>);

#[async_trait]
impl Publish for Gated {
    async fn publish(
        &self,
        _: &dyn WritePolicy,
        requests: Vec<PublishRequest>,
    ) -> Vec<Result<Published, PublishError>> {
        self.0.acquire().await.unwrap().forget();
        let position = Position { partition: PartitionId::embedded(0), sequence: 1_u64.into(), sub: 0 };
        let published = Published { position, topic: Topic::new("t").unwrap() };
        requests.iter().map(|_| Ok(published.clone())).collect()
    }
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(GatewaySettings::default(), LiveSettings::default()).await
    }

    pub(crate) async fn with(settings: GatewaySettings, live: LiveSettings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Embedded::open(&dir.path().join("store"), Default::default()).unwrap();
        Self::over(store, Arc::new(dir), settings, live).await
    }

    /// Another node over the same store: who signs in there is another issuer's.
    pub(crate) async fn another(&self) -> Self {
        Self::over(self.store.clone(), self.dir.clone(), Default::default(), Default::default()).await
    }

    /// A node over this store, as it is.
    pub(crate) async fn over(
        store: Embedded,
        dir: Arc<TempDir>,
        settings: GatewaySettings,
        live: LiveSettings,
    ) -> Self {
        let listener = listen();
        let address = listener.local_addr().unwrap();
        let now = Arc::new(AtomicI64::new(1_590_969_600_000_000));
        let told = now.clone();
        let clock: Clock = Arc::new(move || Timestamp(told.load(Ordering::Relaxed)));
        let entries = Arc::new(store.clone());
        let credentials = Credentials::open(entries, Default::default(), Arc::default(), clock.clone());
        let trust = Trust { credentials: Some(credentials.await.unwrap()), ..Trust::default() };
        let issuer = Issuer::open(
            &dir.path().join(format!("issuer-{}", address.port())),
            &format!("http://{address}"),
            IssuerSettings::default(),
            Vec::new(),
            Development::On,
            trust,
            clock.clone(),
        );
        let issuer = issuer.unwrap();
        let gate = Arc::new(Semaphore::new(0));
        let (stop, stopping) = watch::channel(false);
        let hub = Hub::new(&live);
        let gateway = Gateway::start(Parts {
            store: Arc::new(store.clone()),
            publish: Arc::new(Gated(gate.clone())),
            replay: Arc::new(NoReplays("not here")),
            access: Some(issuer.access()),
            settings,
            hub: hub.clone(),
            live,
            limits: Limits::default(),
            rates: access::Rates::none(),
            clock,
            stopping,
        });
        let gateway = gateway.await.unwrap();
        let bodies = Bodies::new(64 << 20, Duration::from_secs(5));
        let app = gateway.router::<()>(issuer.access(), bodies).with_state(());
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { gateway, address, stop, gate, store, hub, issuer, clock: now, dir }
    }

    /// A token that is good for an hour.
    pub(crate) fn token(&self, subject: &str) -> String {
        let grant = Grant { subject, client_id: "client", roles: Roles::ALL, seconds: 3_600 };
        self.issuer.issue(&grant).unwrap().access_token.expose().to_owned()
    }

    /// Denies all tokens about `subject`, by another administrator.
    pub(crate) async fn deny(&self, subject: &str) {
        let access = self.issuer.access();
        let by = access
            .verify(&self.token("root"), &access::Visit::default(), access::rate::Style::Plain)
            .await
            .unwrap();
        let target = DenialTarget::Subject { issuer: "embedded".into(), subject: subject.into() };
        access.credentials().unwrap().deny(target, "", None, &by).await.unwrap();
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token("alice"))
    }

    /// Lets the clock that tokens are judged by go on.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// A request for a WebSocket, with the subprotocol.
    pub(crate) fn request(&self) -> Request {
        let mut request = format!("ws://{}/graphql", self.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        request
    }

    /// A handshake with this request.
    pub(crate) async fn handshake(&self, request: Request) -> Result<(Socket, Response), Error> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(BUFFER_BYTES).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        client_async(request, stream).await.map(|(socket, response)| (Socket(socket), response))
    }

    /// A socket on which nothing was said.
    pub(crate) async fn open(&self) -> Socket {
        self.handshake(self.request()).await.unwrap().0
    }

    /// A socket whose `connection_init` was acknowledged.
    pub(crate) async fn connect(&self) -> Socket {
        let mut socket = self.open().await;
        socket.say(json!({"type": "connection_init", "payload": {"Authorization": self.bearer()}})).await;
        assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
        socket
    }

    /// Sends an HTTP request by hand, `Host` and token included; reads its answer until `until` holds, or to the end.
    pub(crate) async fn http(&self, head: &str, body: &str, until: impl Fn(&str) -> bool) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let (address, token) = (self.address, self.bearer());
        let length = body.len();
        let request = format!(
            "{head}\r\nHost: {address}\r\nAuthorization: {token}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        let reading = async {
            while stream.read_buf(&mut read).await.unwrap() > 0 && !until(&String::from_utf8_lossy(&read)) {}
        };
        timeout(PATIENCE, reading).await.unwrap();
        String::from_utf8(read).unwrap()
    }
}

/// A free port, whose connections have small buffers.
fn listen() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(BUFFER_BYTES).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(1_024).unwrap()
}

/// Waits until `holds`.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}
