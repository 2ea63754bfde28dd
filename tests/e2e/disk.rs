//! A full disk, on a small file system in memory: nothing is acknowledged that is not durable, errors are clear, and when
//! there is room again it goes on by itself. Mounting needs the rights of root; `TIDEGATE_WITHOUT=tmpfs` leaves it out.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Client, Server, Setup, is_left_out, store, until};

/// Less, and the store can't even be made: its write-ahead log takes 64 MiB.
const SMALL: &str = "90m";
const LARGE: &str = "400m";
/// Messages in one request.
const BATCH: usize = 200;
/// What fills a disk that small many times over.
const BATCHES_MAX: usize = 4_000;

/// A file system of its own, gone with the test.
struct Mount(TempDir);

impl Mount {
    fn new(size: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-disk-").tempdir().unwrap();
        let done = mount(&[&format!("size={size}")], folder.path());
        assert!(
            done.is_ok(),
            "a file system in memory can't be mounted here ({done:?}): run the tests as root, or leave this one out by \
             TIDEGATE_WITHOUT=tmpfs"
        );
        Self(folder)
    }

    fn resize(&self, size: &str) {
        mount(&["remount", &format!("size={size}")], self.0.path()).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: should the server still be there, its files go when it has.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn mount(options: &[&str], at: &Path) -> Result<(), String> {
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", &options.join(","), "tidegate-test"]).arg(at);
    let done = command.output().map_err(|error| error.to_string())?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()) }
}

/// Sends messages `from` on; how many were acknowledged, or what was said instead.
fn send(client: &Client, from: usize) -> Result<usize, (u16, Value)> {
    let line = |n: usize| format!(r#"{{"n":{n},"padding":"{}"}}"#, "x".repeat(1_000));
    let lines: Vec<String> = (from..from + BATCH).map(line).collect();
    let answer = client.post("/streams/s/messages?key=k", "application/x-ndjson", lines.join("\n"));
    match answer.status {
        200 => {
            let body = answer.json();
            assert_eq!(body["accepted"], BATCH, "{body}");
            Ok(BATCH)
        }
        status => Err((status, answer.json())),
    }
}

/// Sends until the log refuses; gives how many were acknowledged.
fn fill(client: &Client, from: usize) -> (usize, u16, Value) {
    let mut next = from;
    for _ in 0..BATCHES_MAX {
        match send(client, next) {
            Ok(count) => next += count,
            Err((status, body)) => return (next, status, body),
        }
    }
    panic!("{next} messages of 1 kB fit on a disk of {SMALL}");
}

fn ready(server: &Server) -> u16 {
    server.get("/readyz").status
}

/// The numbers of all messages, in their order.
fn stored(client: &Client) -> Vec<u64> {
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let document = "query($after: PageCursor) { s(topic: \"k\", first: 10000, after: $after) \
                        { nodes { data { n } } pageInfo { hasNextPage endCursor } } }";
        let answer = client.graphql_answer(document, &serde_json::json!({ "after": after })).json();
        let page = &answer["data"]["s"];
        let nodes = page["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        all.extend(nodes.iter().map(|node| node["data"]["n"].as_u64().unwrap()));
        if page["pageInfo"]["hasNextPage"] != true {
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

const UNTRIMMED: &str = "[ingest]\ncheckpoint_interval_ms = 3600000\ncheckpoint_rows = 1000000000\n";

#[test]
fn a_full_disk_refuses_loses_nothing_and_recovers_by_itself() {
    if is_left_out("tmpfs", "a full disk") {
        return;
    }
    let disk = Mount::new(SMALL);
    // Where the store is elsewhere, the log alone fills the disk: without checkpoints it is not trimmed.
    let settings = if store::is_cql() { UNTRIMMED } else { "" };
    let mut server = Setup::configured(settings).data(&disk.0.path().join("data")).start();
    let client = server.client();
    let (acknowledged, status, body) = fill(&client, 0);
    println!("{acknowledged} acknowledged on {SMALL}, then {status}: {body}");
    assert_eq!(status, 503, "{body}");
    let said = body.to_string();
    assert!(said.contains("No space left"), "{said}");
    let not_ready = until(
        "/readyz to tell",
        || server.get("/readyz"),
        |answer| (answer.status == 503).then(|| answer.text()),
    );
    assert!(not_ready.contains("No space left") || not_ready.contains("could not"), "{not_ready}");
    // It stays so, and still answers queries.
    assert_eq!(send(&client, acknowledged).unwrap_err().0, 503);
    server.get("/healthz").expect(200);
    let data = client.graphql("{ streams { name } }");
    assert_eq!(data["streams"][0]["name"], "s", "{data}");

    disk.resize(LARGE);
    until("it to recover", || ready(&server), |status| (*status == 200).then_some(()));
    // What was refused is refused: these are others.
    let next = acknowledged + 10 * BATCH;
    let more = send(&client, next).unwrap();
    let expect: Vec<u64> = (0..acknowledged).chain(next..next + more).map(|n| n as u64).collect();
    server.catch_up();
    check(&stored(&client), &expect);
    // And the same after the worst of ends.
    server.restart();
    server.catch_up();
    check(&stored(&server.client()), &expect);
}

fn check(stored: &[u64], expect: &[u64]) {
    let (have, want): (BTreeSet<_>, BTreeSet<_>) = (stored.iter().collect(), expect.iter().collect());
    let missing: Vec<_> = want.difference(&have).take(5).collect();
    let extra: Vec<_> = have.difference(&want).take(5).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing {missing:?}…, never acknowledged {extra:?}…");
    assert_eq!(stored, expect, "once, and in order");
}
