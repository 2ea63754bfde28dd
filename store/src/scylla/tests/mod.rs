//! The conformance suite on the server that `TIDEGATE_TEST_CQL` names, and what only this backend has. Where the server asks for
//! a password, `TIDEGATE_TEST_CQL_USER` and `TIDEGATE_TEST_CQL_PASSWORD` have who logs in.

mod buckets;
mod connecting;
mod expiring;
mod front;
mod migrating;
mod secured;
mod slots;
mod spread;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use schema::{Clock, Message, PartitionId, Position, StreamName, TimeRange, TimeSource, Timestamp, Topic};
use tokio::sync::OnceCell;

use super::{Scylla, ScyllaOptions, migrate};
use crate::{Order, TopicPage};

crate::conformance_tests!(async { if left_out() { None } else { Some(Box::new(open().await)) } });

/// The keyspace that all tests share, as each uses streams of its own: making one takes seconds.
const KEYSPACE: &str = "tidegate_test";

/// Whether `TIDEGATE_WITHOUT` names `cql`.
fn left_out() -> bool {
    let without = std::env::var("TIDEGATE_WITHOUT").unwrap_or_default();
    without.split([',', ' ']).any(|need| need == "cql")
}

/// Says what a test does not look at, past the harness, which keeps what tests that pass print to itself.
fn say_left_out(what: &str) {
    let _ = writeln!(std::io::stderr(), "\nLEFT OUT: {what}\n");
}

/// The file of the authority that the server's certificate is by.
fn authority_of_server() -> Option<PathBuf> {
    let file = std::env::var_os("TIDEGATE_TEST_CQL_CA").filter(|file| !file.is_empty());
    if file.is_none() {
        say_left_out("TLS to the CQL server itself, as TIDEGATE_TEST_CQL_CA names no file of its authority");
    }
    file.map(PathBuf::from)
}

/// HOST:PORT.
fn server() -> String {
    std::env::var("TIDEGATE_TEST_CQL").expect(
        "TIDEGATE_TEST_CQL must name a CQL server as HOST:PORT: `cargo xtask test` starts one; TIDEGATE_WITHOUT=cql leaves this out",
    )
}

fn options(keyspace: &str) -> ScyllaOptions {
    let server = server();
    ScyllaOptions {
        url: format!("scylla://{server}/{keyspace}"),
        user: std::env::var("TIDEGATE_TEST_CQL_USER").unwrap_or_default(),
        replication_factor: 1,
        ..ScyllaOptions::default()
    }
}

fn password() -> String {
    std::env::var("TIDEGATE_TEST_CQL_PASSWORD").unwrap_or_default()
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

async fn open() -> Scylla {
    static MIGRATED: OnceCell<()> = OnceCell::const_new();
    let options = options(KEYSPACE);
    MIGRATED
        .get_or_init(|| async { migrate::run(&options, &password(), false, |_| {}).await.unwrap() })
        .await;
    let clock: Clock = Arc::new(now);
    Scylla::open(&options, &password(), clock).await.unwrap()
}

/// A name that nobody has used.
fn fresh(purpose: &str) -> String {
    static USED: AtomicU64 = AtomicU64::new(0);
    let number = USED.fetch_add(1, Ordering::Relaxed);
    format!("{purpose}_{:x}_{:x}_{number}", std::process::id(), now().0)
}

fn stream(purpose: &str) -> StreamName {
    StreamName::new(&fresh(purpose)).unwrap()
}

fn topic() -> Topic {
    Topic::new("t").unwrap()
}

fn partition() -> PartitionId {
    PartitionId::embedded(0)
}

fn message(sequence: u64, time: i64) -> Message {
    Message {
        topic: topic(),
        time: Timestamp(time),
        time_source: TimeSource::Message,
        arrived_at: now(),
        position: Position { partition: partition(), sequence: sequence.into(), sub: 0 },
        key: "k".into(),
        raw: Bytes::from(format!(r#"{{"sequence":{sequence}}}"#)),
    }
}

fn page(order: Order, rows_max: usize) -> TopicPage {
    TopicPage { range: TimeRange::ALL, order, after: None, before: None, rows_max, bytes_max: 1 << 30 }
}

/// How many requests `work` takes.
async fn requests<T>(store: &Scylla, work: impl Future<Output = T>) -> (usize, T) {
    let before = store.0.calls.sent.load(Ordering::Relaxed);
    let done = work.await;
    (store.0.calls.sent.load(Ordering::Relaxed) - before, done)
}
