//! Twenty kills under two hundred followers, each at a moment drawn from a seed: in the end every follower has every
//! message of its selection once, in order. `TIDEGATE_SEED=n` draws the same again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::follower::{Follower, News};
use super::writer::Writer;
use crate::support::{Client, PATIENCE, Server, Setup, Turns};

const CONFIGURATION: &str = r#"
# Small files and frequent checkpoints, so that a short life sees files begun, done with and removed.
[ingest]
segment_bytes = 65536
checkpoint_interval_ms = 60

# Little is kept, so that who was cut off must go to the journal; and who does not read is soon told to come back.
[live]
ring_bytes = 65536
behind_bytes = 65536
batch_bytes = 8192
poll_ms = 100
unread_ms = 500

[[stream]]
name = "plain"

[[stream]]
name = "folded"
id = "/id"
"#;

const STREAMS: [&str; 2] = ["plain", "folded"];
const KILLS: usize = 20;
const WRITERS: usize = 6;
const FOLLOWERS: usize = 200;

/// A key that is written once, so that the streams have a shape: nobody counts it.
const FIRST: &str = "first";

/// Writers, and followers that start by and by.
struct Test {
    server: Server,
    turns: Turns,
    writers: Vec<Writer>,
    waiting: Vec<Follower>,
    running: Vec<JoinHandle<Follower>>,
    news: News,
}

impl Test {
    /// Starts `count` more followers.
    fn start(&mut self, runtime: &Runtime, count: usize) {
        let at = self.waiting.len().saturating_sub(count);
        for follower in self.waiting.drain(at..) {
            self.running.push(runtime.spawn(follower.follow(self.news.clone(), PATIENCE)));
        }
    }

    /// Lets all writers write, and kills the server after a while.
    fn live_and_die(&mut self, client: &Client) {
        let after = Duration::from_millis(100 + self.turns.below(1_400) as u64);
        let (server, writers) = (&mut self.server, &mut self.writers);
        thread::scope(|scope| {
            for writer in writers {
                scope.spawn(move || writer.write(client));
            }
            thread::sleep(after);
            server.kill_9();
        });
    }
}

/// Two hundred followers: of all or of some keys, from now on or from a time, quick or slow.
fn followers(client: &Client, turns: &mut Turns) -> Vec<Follower> {
    let now = |stream: &str| {
        let page = client.graphql(&format!("{{ {stream}(from: \"now\", to: \"now\") {{ resumeCursor }} }}"));
        page[stream]["resumeCursor"].as_str().unwrap().to_owned()
    };
    let cursors = STREAMS.map(now);
    (0..FOLLOWERS)
        .map(|n| {
            let mut follower = Follower::new(STREAMS[n % 2], turns.split());
            if turns.below(2) == 0 {
                // Keys of even numbers are those of the first stream.
                let keys =
                    (0..=turns.below(2)).map(|_| format!("key{}", turns.below(WRITERS / 2) * 2 + n % 2));
                follower.keys = keys.collect();
            }
            match turns.below(3) {
                0 => follower.from = Some("now-1h".into()),
                _ => follower.cursor = Some(cursors[n % 2].clone()),
            }
            follower.is_slow = turns.below(4) == 0;
            follower
        })
        .collect()
}

/// What the server has of each writer, which must be what it acknowledged, and more only of what it was sent.
fn stored(
    server: &Server,
    writers: &[Writer],
    context: &str,
) -> BTreeMap<(&'static str, String), Vec<usize>> {
    server.catch_up();
    let client = server.client();
    let mut all = BTreeMap::new();
    for Writer { stream, key, sent, .. } in writers {
        let number = |(_, raw): &(String, String)| {
            serde_json::from_str::<Value>(raw).unwrap()["n"].as_u64().unwrap() as usize
        };
        let numbers: Vec<usize> = client.stored(stream, key).iter().map(number).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next), "{context}: {key} of {stream}: {numbers:?}");
        let lost = (0..sent.len()).filter(|n| sent[*n] && numbers.binary_search(n).is_err());
        assert_eq!(lost.collect::<Vec<_>>(), [0_usize; 0], "{context}: {key} of {stream} lost some");
        all.insert((*stream, key.clone()), numbers);
    }
    all
}

#[test]
fn two_hundred_followers_survive_twenty_kills() {
    let mut turns = Turns::seeded();
    let (seed, began) = (turns.seed(), Instant::now());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = Setup::configured(CONFIGURATION).start();
    let client = server.client();
    for stream in STREAMS {
        client.put_record(stream, FIRST, r#"{"n":0,"id":"0"}"#);
        client.nodes(stream, &format!("{{ {stream} {{ nodes {{ data {{ n }} }} }} }}"), 1);
    }
    let writer = |n: usize| Writer::new(STREAMS[n % 2], format!("key{n}"), turns.split());
    let writers = (0..WRITERS).map(writer).collect();
    let waiting = followers(&client, &mut turns);
    let (node, end) = (watch::Sender::new(Some(client)), watch::Sender::new(None));
    let news = News { node: node.subscribe(), end: end.subscribe() };
    let mut test = Test { server, turns, writers, waiting, running: Vec::new(), news };
    test.start(&runtime, FOLLOWERS / 2);
    for _ in 0..KILLS {
        let client = node.borrow().clone().expect("it is running");
        test.live_and_die(&client);
        node.send_replace(None);
        test.server.restart();
        node.send_replace(Some(test.server.client()));
        test.start(&runtime, FOLLOWERS / KILLS);
    }

    let context = format!("seed {seed}");
    let stored = stored(&test.server, &test.writers, &context);
    let counts = stored.iter().map(|(of, numbers)| (of.clone(), numbers.len())).collect();
    end.send_replace(Some(Arc::new(counts)));
    let (mut deliveries, mut resumed) = (0, 0);
    for running in test.running {
        let follower = runtime.block_on(running).unwrap_or_else(|error| panic!("{context}: {error}"));
        for ((stream, key), numbers) in &stored {
            if follower.follows(stream, key) {
                let got = follower.got.get(key).map_or(&[][..], Vec::as_slice);
                assert!(got == numbers, "{context}: {key} of {stream}: {numbers:?} are there; {follower:?}");
                deliveries += got.len();
            }
        }
        let keys = follower.got.keys().filter(|key| *key != FIRST);
        assert!(keys.clone().all(|key| follower.follows(follower.stream, key)), "{context}: {follower:?}");
        resumed += follower.resumed;
    }
    let messages: usize = stored.values().map(Vec::len).sum();
    println!(
        "seed {seed}: {messages} messages, {deliveries} deliveries, resumed {resumed} times; {:?}",
        began.elapsed()
    );
    assert!(messages > 10 * KILLS && resumed > FOLLOWERS, "{context}: too little to say anything");
}
