//! The CQL store beside its driver: what it costs to write rows and their journal, to read the newest hundred, and to read
//! many. Needs a server: `TIDEGATE_TEST_CQL=HOST:PORT`, as `cargo xtask cql` starts one.
//!
//! `cargo bench --package benches --bench cql [-- ingest|newest|stream]`

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod bare;
mod server;

use std::time::{Duration, Instant};

use benches::{forget_peak, least_cpu_ns, memory, row};
use schema::{Message, PartitionId, Sequence, TimeRange, Topic};
use store::scylla::Scylla;
use store::{Journal, JournalRow, Leases, Messages, Order, RowMark, TopicPage};

use bare::Bare;
use server::{Keyspace, message, stream, topics};
use store::testing::cql::now;

/// What the consumer takes at once.
const BATCH: u64 = 4_096;
/// The consumer checkpoints about as often.
const BATCHES_A_CHECKPOINT: u64 = 8;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|word| word == name);
    let keyspace = runtime.block_on(Keyspace::new());
    let bare = runtime.block_on(async { Bare::new(keyspace.session().await).await });
    let store = runtime.block_on(keyspace.store());
    if is_asked("ingest") {
        println!("{:<58} {:>16} {:>8}", "rows of 300 bytes, in batches of 4,096", "rows a s", "ratio");
        runtime.block_on(async {
            // Neither pays for the server's warming up.
            write(&store, "warm", 100, 100_000, true).await;
            bare_write(&bare, "warm", 100, 100_000).await;
            for (topics, rows) in [(100, 400_000), (10_000, 600_000)] {
                ingest(&store, &bare, topics, rows).await;
            }
        });
    }
    if is_asked("newest") {
        println!("{:<58} {:>16} {:>8}", "newest 100 of a topic", "CPU (ns)", "ratio");
        newest(&runtime, &store, &bare);
    }
    if is_asked("stream") {
        println!("{:<58} {:>16} {:>8}", "100,000 rows of 300 bytes, in order", "rows a s", "ratio");
        runtime.block_on(all(&store, &bare));
    }
}

/// A bare writer, our rows, and our rows with their journal and checkpoints, one after the other, twice: the better counts.
async fn ingest(store: &Scylla, bare: &Bare, topics: u64, rows: u64) {
    let mut least = [Duration::MAX; 3];
    for round in 0..2 {
        let name = format!("ingest-{topics}-{round}");
        let times = [
            bare_write(bare, &name, topics, rows).await,
            write(store, &name, topics, rows, false).await,
            write(store, &format!("{name}-journal"), topics, rows, true).await,
        ];
        least.iter_mut().zip(times).for_each(|(least, time)| *least = time.min(*least));
    }
    let rate = |time: Duration| (rows as f64 / time.as_secs_f64()) as u64;
    let ratio = |time: Duration| Some(least[0].as_secs_f64() / time.as_secs_f64());
    row(&format!("{topics} topics: bare batch writer (baseline)"), rate(least[0]), Some(1.0));
    row(&format!("{topics} topics: messages; at least 0.8"), rate(least[1]), ratio(least[1]));
    row(&format!("{topics} topics: messages, journal, checkpoints"), rate(least[2]), ratio(least[2]));
}

/// So many messages, in the order in which a log would have them.
fn batches(name: &str, count: u64, rows: u64) -> impl Iterator<Item = Vec<Message>> {
    let (topics, began) = (topics(count), now());
    let topics: Vec<Topic> =
        topics.iter().map(|topic| Topic::new(&format!("{name}/{topic}")).expect("a good topic")).collect();
    (0..rows).step_by(BATCH as usize).map(move |from| {
        let to = (from + BATCH).min(rows);
        (from..to).map(|n| message(&topics[(n.wrapping_mul(7_919) % count) as usize], began, n)).collect()
    })
}

async fn bare_write(bare: &Bare, name: &str, topics: u64, rows: u64) -> Duration {
    let mut time = Duration::ZERO;
    for batch in batches(name, topics, rows) {
        let started = Instant::now();
        bare.write(&batch).await;
        time += started.elapsed();
    }
    time
}

