//! `kill -9` in the midst of writes: what was acknowledged is there, once, and in the order of each partition key.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::http::Answer;
use crate::support::{Client, Server, Setup, until};

const CONFIGURATION: &str = r#"
# Small files, so that the log has several.
[ingest]
segment_bytes = 4096

[[stream]]
name = "plain"

[[stream]]
name = "folded"
id = "/id"
"#;

/// Messages that each writer has acknowledged before the server is killed.
const ACKNOWLEDGED: usize = 60;
const BATCH: usize = 7;

/// A writer's key, and what it knows.
struct Writer {
    stream: &'static str,
    key: String,
    /// So many were acknowledged.
    acknowledged: AtomicUsize,
    /// So many may be there beyond those: sent, but never answered.
    open: AtomicUsize,
}

impl Writer {
    /// Sends messages numbered from `from` on, one by one and in batches, each once, until the server is gone.
    fn write(&self, client: &Client, from: usize) {
        let mut next = from;
        loop {
            let count = if next.is_multiple_of(3) { BATCH } else { 1 };
            self.open.store(count, Ordering::SeqCst);
            if !self.send(client, next, count).is_ok_and(|answer| answer.status == 200) {
                return;
            }
            next += count;
            self.acknowledged.store(next, Ordering::SeqCst);
        }
    }

    fn send(&self, client: &Client, from: usize, count: usize) -> std::io::Result<Answer> {
        let message = |n: usize| format!(r#"{{"n":{n},"id":"{}-{n}"}}"#, self.key);
        let request = if count == 1 {
            let body = format!(r#"{{"Data":{},"PartitionKey":"{}"}}"#, message(from), self.key);
            client.request("PUT", &format!("/streams/{}/record", self.stream)).body("application/json", body)
        } else {
            let lines: Vec<String> = (from..from + count).map(message).collect();
            let path = format!("/streams/{}/messages?key={}", self.stream, self.key);
            client.request("POST", &path).body("application/x-ndjson", lines.join("\n"))
        };
        request.try_send(client.address)
    }

    /// The numbers that the server holds, oldest first.
    fn stored(&self, client: &Client) -> Vec<usize> {
        let document = format!(
            "{{ {}(topic: \"{}\", first: 10000) {{ nodes {{ data {{ n }} }} }} }}",
            self.stream, self.key
        );
        // All are in the store; the field is in the schema soon after.
        let nodes = client.nodes(self.stream, &document, 0);
        nodes.iter().map(|node| node["data"]["n"].as_u64().unwrap() as usize).collect()
    }
}

/// Lets all writers write from where `starts` says, kills the server in the midst of it, and starts it again.
fn write_and_kill(server: &mut Server, writers: &[Writer], starts: &[usize]) {
    let client = server.client();
    thread::scope(|scope| {
        for (writer, from) in writers.iter().zip(starts) {
            writer.acknowledged.store(*from, Ordering::SeqCst);
            let client = &client;
            scope.spawn(move || writer.write(client, *from));
        }
        let enough = |(writer, from): (&Writer, &usize)| {
            writer.acknowledged.load(Ordering::SeqCst) >= from + ACKNOWLEDGED
        };
        until("acknowledgements", || writers.iter().zip(starts).all(enough), |enough| enough.then_some(()));
        server.kill_9();
    });
    server.restart();
}

#[test]
fn everything_acknowledged_is_there_once_and_in_order() {
    let mut server = Setup::configured(CONFIGURATION).start();
    let writers: Vec<Writer> = (0..6)
        .map(|n| Writer {
            stream: if n % 2 == 0 { "plain" } else { "folded" },
            key: format!("key{n}"),
            acknowledged: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        })
        .collect();
    let mut starts = vec![0; writers.len()];
    for round in 0..3 {
        write_and_kill(&mut server, &writers, &starts);
        server.catch_up();
        let client = server.client();
        for (writer, start) in writers.iter().zip(&mut starts) {
            let stored = writer.stored(&client);
            let expect: Vec<usize> = (0..stored.len()).collect();
            assert_eq!(stored, expect, "round {round}: {} of {} skip or repeat", writer.key, writer.stream);
            let acknowledged = writer.acknowledged.load(Ordering::SeqCst);
            let most = acknowledged + writer.open.load(Ordering::SeqCst);
            // A writer of ids may have sent again what was there before the last kill.
            assert!(
                (acknowledged..=most).contains(&stored.len()),
                "round {round}: {} has {} messages, {acknowledged} were acknowledged, {most} were sent",
                writer.key,
                stored.len()
            );
            // Without ids a producer that does not know must look; with ids it sends again what was not acknowledged.
            *start = if writer.stream == "folded" { acknowledged } else { stored.len() };
        }
    }
}

#[test]
fn the_schema_survives_and_ids_stay() {
    let mut server = Setup::empty().start();
    let first = server.client();
    first.put_record("s", "k", r#"{"a": {"b": 1}}"#);
    let document = "{ s(last: 9) { nodes { id raw data { a { b } } } } }";
    let before = first.nodes("s", document, 1);
    server.kill_9();
    assert!(first.request("GET", "/healthz").try_send(server.address).is_err(), "it is gone");
    server.restart();
    let client = server.client();
    // At once, and with the same ids: nothing is learned anew.
    assert_eq!(client.graphql(document)["s"]["nodes"].as_array(), Some(&before));
    // A token of before the restart still is good.
    let old = Client { address: server.address, token: first.token };
    assert_eq!(old.get("/data").status, 401, "its issuer was at another port");
    client.put_record("s", "k", r#"{"a": {"b": 2}}"#);
    assert_eq!(client.nodes("s", document, 2)[1]["data"]["a"]["b"], 2);
}
