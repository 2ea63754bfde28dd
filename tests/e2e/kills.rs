//! Fifty kills under load, each at a moment drawn from a seed: every acknowledged message is there, once, where its answer
//! said, in order within its partition, and nothing is there that nobody sent. `TIDEGATE_SEED=n` draws the same again.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::{Client, Server, Setup, Turns};

const CONFIGURATION: &str = r#"
# Small files and frequent checkpoints, so that a short life sees files begun, done with and removed.
[ingest]
segment_bytes = 16384
checkpoint_interval_ms = 60

[[stream]]
name = "plain"

[[stream]]
name = "folded"
id = "/id"
"#;

const KILLS: usize = 50;
const WRITERS: usize = 8;

/// The ways in, which every writer takes by turns.
const ROUTES: [Route; 4] = [Route::Record, Route::Records, Route::Lines, Route::Publish];

#[derive(Clone, Copy, Debug)]
enum Route {
    Record,
    Records,
    Lines,
    Publish,
}

/// What became of a message that was sent.
#[derive(Clone, Debug, PartialEq)]
enum Fate {
    /// No answer came: it may be there or not.
    Open,
    /// It was acknowledged.
    Kept,
    /// And the answer said where.
    KeptAt(String),
}

/// A writer of one key. It sends messages numbered from 0, and waits for each answer.
#[derive(Debug)]
struct Writer {
    stream: &'static str,
    key: String,
    turns: Turns,
    sent: Vec<Fate>,
}

impl Writer {
    /// With ids, what was not acknowledged is sent again; without, who does not know must not.
    fn folds(&self) -> bool {
        self.stream == "folded"
    }

