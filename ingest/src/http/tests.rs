//! The routes over a real socket, with real tokens, a real log and the embedded store.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access::{
    Access, Bodies, Client, Development, Grant, Issuer, IssuerSettings, Role, Roles, resolve_clients,
};
use schema::{Clock, Limits, StreamName, TimeRange, Timestamp, Topic};
use serde_json::{Value, json};
use store::embedded::{Embedded, EmbeddedOptions};
use store::{Catalog, Messages, Order, TopicPage, Unheard};
use tokio::net::TcpListener;

use crate::{Ingest, IngestSettings, Source};

const DAY: i64 = 86_400_000_000;

struct World {
    folder: tempfile::TempDir,
    store: Embedded,
    ingest: Ingest,
    issuer: Issuer,
    address: std::net::SocketAddr,
}

fn clock() -> Clock {
    Arc::new(|| Timestamp(20_000 * DAY))
}

async fn start(folder: &Path, store: &Embedded, settings: IngestSettings) -> Ingest {
    let definitions = vec![
        serde_json::from_value(json!({"name": "user-events", "topic": "/topic"})).unwrap(),
        serde_json::from_value(json!({"name": "own", "topic": "caller"})).unwrap(),
    ];
    let limits =
        Limits { message_bytes: 1_000, body_bytes: 20_000, records_per_call: 5, ..Limits::default() };
    let store = Arc::new(store.clone());
    let log = Source::Embedded(folder.join("log"));
    Ingest::start(settings, limits, definitions, store, Arc::new(Unheard), log, clock()).await.unwrap()
}

impl World {
    async fn new(settings: IngestSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(&folder.path().join("store"), EmbeddedOptions::default()).unwrap();
        let ingest = start(folder.path(), &store, settings).await;
        let clients: Vec<Client> = resolve_clients(&[], &access::Policy::default(), |_| None).unwrap();
        let url = "http://127.0.0.1:4000";
        let issuer = Issuer::open(
            folder.path(),
            url,
            IssuerSettings::default(),
            clients,
            Development::On,
            access::Trust::default(),
            clock(),
        )
        .unwrap();
        let bodies = Bodies::new(1 << 20, Duration::from_secs(1));
        let app = ingest.router::<Access>(bodies).with_state(issuer.access());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { folder, store, ingest, issuer, address }
    }

    fn token(&self, roles: Roles) -> String {
        let grant = Grant { subject: "me", client_id: "tests", roles, seconds: 60 };
        self.issuer.issue(&grant).unwrap().access_token.expose().to_owned()
    }

