//! An emulator of Kinesis in the process of the tests, one for each test, on a port of its own, with faults to order.
//!
//! Two things that it answers wrongly are put right before it (`faults`, `iterator`). Nothing leans on others: it says of every
//! answer that it is 0 ms behind, names no children of a shard that has ended, and tells when a record arrived in whole seconds.

mod faults;
mod gate;
mod iterator;
pub(crate) mod producer;
mod reshard;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use ferrokinesis::actions::{Operation, dispatch};
use ferrokinesis::store::{Store, StoreOptions};
use ferrokinesis::types::StreamStatus;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Setup;
use faults::Faults;
use gate::Gate;

/// How long the making of a stream, and each change of it, takes in milliseconds: as little as can be told from nothing.
const CHANGE_MS: u64 = 1;

/// A running emulator. What was put is gone with it.
#[derive(Debug)]
pub(crate) struct Emulator {
    address: SocketAddr,
    store: Stored,
    faults: Arc<Faults>,
    gate: Gate,
    runtime: Runtime,
}

/// What the emulator keeps, whoever is connected.
struct Stored(Store);

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stored")
    }
}

impl Emulator {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// One whose iterators expire so many seconds after they were given.
    pub(crate) fn with_iterators_of(seconds: u64) -> Self {
        Self::with(|options| options.iterator_ttl_seconds = seconds)
    }

    fn with(change: impl FnOnce(&mut StoreOptions)) -> Self {
        let mut options = StoreOptions {
            create_stream_ms: CHANGE_MS,
            update_stream_ms: CHANGE_MS,
            // Few are allowed, for all streams together, unless more are asked for.
            shard_limit: 1_000,
            ..StoreOptions::default()
        };
        change(&mut options);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("kinesis")
            .enable_all()
            .build()
            .unwrap();
        let (faults, gate) = (Arc::<Faults>::default(), Gate::default());
        let (address, store) = runtime.block_on(async {
            let (app, store) = ferrokinesis::create_app(options);
            let app = app.layer(from_fn_with_state((faults.clone(), store.clone()), faults::layer));
            let door = gate.open().await;
            let address = door.address();
            tokio::spawn(async { axum::serve(door, app).await });
            (address, store)
        });
        Self { address, store: Stored(store), faults, gate, runtime }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The table `[kinesis]` of a node that reads from it, at its end. All takes less time than it usually does, but a shard gives
    /// little at once, so that one that was not read for a while takes some time.
    pub(crate) fn settings(&self) -> String {
        let endpoint = self.endpoint();
        format!(
            "[kinesis]\nregion = \"us-east-1\"\nendpoint = \"{endpoint}\"\nstart = \"trim_horizon\"\npoll_ms = 200\n\
             lease_ms = 3000\nlook_ms = 500\nrecords_max = 50\n"
        )
    }

    /// Makes a stream, and waits until it can be used.
    pub(crate) fn create(&self, stream: &str, shards: u32) {
        self.call(Operation::CreateStream, json!({ "StreamName": stream, "ShardCount": shards }));
        self.runtime.block_on(self.settled(stream));
    }

    /// Puts a record; gives its position, `SHARD:SEQUENCE`.
    pub(crate) fn put(&self, stream: &str, key: &str, data: &[u8]) -> String {
        use base64::Engine;
        let data = base64::engine::general_purpose::STANDARD.encode(data);
        let record = json!({ "StreamName": stream, "PartitionKey": key, "Data": data });
        let _alone = self.runtime.block_on(self.faults.order.write());
        let put = self.call(Operation::PutRecord, record);
        format!("{}:{}", put["ShardId"].as_str().unwrap(), put["SequenceNumber"].as_str().unwrap())
    }

    /// Forgets the first records of a shard, as after its retention; gives how many it forgot, at most `count`.
    pub(crate) fn trim(&self, stream: &str, shard: &str, count: usize) -> usize {
        let _alone = self.runtime.block_on(self.faults.order.write());
        let range = iterator::records_of(shard);
        self.runtime.block_on(async {
            let records = self.store.0.get_record_store(stream).await;
            let keys: Vec<String> =
                records.into_keys().filter(|key| range.contains(key)).take(count).collect();
            self.store.0.delete_record_keys(stream, &keys).await;
            keys.len()
        })
    }

    /// From now on keeps what is put for as good as no time: until the second is over.
    pub(crate) fn keep_nothing(&self, stream: &str) {
        self.runtime.block_on(async {
            let mut kept = self.store.0.get_stream(stream).await.unwrap();
            kept.retention_period_hours = 0;
            self.store.0.put_stream(stream, kept).await.unwrap();
        });
    }

    /// Ends all connections; with `cut`, new ones end at once, too: what its clients see is the service lost. What was put stays.
    pub(crate) fn set_cut(&self, cut: bool) {
        self.gate.set_cut(cut);
    }

    /// From now on refuses this share of the calls of `operation`, as too many: a percentage; 0 ends it.
    pub(crate) fn throttle(&self, operation: &str, percent: usize) {
        self.faults.throttle(operation, percent);
    }

    /// How many calls of `operation` have come, with those that were refused.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.faults.calls(operation)
    }

    /// What an operation answers, which must succeed.
    fn call(&self, operation: Operation, input: Value) -> Value {
        self.runtime.block_on(dispatched(&self.store.0, operation, input))
    }

    /// Waits until a change of a stream is done.
    async fn settled(&self, stream: &str) {
        while self.store.0.get_stream(stream).await.unwrap().stream_status != StreamStatus::Active {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
}

async fn dispatched(store: &Store, operation: Operation, input: Value) -> Value {
    let done = dispatch(store, operation, input.clone()).await;
    done.unwrap_or_else(|error| panic!("{operation:?} {input}: {error:?}")).unwrap_or_default()
}

impl Setup {
    /// With credentials for Kinesis, which the emulator does not look at, and none of the machine's own.
    pub(crate) fn with_credentials(self) -> Self {
        self.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "y")
    }
}