    fn message(&self, n: usize) -> String {
        // Some are larger than others, so that kills fall within writes, too.
        let padding = "x".repeat(n * 37 % 400);
        format!(r#"{{"n":{n},"id":"{n}","of":"{}","padding":"{padding}"}}"#, self.key)
    }

    /// Sends until the server is gone.
    fn write(&mut self, client: &Client) {
        let open = self.sent.iter().position(|fate| *fate == Fate::Open);
        let mut first = open.filter(|_| self.folds()).unwrap_or(self.sent.len());
        loop {
            let route = ROUTES[self.turns.below(ROUTES.len())];
            let count = match route {
                Route::Record | Route::Publish => 1,
                Route::Records | Route::Lines => 1 + self.turns.below(9),
            };
            self.sent.resize(self.sent.len().max(first + count), Fate::Open);
            let messages: Vec<String> = (first..first + count).map(|n| self.message(n)).collect();
            let Ok(answer) = self.request(client, route, &messages).try_send(client.address) else { return };
            // Another test's server may have been given the port since: it knows nobody of here.
            if answer.status == 401 {
                return;
            }
            let fates = fates(route, count, &answer.expect(200));
            self.sent[first..first + count].clone_from_slice(&fates);
            first += count;
        }
    }

    fn request(&self, client: &Client, route: Route, messages: &[String]) -> Request {
        let Self { stream, key, .. } = self;
        let record = |message: &String| format!(r#"{{"Data":{message},"PartitionKey":"{key}"}}"#);
        let json = "application/json";
        match route {
            Route::Record => {
                client.request("PUT", &format!("/streams/{stream}/record")).body(json, record(&messages[0]))
            }
            Route::Records => {
                let records: Vec<String> = messages.iter().map(record).collect();
                let body = format!(r#"{{"Records":[{}]}}"#, records.join(","));
                client.request("PUT", &format!("/streams/{stream}/records")).body(json, body)
            }
            Route::Lines => client
                .request("POST", &format!("/streams/{stream}/messages?key={key}"))
                .body("application/x-ndjson", messages.join("\n")),
            Route::Publish => {
                let query = "mutation($s: String!, $k: String!, $d: JSON!) { publish(stream: $s, key: $k, data: $d) { position } }";
                let data = &messages[0];
                let body = format!(
                    r#"{{"query":{},"variables":{{"s":"{stream}","k":"{key}","d":{data}}}}}"#,
                    json!(query)
                );
                client.request("POST", "/graphql").body(json, body)
            }
        }
    }

    /// Holds what the server has of this writer against what it sent; gives how many there are.
    fn check(&self, client: &Client, context: &str) -> usize {
        let stored = client.stored(self.stream, &self.key);
        let mut last: Option<(usize, u64)> = None;
        let mut found = BTreeMap::new();
        for (position, raw) in &stored {
            let value: Value = serde_json::from_str(raw).unwrap();
            let n = value["n"].as_u64().unwrap() as usize;
            assert!(n < self.sent.len() && *raw == self.message(n), "{context}: nobody sent {raw}");
            let sequence = sequence(position);
            assert!(
                last.is_none_or(|last| last.0 < n && last.1 < sequence),
                "{context}: {n} at {position} comes after {last:?}"
            );
            last = Some((n, sequence));
            found.insert(n, position);
        }
        for (n, fate) in self.sent.iter().enumerate() {
            match (fate, found.get(&n)) {
                (Fate::Open, _) | (Fate::Kept, Some(_)) => {}
                (Fate::KeptAt(said), Some(position)) if said == *position => {}
                // What was sent again lies where it first did, and its answer names where it was folded.
                (Fate::KeptAt(_), Some(_)) if self.folds() => {}
                (fate, at) => panic!("{context}: {n} was answered by {fate:?}, and is at {at:?}"),
            }
        }
        stored.len()
    }
}

/// What an answer says of each message.
fn fates(route: Route, count: usize, answer: &Answer) -> Vec<Fate> {
    let body = answer.json();
    let at = |record: &Value| {
        let text = |key: &str| record[key].as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
        Fate::KeptAt(format!("{}:{}", text("ShardId"), text("SequenceNumber")))
    };
    match route {
        Route::Record => vec![at(&body)],
        Route::Records => body["Records"].as_array().unwrap().iter().map(at).collect(),
        Route::Lines => {
            assert_eq!(body["accepted"], count, "{body}");
            vec![Fate::Kept; count]
        }
        Route::Publish => {
            let position = body["data"]["publish"]["position"].as_str();
            vec![Fate::KeptAt(position.unwrap_or_else(|| panic!("{body}")).to_owned())]
        }
    }
}

fn sequence(position: &str) -> u64 {
    position.rsplit(':').next().unwrap().parse().unwrap()
}

/// Lets all writers write, and kills the server `after` so long.
fn live(server: &mut Server, writers: &mut [Writer], after: Duration) {
    let client = server.client();
    thread::scope(|scope| {
        for writer in writers {
            let client = &client;
            scope.spawn(move || writer.write(client));
        }
        thread::sleep(after);
        server.kill_9();
    });
}

fn check(server: &Server, writers: &[Writer], context: &str) -> usize {
    server.catch_up();
    let client = server.client();
    let mut sums = BTreeMap::<_, usize>::new();
    for writer in writers {
        let context = format!("{context}: {} of {}", writer.key, writer.stream);
        *sums.entry(writer.stream).or_default() += writer.check(&client, &context);
    }
    for stream in sums.keys() {
        let topics = client.graphql(&format!("{{ topics(stream: \"{stream}\") {{ topic }} }}"));
        let topics: Vec<&str> =
            topics["topics"].as_array().unwrap().iter().filter_map(|topic| topic["topic"].as_str()).collect();
        assert!(
            topics.iter().all(|topic| writers.iter().any(|writer| writer.key == *topic)),
            "{context}: nobody wrote some of {topics:?}"
        );
    }
    sums.values().sum()
}

#[test]
fn fifty_kills_at_any_moment_lose_nothing_and_repeat_nothing() {
    let mut turns = Turns::seeded();
    let (seed, began) = (turns.seed(), Instant::now());
    let mut server = Setup::configured(CONFIGURATION).start();
    let mut writers: Vec<Writer> = (0..WRITERS)
        .map(|n| Writer {
            stream: ["plain", "folded"][n % 2],
            key: format!("key{n}"),
            turns: turns.split(),
            sent: Vec::new(),
        })
        .collect();
    let mut kills = 0;
    while kills < KILLS {
        let after = Duration::from_millis(20 + turns.below(230) as u64);
        live(&mut server, &mut writers, after);
        kills += 1;
        // Some die again before they have found their feet.
        while kills < KILLS && turns.below(4) == 0 {
            server.start_and_kill_9(Duration::from_millis(turns.below(120) as u64));
            kills += 1;
        }
        server.restart();
        if kills.is_multiple_of(25) {
            check(&server, &writers, &format!("seed {seed}, after kill {kills}"));
        }
    }
    let stored = check(&server, &writers, &format!("seed {seed}, in the end"));
    let sent: usize = writers.iter().map(|writer| writer.sent.len()).sum();
    let kept: usize =
        writers.iter().flat_map(|writer| &writer.sent).filter(|fate| **fate != Fate::Open).count();
    println!(
        "seed {seed}: {kills} kills, {sent} sent, {kept} acknowledged, {stored} there; {:?}",
        began.elapsed()
    );
    assert!(kept > 10 * KILLS, "seed {seed}: too little was acknowledged to say anything");
}
