//! What it costs to bring records of Kinesis into a store, beside the SDK that only reads them; how long one takes from its put
//! until it can be read; and how soon the first comes after a start. Against an emulator in this process, whose own threads do
//! not count. On the embedded store, and where `TIDEGATE_TEST_CQL=HOST:PORT` names a server, on that; and of a stream whose
//! messages have ids, each of which is claimed.
//!
//! `cargo bench --package benches --bench kinesis [-- drain|latency|NUMBER]`; NUMBER is of records to drain

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod bare;
mod emulator;
mod node;
mod writer;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use benches::{cpu_ns_without, forget_peak, memory, row};

use emulator::{Emulator, THREADS};
use node::{Node, Rest, plain, with_ids};
use writer::Ready;

/// Unless another number is asked for.
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
    let words = std::env::args().skip(1).filter(|word| !word.starts_with('-'));
    let (numbers, asked): (Vec<_>, Vec<_>) = words.partition(|word| word.parse::<usize>().is_ok());
    let records = numbers.last().and_then(|number| number.parse().ok()).unwrap_or(RECORDS);
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|word| word == name);
    let mut stores = vec![Rest::Embedded];
    if std::env::var_os("TIDEGATE_TEST_CQL").is_some() {
        stores.push(Rest::Cql);
    }
    let emulator = Emulator::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if is_asked("drain") {
        let title = format!("{records} records of 300 bytes, over {SHARDS} shards");
        println!("{title:<58} {:>16} {:>8}", "CPU ns a record", "ratio");
        emulator.create("drain", SHARDS);
        emulator.put("drain", records);
        runtime.block_on(drain(&emulator, &stores, records));
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
async fn drain(emulator: &Emulator, stores: &[Rest], records: usize) {
    let (started, before) = (Instant::now(), cpu_ns_without(THREADS));
    assert_eq!(bare::read_all(&emulator.endpoint(), "drain", SHARDS, records).await, records);
    let bare = shown("the SDK alone, reading (baseline)", records, started, before, None);
    for &store in stores {
        let opened = store.open().await;
        let ready = Ready::new("drain", records, SHARDS, &opened.0).await;
        let (started, before) = (Instant::now(), cpu_ns_without(THREADS));
        ready.write(&opened.0).await;
        let writer = started.elapsed();
        let name = format!("the bare batch writer, into {}", store.name());
        let written = shown(&name, records, started, before, Some(bare));
        drop(opened);
        for ids in ["", ", and ids"] {
            let opened = store.open().await;
            let stream = if ids.is_empty() { plain("drain") } else { with_ids("drain") };
            forget_peak();
            let memory_before = memory("VmRSS");
            let (started, before) = (Instant::now(), cpu_ns_without(THREADS));
            let node = Node::start(emulator, stream, opened).await;
            node.wait_for(records).await;
            let speed = writer.as_secs_f64() / started.elapsed().as_secs_f64();
            let name = format!("until rows, journal{ids} are in {}", store.name());
            let ns = shown(&name, records, started, before, Some(bare));
            let cpu = (bare + written) as f64 / ns as f64;
            let more = memory("VmHWM").saturating_sub(memory_before) >> 20;
            println!(
                "    {speed:.2} of the bare writer's speed, {cpu:.2} of both baselines by CPU; {more} MiB more memory at its peak"
            );
            node.stop().await;
        }
    }
}

/// Prints a line of the first table; gives the CPU time of a record.
fn shown(name: &str, records: usize, started: Instant, before: u64, bare: Option<u64>) -> u64 {
    let ns = (cpu_ns_without(THREADS) - before) / records as u64;
    let rate = (records as f64 / started.elapsed().as_secs_f64()) as u64;
    row(&format!("{name}, {rate} a s"), ns, Some(bare.map_or(1.0, |bare| ns as f64 / bare as f64)));
    ns
}

async fn latency(emulator: &Emulator, store: Rest) {
    let stream = format!("latency-{}", store.name().replace(' ', "-"));
    emulator.create(&stream, SHARDS);
    emulator.put(&stream, 1);
    let opened = store.open().await;
    let started = Instant::now();
    let node = Node::start(emulator, plain(&stream), opened).await;
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
