//! An emulator of Kinesis, on threads of its own.

use axum::serve::ListenerExt;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ferrokinesis::actions::{Operation, dispatch};
use ferrokinesis::store::{Store, StoreOptions};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// How the names of its threads begin.
pub const THREADS: &str = "emulator";

const MESSAGE_BYTES: usize = 300;
/// Most records that Kinesis takes at once.
const PER_PUT: usize = 500;

/// It ends with this value.
pub struct Emulator {
    runtime: Runtime,
    store: Store,
    endpoint: String,
}

impl Emulator {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(THREADS)
            .enable_all()
            .build()
            .expect("a runtime");
        let options = StoreOptions { create_stream_ms: 0, shard_limit: 1_000, ..StoreOptions::default() };
        let (store, endpoint) = runtime.block_on(async {
            let (app, store) = ferrokinesis::create_app(options);
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            tokio::spawn(async { axum::serve(listener, app).await });
            (store, format!("http://{address}"))
        });
        Self { runtime, store, endpoint }
    }

    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    pub fn create(&self, stream: &str, shards: u32) {
        self.ask(Operation::CreateStream, json!({ "StreamName": stream, "ShardCount": shards }));
        loop {
            let told = self.ask(Operation::DescribeStreamSummary, json!({ "StreamName": stream }));
            if told["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE" {
                return;
            }
        }
    }

    /// Puts so many messages, of keys that all shards share.
    pub fn put(&self, stream: &str, count: usize) {
        for from in (0..count).step_by(PER_PUT) {
            let records: Vec<Value> = (from..count.min(from + PER_PUT)).map(entry).collect();
            self.ask(Operation::PutRecords, json!({ "StreamName": stream, "Records": records }));
        }
    }

    pub fn put_one(&self, stream: &str, n: usize) {
        self.ask(Operation::PutRecords, json!({ "StreamName": stream, "Records": [entry(n)] }));
    }

    /// On its own threads, so that it is no work of whoever asks.
    fn ask(&self, operation: Operation, input: Value) -> Value {
        let store = self.store.clone();
        let (say, said) = std::sync::mpsc::channel();
        self.runtime.spawn(async move {
            let answer = dispatch(&store, operation, input).await;
            say.send(answer.expect("it is done").unwrap_or_default())
        });
        said.recv().expect("an answer")
    }
}

/// The key and the message of record `n`.
pub fn record(n: usize) -> (String, String) {
    let head = format!(r#"{{"n":{n},"device":"pump-{}","temperature":{}.5,"note":""#, n % 50, n % 40);
    let filler = "x".repeat(MESSAGE_BYTES - head.len() - 2);
    (format!("pump-{}", n % 50), format!("{head}{filler}\"}}"))
}

fn entry(n: usize) -> Value {
    let (key, data) = record(n);
    json!({ "PartitionKey": key, "Data": STANDARD.encode(data) })
}
