//! The newest 100 messages of a topic, in a topic of 10,000 and in one of 5 million, after compaction.
//!
//! `cargo bench --package benches --bench newest [-- MILLIONS]`

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::path::Path;

use benches::{least_cpu_ns, row};
use fjall::{Database, KeyspaceCreateOptions};
use schema::{Message, PartitionId, Position, StreamName, TimeRange, TimeSource, Timestamp, Topic};
use store::embedded::{Embedded, EmbeddedOptions};
use store::{Messages, Order, TopicPage};

const FEW: u64 = 10_000;
const BATCH: u64 = 2_000;
const ROUNDS: usize = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let millions = std::env::args().skip(1).find_map(|argument| argument.parse::<u64>().ok()).unwrap_or(5);
    let many = millions * 1_000_000;
    println!("{:<58} {:>16} {:>8}", "newest 100 of a topic", "CPU (ns)", "ratio");
    let few = measure(&runtime, FEW);
    row(&format!("of {FEW} messages (baseline)"), few, Some(1.0));
    let most = measure(&runtime, many);
    row(&format!("of {many} messages; at most 1.5"), most, Some(most as f64 / few as f64));
}

fn measure(runtime: &tokio::runtime::Runtime, count: u64) -> u64 {
    let dir = tempfile::tempdir().expect("a folder");
    let (stream, topic) =
        (StreamName::new("readings").expect("a name"), Topic::new("pump-1").expect("a topic"));
    let store = Embedded::open(dir.path(), EmbeddedOptions::default()).expect("a store");
    runtime.block_on(async {
        for from in (0..count).step_by(BATCH as usize) {
            let batch: Vec<Message> = (from..(from + BATCH).min(count)).map(|n| message(&topic, n)).collect();
            store.write_messages(&stream, &batch).await.expect("written");
        }
    });
    drop(store);
    compact(dir.path());
    let store = Embedded::open(dir.path(), EmbeddedOptions::default()).expect("a store");
    let read = || {
        let page = TopicPage {
            range: TimeRange::ALL,
            order: Order::Descending,
            after: None,
            before: None,
            rows_max: 100,
            bytes_max: usize::MAX,
        };
        let rows = runtime.block_on(store.read_topic(&stream, &topic, page)).expect("rows");
        assert_eq!(rows.len(), 100);
        rows
    };
    least_cpu_ns(ROUNDS, read)
}

/// Merges all of the table's files into one level, as time would.
fn compact(dir: &Path) {
    let db = Database::builder(dir).open().expect("a database");
    let rows = db.keyspace("messages", KeyspaceCreateOptions::default).expect("a table");
    rows.rotate_memtable_and_wait().expect("written");
    rows.major_compact().expect("compacted");
}

fn message(topic: &Topic, n: u64) -> Message {
    let at = Timestamp(1_600_000_000_000_000 + n as i64 * 1_000);
    Message {
        topic: topic.clone(),
        time: at,
        time_source: TimeSource::Message,
        arrived_at: at,
        position: Position { partition: PartitionId::embedded(0), sequence: (n + 1).into(), sub: 0 },
        key: "pump-1".into(),
        raw: format!(r#"{{"n":{n},"temperature":{}.5,"note":"{:0250}"}}"#, n % 40, n * 7_919).into(),
    }
}
