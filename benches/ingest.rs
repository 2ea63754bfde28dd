//! What durable ingest costs beside what it must: messages of 300 bytes over a real socket, and a bare loop over the same
//! database with the same bytes, batches and number of syncs.
//!
//! `cargo bench --package benches --bench ingest`

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

#[path = "support/wire.rs"]
mod wire;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::row;
use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use schema::{Clock, Timestamp};
use wire::{Node, requests};

const MESSAGE_BYTES: usize = 300;
const PER_REQUEST: usize = 100;
const CLIENTS: usize = 16;
const REQUESTS_PER_CLIENT: usize = 250;
const SINGLE_CLIENTS: usize = 64;
const SINGLES_PER_CLIENT: usize = 500;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    println!("{:<58} {:>16} {:>8}", "durable ingest", "messages a s", "ratio");
    let total = CLIENTS * REQUESTS_PER_CLIENT * PER_REQUEST;

    let dir = tempfile::tempdir().expect("a folder");
    let node = runtime.block_on(Node::start(dir.path(), clock()));
    let body = ndjson();
    let started = Instant::now();
    requests(&node, CLIENTS, REQUESTS_PER_CLIENT, |client| {
        node.request("POST", &format!("/streams/bench/messages?key=k{client}"), "application/x-ndjson", &body)
    });
    let accepted = started.elapsed();
    let syncs = node.syncs();
    while node.ingest.lag().records > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let stored = started.elapsed();
    drop(node);

    let bare = bare_loop(total, syncs as usize);
    row(
        &format!("bare fjall loop, batches of {PER_REQUEST}, {syncs} syncs (baseline)"),
        rate(total, bare),
        Some(1.0),
    );
    row(
        "NDJSON, 100 a request, 16 clients, acknowledged; at least 0.5",
        rate(total, accepted),
        ratio(bare, accepted),
    );
    row("the same, until rows, journal and all are in the store", rate(total, stored), ratio(bare, stored));

    let dir = tempfile::tempdir().expect("a folder");
    let node = runtime.block_on(Node::start(dir.path(), clock()));
    let body = format!("{{\"Data\":{},\"PartitionKey\":\"k\"}}", line(1));
    let singles = SINGLE_CLIENTS * SINGLES_PER_CLIENT;
    let started = Instant::now();
    requests(&node, SINGLE_CLIENTS, SINGLES_PER_CLIENT, |_| {
        node.request("PUT", "/streams/bench/record", "application/json", body.as_bytes())
    });
    row("PUT record, 64 clients", rate(singles, started.elapsed()), None);
    row("  syncs a message", format!("{:.3}", node.syncs() as f64 / singles as f64), None);
}

/// A message of [`MESSAGE_BYTES`] bytes.
fn line(n: usize) -> String {
    let head = format!(r#"{{"n":{n},"device":"pump-{}","temperature":{}.5,"note":""#, n % 50, n % 40);
    let filler = "x".repeat(MESSAGE_BYTES - head.len() - 2);
    format!("{head}{filler}\"}}")
}

fn ndjson() -> Vec<u8> {
    (0..PER_REQUEST).flat_map(|n| (line(n) + "\n").into_bytes()).collect()
}

/// The same bytes into one table of the same database: keys as long as those of messages, a batch for each request, and a
/// sync as often as the log had one.
fn bare_loop(total: usize, syncs: usize) -> Duration {
    let dir = tempfile::tempdir().expect("a folder");
    let db = open(dir.path());
    let rows = db.keyspace("rows", KeyspaceCreateOptions::default).expect("a table");
    let lines: Vec<Vec<u8>> = (0..PER_REQUEST).map(|n| line(n).into_bytes()).collect();
    let every = (total / PER_REQUEST / syncs.max(1)).max(1);
    let started = Instant::now();
    for request in 0..total / PER_REQUEST {
        let mut batch = db.batch();
        for (n, line) in lines.iter().enumerate() {
            let key = format!(
                "bench/k{:02}/{:016x}/{:016x}",
                request % CLIENTS,
                request,
                request * PER_REQUEST + n
            );
            batch.insert(&rows, key, line.as_slice());
        }
        batch.commit().expect("written");
        if request % every == every - 1 {
            db.persist(PersistMode::SyncAll).expect("synced");
        }
    }
    db.persist(PersistMode::SyncAll).expect("synced");
    started.elapsed()
}

fn open(dir: &Path) -> Database {
    Database::builder(dir).open().expect("a database")
}

fn clock() -> Clock {
    let start = Instant::now();
    Arc::new(move || Timestamp(1_700_000_000_000_000 + start.elapsed().as_micros() as i64))
}

fn rate(messages: usize, time: Duration) -> u64 {
    (messages as f64 / time.as_secs_f64()) as u64
}

/// How many times as fast as the baseline.
fn ratio(baseline: Duration, time: Duration) -> Option<f64> {
    Some(baseline.as_secs_f64() / time.as_secs_f64())
}