async fn write(store: &Scylla, name: &str, topics: u64, rows: u64, with_journal: bool) -> Duration {
    let (stream, partition) = (stream(name), PartitionId::embedded(0));
    let epoch = store.claim_lease(&stream, &partition).await.expect("a lease").epoch;
    let (mut time, mut after) = (Duration::ZERO, Sequence::ZERO);
    for (number, messages) in (1..).zip(batches(name, topics, rows)) {
        let last = messages.last().map_or(after, |message| message.position.sequence);
        let started = Instant::now();
        store.write_messages(&stream, &messages).await.expect("written");
        if with_journal {
            let row = JournalRow { after, last, messages, children: Vec::new() };
            store.append_journal(&stream, &partition, &row).await.expect("journaled");
            if number % BATCHES_A_CHECKPOINT == 0 {
                assert!(store.checkpoint(&stream, &partition, epoch, last).await.expect("a checkpoint"));
            }
        }
        time += started.elapsed();
        after = last;
    }
    time
}

fn newest(runtime: &tokio::runtime::Runtime, store: &Scylla, bare: &Bare) {
    const ROUNDS: usize = 20;
    let topic = topics(1).remove(0);
    runtime.block_on(async {
        for batch in batches("bare", 1, 10_000) {
            let batch: Vec<_> =
                batch.into_iter().map(|message| Message { topic: topic.clone(), ..message }).collect();
            bare.write(&batch).await;
        }
    });
    let bare_ns = least_cpu_ns(ROUNDS, || assert_eq!(runtime.block_on(bare.newest(&topic)), 100));
    row("the driver alone, one request (baseline)", bare_ns, Some(1.0));
    for rows in [10_000, 2_000_000] {
        let name = format!("newest-{rows}");
        runtime.block_on(write(store, &name, 1, rows, false));
        let (stream, topic) = (stream(&name), batches(&name, 1, 1).next().expect("one")[0].topic.clone());
        let read = || {
            let page = page(Order::Descending, 100, None);
            let rows = runtime.block_on(store.read_topic(&stream, &topic, page)).expect("rows");
            assert_eq!(rows.len(), 100);
        };
        let before = store.requests();
        read();
        let requests = store.requests() - before;
        let ns = least_cpu_ns(ROUNDS, read);
        row(
            &format!("of {rows} messages, {requests} requests; at most 1.5"),
            ns,
            Some(ns as f64 / bare_ns as f64),
        );
    }
}

fn page(order: Order, rows_max: usize, after: Option<RowMark>) -> TopicPage {
    TopicPage { range: TimeRange::ALL, order, after, before: None, rows_max, bytes_max: 8 << 20 }
}

async fn all(store: &Scylla, bare: &Bare) {
    const ROWS: u64 = 100_000;
    bare_write(bare, "all", 1, ROWS).await;
    write(store, "all", 1, ROWS, true).await;
    let topic = batches("all", 1, 1).next().expect("one")[0].topic.clone();
    let (stream, partition) = (stream("all"), PartitionId::embedded(0));
    let rate = |time: Duration| (ROWS as f64 / time.as_secs_f64()) as u64;
    let grown = |before: u64| memory("VmHWM").saturating_sub(before) >> 20;

    forget_peak();
    let (before, started) = (memory("VmRSS"), Instant::now());
    assert_eq!(bare.all(&topic).await as u64, ROWS);
    let bare_time = started.elapsed();
    row(&format!("the driver's pages (baseline), {} MiB more", grown(before)), rate(bare_time), Some(1.0));

    forget_peak();
    let (before, started) = (memory("VmRSS"), Instant::now());
    let (mut count, mut after) = (0, None);
    loop {
        let page = page(Order::Ascending, 1_000, after.take());
        let rows = store.read_topic(&stream, &topic, page).await.expect("rows");
        count += rows.len() as u64;
        let Some(last) = rows.last() else { break };
        after = Some(RowMark::of(last));
    }
    assert_eq!(count, ROWS);
    let time = started.elapsed();
    let ratio = bare_time.as_secs_f64() / time.as_secs_f64();
    row(&format!("a topic, page by page, {} MiB more", grown(before)), rate(time), Some(ratio));

    forget_peak();
    let (before, started) = (memory("VmRSS"), Instant::now());
    let (mut count, mut consumed) = (0, Sequence::ZERO);
    while let store::Next::Row(row) = store.next_journal(&stream, &partition, consumed).await.expect("a row")
    {
        count += row.messages.len() as u64;
        consumed = row.last;
    }
    assert_eq!(count, ROWS);
    let time = started.elapsed();
    let ratio = bare_time.as_secs_f64() / time.as_secs_f64();
    row(&format!("the journal, row by row, {} MiB more", grown(before)), rate(time), Some(ratio));
}
