//! What it costs to bring records of Kinesis into a store, beside the SDK that only reads them; how long one takes from its put
//! until it can be read; and how soon the first comes after a start. Against an emulator in this process, whose own threads do
//! not count. On the embedded store, and where `TIDEGATE_TEST_CQL=HOST:PORT` names a server, on that.
//!
//! `cargo bench --package benches --bench kinesis [-- drain|latency]`

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod bare;
mod emulator;
mod node;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use benches::{cpu_ns_without, row};

use emulator::{Emulator, THREADS};
use node::{Node, Rest};

const RECORDS: usize = 200_000;
const SHARDS: u32 = 4;
/// How often one record is put and waited for.
const ROUNDS: usize = 150;

fn main() -> ExitCode {
    // Credentials come by the environment, which a process can't set for itself.
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
        let own = std::env::current_exe().expect("its own path");
        let mut again = Command::new(own);
        again.args(std::env::args().skip(1)).env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "y");
        let ended = again.status().expect("it starts once more");
        return if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|word| word == name);
    let mut stores = vec![Rest::Embedded];
    if std::env::var_os("TIDEGATE_TEST_CQL").is_some() {
        stores.push(Rest::Cql);
    }
    let emulator = Emulator::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if is_asked("drain") {
        println!(
            "{:<58} {:>16} {:>8}",
            "200,000 records of 300 bytes, over 4 shards", "CPU ns a record", "ratio"
        );
        emulator.create("drain", SHARDS);
        emulator.put("drain", RECORDS);
        runtime.block_on(drain(&emulator, &stores));
    }
    if is_asked("latency") {
        println!("{:<58} {:>16} {:>8}", "one record, with 200 ms between two reads of a shard", "ms", "");
        for &store in &stores {
            runtime.block_on(latency(&emulator, store));
        }
    }
    ExitCode::SUCCESS
}

/// All of it, from the start of a node until the last is in the store.
async fn drain(emulator: &Emulator, stores: &[Rest]) {
    let (started, before) = (Instant::now(), cpu_ns_without(THREADS));
    assert_eq!(bare::read_all(&emulator.endpoint(), "drain", SHARDS, RECORDS).await, RECORDS);
    let bare = shown("the SDK alone, reading (baseline)", started, before, None);
    for &store in stores {
        let opened = store.open().await;
        let (started, before) = (Instant::now(), cpu_ns_without(THREADS));
        let node = Node::start(emulator, "drain", opened).await;
        node.wait_for(RECORDS).await;
        shown(&format!("until rows, journal and all are in {}", store.name()), started, before, Some(bare));
        node.stop().await;
    }
}

/// Prints a line of the first table; gives the CPU time of a record.
fn shown(name: &str, started: Instant, before: u64, bare: Option<u64>) -> u64 {
    let ns = (cpu_ns_without(THREADS) - before) / RECORDS as u64;
    let rate = (RECORDS as f64 / started.elapsed().as_secs_f64()) as u64;
    row(&format!("{name}, {rate} a s"), ns, Some(bare.map_or(1.0, |bare| ns as f64 / bare as f64)));
    ns
}

async fn latency(emulator: &Emulator, store: Rest) {
    let stream = format!("latency-{}", store.name().replace(' ', "-"));
    emulator.create(&stream, SHARDS);
    emulator.put(&stream, 1);
    let opened = store.open().await;
    let started = Instant::now();
    let node = Node::start(emulator, &stream, opened).await;
    node.wait_for(1).await;
    row(&format!("the first after a start, in {}", store.name()), started.elapsed().as_millis(), None);
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        // At any moment between two reads.
        tokio::time::sleep(Duration::from_millis(round as u64 * 37 % 200)).await;
        let put = Instant::now();
        emulator.put_one(&stream, round);
        node.wait_for(round + 2).await;
        times.push(put.elapsed());
    }
    times.sort_unstable();
    let at = |part: usize| times[(ROUNDS - 1) * part / 100].as_millis();
    row(&format!("from its put until it is in {}: p50", store.name()), at(50), None);
    row("  p99", at(99), None);
    node.stop().await;
}
