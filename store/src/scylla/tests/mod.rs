//! The conformance suite on the server that `TIDEGATE_TEST_CQL` names, and what only this backend has. Where the server asks for
//! a password, `TIDEGATE_TEST_CQL_USER` and `TIDEGATE_TEST_CQL_PASSWORD` have who logs in.

mod buckets;
mod connecting;
mod expiring;
mod faults;
mod front;
mod migrating;
mod ownership;
mod regions;
mod secured;
mod slots;
mod spread;
mod workers;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use schema::{Clock, Message, PartitionId, Position, StreamName, TimeRange, TimeSource, Timestamp, Topic};

use super::{Scylla, ScyllaOptions};
use crate::testing::cql::{self, KEYSPACE, fresh, fresh_stream, left_out, now, options_at, password, server};
use crate::testing::{Proxy, Trouble};
use crate::{Order, TopicPage};

crate::conformance_tests!(async { if left_out() { None } else { Some(Box::new(open().await)) } });

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

fn options(keyspace: &str) -> ScyllaOptions {
    options_at(server(), keyspace)
}

async fn open() -> Scylla {
    cql::open(&options(KEYSPACE)).await.unwrap()
}

/// A store through `proxy`, which gives up sooner than it would.
async fn open_through(proxy: &Proxy, request_ms: u64, call_ms: u64) -> Scylla {
    let options = ScyllaOptions { request_ms, call_ms, ..options_at(proxy.address(), KEYSPACE) };
    cql::open(&options).await.unwrap()
}

fn stream(purpose: &str) -> StreamName {
    fresh_stream(purpose)
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
    let before = store.requests();
    let done = work.await;
    ((store.requests() - before) as usize, done)
}
