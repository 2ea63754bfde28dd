//! A whole node in this process, and hands that write to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use access::{Access, Bodies, Development, Grant, Issuer, IssuerName, Principal, Role, Roles};
use axum::Router;
use axum::extract::FromRef;
use axum::serve::ListenerExt;
use futures_util::StreamExt;
use gateway::{Event, Gateway, GatewaySettings, GraphqlRequest, Hub, LiveSettings, Parts, Started};
use ingest::{Ingest, IngestSettings, Source};
use schema::{Clock, Limits, Message, PartitionId, Position, StreamName, TimeSource, Timestamp, Topic};
use store::embedded::{Embedded, EmbeddedOptions};
use store::{Announce, JournalRow, Publish, PublishRequest, Store};
use tokio::sync::watch;

use crate::clients::{Job, begin, connect};

/// What clients subscribe to: five nested fields, and the cursor.
pub(crate) const SUBSCRIPTION: &str = "subscription($topic: String, $resume: ResumeCursor) { readings(topic: $topic, resume: $resume) { cursor message { data { reading { temperature pressure status ok } device { name } } } } }";

/// A node. Its last owner's folder goes with it.
pub(crate) struct Node {
    pub(crate) url: String,
    address: String,
    ingest: Ingest,
    gateway: Gateway,
    hub: Arc<Hub>,
    issuer: Issuer,
    announced: AtomicU64,
    topics: Vec<Topic>,
    _stop: watch::Sender<bool>,
    _dir: tempfile::TempDir,
}

#[derive(Clone)]
struct State(Access);

impl FromRef<State> for Access {
    fn from_ref(state: &State) -> Self {
        state.0.clone()
    }
}

