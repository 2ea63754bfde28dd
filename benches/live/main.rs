//! What live costs: CPU a delivery beside a bare broadcast, the way from publisher to subscriber beside the durable write,
//! catching up, and sockets at rest. Clients are a process of their own.
//!
//! `cargo bench --package benches --bench live`, or `… -- fanout`, `latency`, `resume`, `idle`

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod bare;
mod clients;
mod node;

use std::time::{Duration, Instant};

use benches::{cpu_ns, memory, row};
use clients::{Clients, Job};
use node::Node;

const CLIENTS: usize = 1_000;
const A_SECOND: u64 = 100;
/// With a topic each, all messages are different: 50,000 a second are what two shared cores take beside the clients.
const TOPICS_A_SECOND: u64 = 50;
const SECONDS: u64 = 10;
const MISSED: usize = 100_000;
const IDLE: usize = 5_000;
const SINGLES: usize = 1_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if let Some(job) = Job::of_this_process() {
        return runtime.block_on(clients::run(job));
    }
    // Cargo gives a flag of its own.
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |name: &str| asked.is_empty() || asked.iter().any(|word| word == name);
    if wants("fanout") {
        runtime.block_on(fanout());
    }
    if wants("latency") {
        runtime.block_on(latency());
    }
    if wants("resume") {
        runtime.block_on(resume());
    }
    if wants("idle") {
        runtime.block_on(idle());
    }
}

/// 1,000 clients, each of which gets 100 messages a second.
async fn fanout() {
    println!("{:<58} {:>16} {:>8}", "live: 1,000 clients, 100 messages a second", "CPU ns each", "ratio");
    // What is only announced is in no journal: so that the slowest finds it in memory.
    let node = Node::start(1 << 30).await;
    let text = node.example().await;
    // The least of two runs: whatever else a shared machine does only adds.
    let (mut bare, mut equal, mut topics) = (u64::MAX, u64::MAX, u64::MAX);
    for _ in 0..2 {
        bare = bare.min(broadcast(&text).await);
        equal = equal.min(shared(&node, false).await);
        topics = topics.min(shared(&node, true).await);
    }
    let ratio = |ns: u64| Some(ns as f64 / bare as f64);
    row(&format!("bare axum broadcast of the same {} bytes (baseline)", text.len()), bare, Some(1.0));
    row("one equal subscription each; at most 1.3", equal, ratio(equal));
    row("1,000 different topics, 50 a second of each; at most 4", topics, ratio(topics));
}

/// Publishes to clients that are ready, and gives the CPU time of a delivery.
async fn measured(mut clients: Clients, a_second: u64, mut publish: impl FnMut(u64)) -> u64 {
    clients.ready();
    let (before, mut tick) = (cpu_ns(), tokio::time::interval(Duration::from_millis(1_000 / a_second)));
    for n in 0..SECONDS * a_second {
        tick.tick().await;
        publish(n);
    }
    let delivered = tokio::task::spawn_blocking(move || clients.done()).await.expect("an end");
    (cpu_ns() - before) / delivered
}

async fn broadcast(text: &str) -> u64 {
    let bare = bare::start().await;
    let expect = (SECONDS * A_SECOND) as usize;
    let clients = Clients::start(&Job { expect, protocol: false, ..Job::new(&bare.url, CLIENTS) });
    measured(clients, A_SECOND, |_| bare.send(text)).await
}

async fn shared(node: &Node, by_topic: bool) -> u64 {
    let a_second = if by_topic { TOPICS_A_SECOND } else { A_SECOND };
    let expect = (SECONDS * a_second) as usize;
    let job = Job { expect, by_topic, token: node.token(), ..Job::new(&node.url, CLIENTS) };
    let topics = if by_topic { CLIENTS } else { 1 };
    measured(Clients::start(&job), a_second, |n| node.announce(n, topics)).await
}

/// One message after the other, by HTTP: when it is acknowledged, and when a subscriber has it.
async fn latency() {
    println!("\n{:<58} {:>16} {:>8}", "live: from PUT record to a subscriber", "µs p50", "p99");
    let node = Node::start(64 << 20).await;
    let (mut acknowledged, mut delivered) = node.singles(SINGLES).await;
    for (name, times) in [
        ("acknowledged: durable", &mut acknowledged),
        ("delivered: durable, stored, executed, sent", &mut delivered),
    ] {
        times.sort();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_micros();
        println!("{name:<58} {:>16} {:>8}", at(50), at(99));
    }
}

/// A subscriber comes back after 100,000 messages.
async fn resume() {
    println!("\n{:<58} {:>16}", "live: resume of 100,000 missed messages", "");
    for (from, ring_bytes) in [("from the journal", 1 << 20), ("from memory", 1 << 30)] {
        let node = Node::start(ring_bytes).await;
        let cursor = node.cursor().await;
        node.fill(MISSED).await;
        let job = Job {
            expect: MISSED,
            resume: Some(cursor.clone()),
            token: node.token(),
            ..Job::new(&node.url, 1)
        };
        let resting = memory("VmRSS");
        benches::forget_peak();
        let (started, before) = (Instant::now(), cpu_ns());
        let mut clients = Clients::start(&job);
        let delivered = tokio::task::spawn_blocking(move || {
            clients.ready();
            clients.done()
        });
        let delivered = delivered.await.expect("an end");
        let rate = delivered as f64 / started.elapsed().as_secs_f64();
        row(&format!("{from}: deliveries a second"), rate as u64, None);
        row("  CPU ns a delivery", (cpu_ns() - before) / delivered, None);
        row("  peak memory beyond what was there, KiB", memory("VmHWM").saturating_sub(resting) >> 10, None);
    }
}

/// Sockets that wait.
async fn idle() {
    println!("\n{:<58} {:>16}", "live: sockets at rest", "bytes each");
    let node = Node::start(1 << 20).await;
    // All stay until the end, or the second would live in what the first have left.
    let mut all = Vec::new();
    for (name, subscribes) in [("signed in", false), ("signed in, with one subscription", true)] {
        let before = memory("VmRSS");
        let job = Job { subscribes, by_topic: true, token: node.token(), ..Job::new(&node.url, IDLE) };
        let mut clients = Clients::start(&job);
        let clients = tokio::task::spawn_blocking(move || {
            clients.ready();
            clients
        });
        all.push(clients.await.expect("ready"));
        row(name, memory("VmRSS").saturating_sub(before) / IDLE as u64, None);
    }
}