    /// Sends the head and the pieces of a body as they are, and then waits, or hangs up; gives the answer's head and its
    /// JSON.
    async fn raw(&self, head: &str, pieces: &[&[u8]], hang_up: bool) -> (String, Value) {
        let address = self.address;
        let head = format!("{head}\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes();
        let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
        let talk = move || {
            let mut socket = TcpStream::connect(address).unwrap();
            socket.write_all(&head).unwrap();
            for piece in pieces {
                // What was refused need not be taken to the end.
                let _ = socket.write_all(&piece);
                std::thread::sleep(Duration::from_millis(2));
            }
            if hang_up {
                socket.shutdown(Shutdown::Write).unwrap();
            }
            let mut answer = Vec::new();
            let _ = socket.read_to_end(&mut answer);
            String::from_utf8(answer).unwrap()
        };
        let answer = tokio::task::spawn_blocking(talk).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (head.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    async fn send(&self, line: &str, content_type: &str, body: &[u8]) -> (u16, Value) {
        let token = self.token(Roles::from([Role::Write]));
        let length = body.len();
        let head = format!(
            "{line} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: {content_type}\r\nContent-Length: {length}"
        );
        let (head, json) = self.raw(&head, &[body], false).await;
        (head[9..12].parse().unwrap(), json)
    }

    async fn stored(&self, stream: &str, topic: &str) -> Vec<String> {
        while self.ingest.lag().records > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let page = TopicPage {
            range: TimeRange::ALL,
            order: Order::Ascending,
            after: None,
            before: None,
            rows_max: 10_000,
            bytes_max: 1 << 30,
        };
        let (stream, topic) = (StreamName::new(stream).unwrap(), Topic::new(topic).unwrap());
        let rows = self.store.read_topic(&stream, &topic, page).await.unwrap();
        rows.iter().map(|row| String::from_utf8(row.raw.to_vec()).unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_come_in_and_are_kept_byte_for_byte() {
    let world = World::new(IngestSettings::default()).await;
    let json = "application/json";
    let put = |shard: u32, sequence: &str| json!({"ShardId": format!("shardId-{shard:012}"), "SequenceNumber": sequence});
    let odd = r#"{ "topic":"t", "n":9007199254740993,"big":1e400, "s":"\u00e4" }"#;
    let record = format!(r#"{{"Data": {odd} , "PartitionKey": "123456789"}}"#);
    let (status, answer) = world.send("PUT /streams/user-events/record", json, record.as_bytes()).await;
    assert_eq!((status, answer), (200, put(3, "1")));

    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, odd);
    let record = format!(r#"{{"StreamName":"user-events","Data":"{base64}","PartitionKey":"123456789"}}"#);
    let amz = "application/x-amz-json-1.1; charset=utf-8";
    let (status, answer) = world.send("PUT /streams/user-events/record", amz, record.as_bytes()).await;
    assert_eq!((status, answer), (200, put(3, "2")));

    let records = br#"{"Records":[{"Data":{"topic":"t"},"PartitionKey":"123456789"},{"Data":"??"},{"Data":{}},{"Data":{"topic":"t","topic":"u"}}]}"#;
    let (status, answer) = world.send("PUT /streams/user-events/records", json, records).await;
    assert_eq!(status, 200);
    assert_eq!((&answer["FailedRecordCount"], &answer["Records"][0]), (&json!(3), &put(3, "3")));
    let codes: Vec<&Value> = (1..4).map(|n| &answer["Records"][n]["ErrorCode"]).collect();
    assert_eq!(codes, ["bad_request", "unroutable", "bad_json"]);

    let (status, _) = world.send("POST /data", json, b" {\"a\": 1}\n").await;
    assert_eq!(status, 200);
    assert_eq!(world.stored("data", "me").await, [r#"{"a": 1}"#]);
    assert_eq!(world.stored("user-events", "t").await, [odd, odd, r#"{"topic":"t"}"#]);
    assert!(world.ingest.ready().is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_come_in_as_they_are_sent() {
    // Small groups, so that many are needed.
    let world = World::new(IngestSettings { body_rows: 3, ..IngestSettings::default() }).await;
    let lines: String = (0..20).map(|n| format!("{{\"n\":{n}}}\r\n\n")).collect();
    let to = "POST /streams/made/messages?key=k";
    let (status, answer) = world.send(to, "application/x-ndjson", lines.as_bytes()).await;
    assert_eq!((status, answer), (200, json!({"accepted": 20, "rejected": 0, "errors": []})));
    let expect: Vec<String> = (0..20).map(|n| format!("{{\"n\":{n}}}")).collect();
    assert_eq!(world.stored("made", "k").await, expect);

    let large = format!(r#"[1, "{}", nul, {{"a":[2]}}]"#, "x".repeat(2_000));
    let to = "POST /streams/made/messages?topic=list";
    let (status, answer) = world.send(to, "application/json", large.as_bytes()).await;
    assert_eq!((status, &answer["accepted"], &answer["rejected"]), (200, &json!(2), &json!(2)));
    let errors: Vec<(u64, &str)> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["index"].as_u64().unwrap(), error["error"].as_str().unwrap()))
        .collect();
    assert_eq!((errors[0].0, errors[1].0), (1, 2), "{errors:?}");
    assert_eq!(world.stored("made", "list").await, ["1", r#"{"a":[2]}"#]);

    // In pieces that cut messages, without a length that was announced.
    let token = world.token(Roles::from([Role::Write]));
    let head = format!(
        "POST /streams/made/messages?topic=pieces HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/jsonl\r\nTransfer-Encoding: chunked"
    );
    let (_, answer) =
        world.raw(&head, &[b"4\r\n{\"a\"\r\n", b"6\r\n:1}\n[2\r\n", b"1\r\n]\r\n0\r\n\r\n"], false).await;
    assert_eq!(answer["accepted"], 2);
    // One that breaks off keeps what came whole, and drops what did not.
    world.raw(&head, &[b"9\r\n{\"b\":1}\n3\r\n"], true).await;
    assert_eq!(world.stored("made", "pieces").await, [r#"{"a":1}"#, "[2]", r#"{"b":1}"#]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_told_why() {
    let world = World::new(IngestSettings { streams_max: 3, ..IngestSettings::default() }).await;
    let (json, lines) = ("application/json", "application/x-ndjson");
    let (record, records, messages) = (
        "PUT /streams/user-events/record",
        "PUT /streams/user-events/records",
        "POST /streams/user-events/messages",
    );
    let long = format!("\"{}\"", "x".repeat(1_000));
    let longer = long.repeat(21);
    let deep = format!(r#"{{"Data":{}}}"#, "[".repeat(400) + &"]".repeat(400));
    let one = r#"{"Data":{"topic":"t"}}"#;
    let many = format!(r#"{{"Records":[{}]}}"#, [one; 6].join(","));
    let some_bad = r#"[{"topic":"t"}, {"topic":"t"} x]"#;
    for (line, content_type, body, status, code, text) in [
        (
            record,
            json,
            "{",
            400,
            "bad_json",
            "the request body is not JSON: expected a name in quotes, or } at byte 1",
        ),
        (record, json, r#"{"Data":1,"Partitionkey":"x"}"#, 400, "bad_json", "unknown field `Partitionkey`"),
        (record, json, r#"{"Data":{},"Data":{}}"#, 400, "bad_json", "duplicate field `Data`"),
        (record, json, r#"{"Data":"%%"}"#, 400, "bad_request", "not base64"),
        (record, json, r#"{"Data":"eA=="}"#, 400, "bad_json", "expected a JSON value at byte 0"),
        (record, json, r#"{"Data":{"a":"\ud800"}}"#, 400, "bad_json", "half of a surrogate pair"),
        (record, json, &deep, 400, "bad_json", "deeper than 128 levels"),
        (record, json, r#"{"Data":{"topic":"a\u0000b"}}"#, 400, "unroutable", "control characters"),
        (
            record,
            "text/plain",
            one,
            415,
            "wrong_content_type",
            "Content-Type is \"text/plain\": expected application/json",
        ),
        (record, lines, one, 415, "wrong_content_type", "expected application/json"),
        (messages, "", "1", 415, "wrong_content_type", "application/x-ndjson for a message a line"),
        (record, json, &longer, 413, "too_large", "larger than 20000 bytes"),
        ("POST /data", json, &long, 413, "too_large", "at most 1000 are accepted"),
        ("PUT /streams/%FF/record", json, one, 400, "bad_request", "Invalid UTF-8"),
        ("PUT /streams/9/record", json, one, 400, "bad_request", "must begin with a letter"),
        (records, json, &many, 400, "bad_request", "6 records, and at most 5"),
        (messages, json, "[1", 400, "bad_json", "expected the end of the list at byte 2"),
        (messages, json, "{}", 400, "bad_json", "expected '[' at byte 0"),
        (messages, json, some_bad, 400, "bad_json", "expected ',' or ']' at byte 30"),
        (messages, lines, "{}\n{}", 400, "unroutable", "no text or number at /topic"),
        (messages, lines, "{}\n{", 400, "unroutable", "no text or number at /topic"),
        (
            "POST /streams/own/messages?topic=you",
            lines,
            "1",
            403,
            "forbidden",
            "name none, or yours, which is \"me\"",
        ),
        (
            "POST /streams/own/messages?topic=%00",
            lines,
            "1",
            400,
            "bad_request",
            "may not hold control characters",
        ),
        ("POST /streams/own/messages?to=x", lines, "1", 400, "bad_request", "unknown field `to`"),
        ("POST /streams/third/messages?key=k", lines, "1", 200, "", ""),
        (
            "POST /streams/fourth/messages?key=k",
            lines,
            "1",
            404,
            "unknown_stream",
            "there are 3 streams already",
        ),
    ] {
        let (got, answer) = world.send(line, content_type, body.as_bytes()).await;
        let error = &answer["error"];
        assert_eq!((got, error["code"].as_str().unwrap_or("")), (status, code), "{line} {body:.40} {answer}");
        assert!(error["message"].as_str().unwrap_or("").contains(text), "{line} {body:.40} {answer}");
    }
    let (_, answer) = world.send(messages, json, some_bad.as_bytes()).await;
    assert_eq!(answer["accepted"], 2, "what came before the list broke is kept: {answer}");
    let (status, answer) = world.send(record, json, b"{\"Data\":\"\xff\"}").await;
    assert_eq!(status, 400);
    assert!(answer["error"]["message"].as_str().unwrap().contains("not UTF-8 (at byte 9)"));
    // Nothing was made for what was refused.
    let streams: Vec<_> = world.store.streams().await.unwrap().iter().map(|s| s.name().to_string()).collect();
    assert_eq!(streams, ["own", "third", "user-events"]);

    let head = "POST /data HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2";
    let (answer, _) = world.raw(head, &[b"{}"], false).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let head = format!("{head}\r\nAuthorization: Bearer {}", world.token(Roles::from([Role::Read])));
    let (answer, _) = world.raw(&head, &[b"{}"], false).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_way_in_takes_no_more_and_a_restart_goes_on() {
    let world = World::new(IngestSettings::default()).await;
    let (line, kind) = ("POST /streams/made/messages?key=123456789", "application/jsonl");
    assert_eq!(world.send(line, kind, b"1\n2\n3").await.0, 200);
    assert!(world.ingest.drain(Duration::from_secs(10)).await);
    assert_eq!(world.ingest.lag().records, 0);
    let token = world.token(Roles::ALL);
    let head = format!(
        "{line} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\nContent-Length: 1"
    );
    let (head, answer) = world.raw(&head, &[b"4"], false).await;
    assert!(head.starts_with("HTTP/1.1 503") && head.to_lowercase().contains("retry-after: 1"), "{head}");
    assert_eq!((&answer["error"]["code"], &answer["accepted"]), (&json!("unavailable"), &json!(0)));

    let again = start(world.folder.path(), &world.store, IngestSettings::default()).await;
    let world = World { ingest: again, ..world };
    let caller = crate::testing::Caller::new("me");
    let request = store::PublishRequest {
        stream: StreamName::new("made").unwrap(),
        topic: None,
        key: Some("123456789".into()),
        data: "4".into(),
    };
    let published =
        store::Publish::publish(&world.ingest, &caller, vec![request]).await.pop().unwrap().unwrap();
    assert_eq!(published.position.to_string(), "shardId-000000000003:4");
    assert_eq!(world.stored("made", "123456789").await, ["1", "2", "3", "4"]);
    let mut registry = prometheus_client::registry::Registry::with_prefix("tidegate");
    world.ingest.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in ["tidegate_ingest_messages_accepted_total 1", "tidegate_ingest_consumer_lag_records 0"] {
        assert!(text.contains(line), "{text}");
    }
}
