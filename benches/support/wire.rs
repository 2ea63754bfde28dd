//! A node on a real socket in this process, and clients that write ready bytes to it: as little as a client can cost.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access::{Access, Bodies, Development, Grant, Issuer, Roles};
use axum::Router;
use axum::extract::FromRef;
use ingest::{Ingest, IngestSettings, Source};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use schema::{Clock, Limits};
use store::Unheard;
use store::embedded::{Embedded, EmbeddedOptions};

/// A node that only takes messages in.
pub struct Node {
    pub ingest: Ingest,
    address: SocketAddr,
    token: String,
    registry: Registry,
}

#[derive(Clone)]
struct State(Access);

impl FromRef<State> for Access {
    fn from_ref(state: &State) -> Self {
        state.0.clone()
    }
}

impl Node {
    /// Starts one on the current runtime, with its data in `dir`.
    pub async fn start(dir: &Path, clock: Clock) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let url = format!("http://{address}");
        let issuer = Issuer::open(
            dir,
            &url,
            Default::default(),
            Vec::new(),
            Development::On,
            Default::default(),
            clock.clone(),
        );
        let issuer = issuer.expect("an issuer");
        let grant = Grant { subject: "bench", client_id: "bench", roles: Roles::ALL, seconds: 3_600 };
        let token = issuer.issue(&grant).expect("a token").access_token.expose().to_owned();
        let store = Embedded::open(&dir.join("store"), EmbeddedOptions::default()).expect("a store");
        let (settings, limits) = (IngestSettings::default(), Limits::default());
        let bodies = Bodies::new(limits.bodies_bytes, Duration::from_millis(limits.bodies_wait_ms));
        let log = Source::Embedded(dir.join("log"));
        let ingest =
            Ingest::start(settings, limits, Vec::new(), Arc::new(store), Arc::new(Unheard), log, clock)
                .await
                .expect("ingest");
        let mut registry = Registry::default();
        ingest.register(&mut registry);
        let app: Router = ingest.router::<State>(bodies).with_state(State(issuer.access()));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { ingest, address, token, registry }
    }

    /// The bytes of a request.
    pub fn request(&self, method: &str, path: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            self.address,
            self.token,
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    /// Syncs of the log so far.
    pub fn syncs(&self) -> u64 {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("text");
        let line = text.lines().find(|line| line.starts_with("ingest_log_syncs_total ")).expect("a count");
        line.rsplit(' ').next().and_then(|count| count.parse().ok()).expect("a number")
    }
}

/// Sends from so many clients at once, each its request so many times over one connection, waiting for each answer.
pub fn requests(node: &Node, clients: usize, times: usize, request: impl Fn(usize) -> Vec<u8> + Sync) {
    std::thread::scope(|scope| {
        for client in 0..clients {
            let request = &request;
            scope.spawn(move || {
                let bytes = request(client);
                let mut socket = TcpStream::connect(node.address).expect("a connection");
                socket.set_nodelay(true).expect("no delay");
                let mut answer = Vec::new();
                for _ in 0..times {
                    socket.write_all(&bytes).expect("sent");
                    read_answer(&mut socket, &mut answer);
                    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
                }
            });
        }
    });
}

/// Reads one whole answer; ours all tell their length.
fn read_answer(socket: &mut TcpStream, answer: &mut Vec<u8>) {
    answer.clear();
    let mut piece = [0; 4_096];
    loop {
        let read = socket.read(&mut piece).expect("an answer");
        assert!(read > 0, "the connection was closed");
        answer.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return;
        }
    }
}