impl Node {
    /// A node that keeps so much for those who follow.
    pub(crate) async fn start(ring_bytes: usize) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let clock: Clock = Arc::new(now);
        let issuer = Issuer::open(
            dir.path(),
            &format!("http://{address}"),
            Default::default(),
            Vec::new(),
            Development::On,
            Default::default(),
            clock.clone(),
        );
        let issuer = issuer.expect("an issuer");
        let store = Embedded::open(&dir.path().join("store"), EmbeddedOptions::default()).expect("a store");
        let store: Arc<dyn Store> = Arc::new(store);
        let live = LiveSettings { ring_bytes, ..LiveSettings::default() };
        let limits = Limits::default();
        let hub = Hub::new(&live);
        let log = dir.path().join("log");
        let ingest = Ingest::start(
            IngestSettings::default(),
            limits.clone(),
            Vec::new(),
            store.clone(),
            hub.clone(),
            Source::Embedded(log),
            clock.clone(),
        );
        let ingest = ingest.await.expect("ingest");
        publish(&ingest, (0..100).map(reading)).await;
        while ingest.lag().records > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let bodies = Bodies::new(limits.bodies_bytes, Duration::from_millis(limits.bodies_wait_ms));
        let (stop, stopping) = watch::channel(false);
        let gateway = Gateway::start(Parts {
            store,
            publish: Arc::new(ingest.clone()),
            replay: Arc::new(store::NoReplays("nothing is replayed here")),
            access: Some(issuer.access()),
            settings: GatewaySettings::default(),
            live,
            hub: hub.clone(),
            limits,
            rates: access::Rates::none(),
            clock,
            stopping,
        });
        let gateway = gateway.await.expect("a gateway");
        let app: Router = Router::new()
            .merge(ingest.router::<State>(bodies.clone()).with_state(State(issuer.access())))
            .merge(gateway.router(issuer.access(), bodies));
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            url: format!("ws://{address}/graphql"),
            address,
            ingest,
            gateway,
            hub,
            issuer,
            announced: AtomicU64::new(1_000_000),
            topics: (0..1_000).map(|n| Topic::new(&format!("t{n}")).expect("a topic")).collect(),
            _stop: stop,
            _dir: dir,
        }
    }

    pub(crate) fn token(&self) -> String {
        let grant = Grant { subject: "bench", client_id: "bench", roles: Roles::ALL, seconds: 3_600 };
        self.issuer.issue(&grant).expect("a token").access_token.expose().to_owned()
    }

    /// What a client is sent for one message.
    pub(crate) async fn example(&self) -> String {
        let request = serde_json::json!({ "query": SUBSCRIPTION }).to_string();
        let request = GraphqlRequest::from_json(request.as_bytes()).expect("a request");
        let Started::Live(mut subscription) =
            self.gateway.pipeline().start(&caller(), &request, false, None).await
        else {
            panic!("no subscription")
        };
        self.announce(0, 1);
        let Some(Event::Batch(batch)) = subscription.next().await else { panic!("no delivery") };
        let result = String::from_utf8_lossy(batch.payload(0)).into_owned();
        format!("{{\"id\":\"client-500\",\"type\":\"next\",\"payload\":{result}}}")
    }

    /// Tells the hub of a row with a message in each of so many topics, as ingest does.
    pub(crate) fn announce(&self, n: u64, topics: usize) {
        // A partition of its own, of which the store knows nothing.
        let partition = PartitionId::new("announced");
        let raw = bytes::Bytes::from(reading(n));
        let first = self.announced.fetch_add(topics as u64, Ordering::Relaxed);
        let message = |topic: usize| Message {
            topic: self.topics[topic].clone(),
            time: now(),
            time_source: TimeSource::Arrival,
            arrived_at: now(),
            position: Position {
                partition: partition.clone(),
                sequence: (first + 1 + topic as u64).into(),
                sub: 0,
            },
            key: "key".into(),
            raw: raw.clone(),
        };
        let messages = (0..topics).map(message).collect();
        let after = if first == 1_000_000 { 0 } else { first };
        let row = JournalRow {
            after: after.into(),
            last: (first + topics as u64).into(),
            messages,
            children: Vec::new(),
        };
        self.hub.announce(&stream(), &partition, &Arc::new(row));
    }

    /// Where the stream stands now.
    pub(crate) async fn cursor(&self) -> String {
        let query = "{ readings(from: \"now\", to: \"now\") { resumeCursor } }";
        let request = serde_json::json!({ "query": query }).to_string();
        let request = GraphqlRequest::from_json(request.as_bytes()).expect("a request");
        let answer = self.gateway.pipeline().execute(&caller(), &request, true).await;
        let answer: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        answer["data"]["readings"]["resumeCursor"].as_str().expect("a cursor").to_owned()
    }

    /// Accepts so many messages, and waits until they are in the store.
    pub(crate) async fn fill(&self, count: usize) {
        for first in (0..count).step_by(1_000) {
            publish(&self.ingest, (first..first + 1_000).map(|n| reading(n as u64))).await;
        }
        while self.ingest.lag().records > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// So many messages, one after the other: how long each took to be acknowledged, and to be delivered.
    pub(crate) async fn singles(&self, count: usize) -> (Vec<Duration>, Vec<Duration>) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut socket = connect(&self.url).await;
        let job = Job { token: self.token(), ..Job::new(&self.url, 1) };
        begin(&mut socket, &job, 0).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut producer = tokio::net::TcpStream::connect(&self.address).await.expect("a connection");
        producer.set_nodelay(true).expect("no delay");
        let (mut acknowledged, mut delivered) = (Vec::new(), Vec::new());
        for n in 0..count {
            let body = format!("{{\"Data\":{},\"PartitionKey\":\"t\"}}", reading(n as u64));
            let request = format!(
                "PUT /streams/readings/record HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                self.address,
                job.token,
                body.len()
            );
            let (started, mut answer) = (Instant::now(), [0; 2_048]);
            producer.write_all(request.as_bytes()).await.expect("sent");
            let acknowledge = async {
                let size = producer.read(&mut answer).await.expect("an answer");
                assert!(answer[..size].starts_with(b"HTTP/1.1 200"));
                started.elapsed()
            };
            let deliver = async {
                socket.next().await.expect("a delivery").expect("a delivery");
                started.elapsed()
            };
            let (ack, delivery) = tokio::join!(acknowledge, deliver);
            acknowledged.push(ack);
            delivered.push(delivery);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        (acknowledged, delivered)
    }
}

/// A reading of a device, of about 300 bytes, with five nested fields that clients ask for.
fn reading(n: u64) -> String {
    format!(
        r#"{{"id":"{n:036}","site":"plant-{}","device":{{"name":"pump-{}","firmware":"4.11.{}"}},"reading":{{"temperature":{}.5,"pressure":{},"status":"ok","ok":{}}},"operator":"shift-{}","note":"nothing to report from this round of the night watch, all quiet"}}"#,
        n % 7,
        n % 50,
        n % 9,
        20 + n % 10,
        1_000 + n % 37,
        n.is_multiple_of(3),
        n % 4
    )
}

async fn publish(ingest: &Ingest, data: impl Iterator<Item = String>) {
    let request = |data: String| PublishRequest {
        stream: stream(),
        topic: None,
        key: Some("t".into()),
        data: data.into(),
    };
    let answers = ingest.publish(&caller(), data.map(request).collect()).await;
    assert!(answers.iter().all(Result::is_ok));
}

fn caller() -> Principal {
    let roles = Role::ALL.into_iter().collect();
    Principal::new(IssuerName::Embedded, "bench", "bench", roles, Timestamp(i64::MAX / 2)).expect("a caller")
}

fn stream() -> StreamName {
    StreamName::new("readings").expect("a name")
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_micros() as i64)
}
