//! A hand that writes messages into the store as the consumer does, and what of them is delivered.

use std::ops::Range;
use std::sync::Arc;

use gateway::LiveSettings;
use schema::{Message, PartitionId, Position, Stream, StreamName, TimeSource, Timestamp, Topic};
use serde_json::{Value, json};
use store::embedded::Embedded;
use store::{Announce, Catalog, Journal, JournalRow, Leases, Messages, StreamRecord};

use crate::client::Socket;
use crate::rig::Rig;

/// Everything of the stream `s`: what [`numbers`] and [`cursor`] read.
pub(crate) const ALL: &str = "subscription { s { cursor message { raw } } }";

/// The hand, at a node whose streams are `s` and `other`, of one partition each.
pub(crate) struct Hand {
    pub(crate) rig: Rig,
    epoch: u64,
    written: u64,
}

impl Hand {
    pub(crate) async fn new() -> Self {
        Self::with(LiveSettings::default()).await
    }

    pub(crate) async fn with(live: LiveSettings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Embedded::open(&dir.path().join("store"), Default::default()).unwrap();
        let mut records = Vec::new();
        for name in ["s", "other"] {
            let definition: Stream = serde_json::from_value(json!({ "name": name })).unwrap();
            let record = StreamRecord::new(definition, &records);
            assert!(store.put_stream(&record).await.unwrap());
            records.push(record);
        }
        let epoch = store.claim_lease(&stream(), &PartitionId::embedded(0)).await.unwrap().epoch;
        let rig = Rig::over(store, Arc::new(dir), Default::default(), live).await;
        Self { rig, epoch, written: 0 }
    }

    /// Writes messages of these numbers as one row of the journal: topic `a` has the even ones, `b` the odd ones. Each is
    /// of about so many bytes.
    pub(crate) async fn write(&mut self, numbers: Range<u64>, bytes: usize) {
        let now = Timestamp(1_590_969_600_000_000);
        let (after, partition) = (self.written.into(), PartitionId::embedded(0));
        let messages = numbers.map(|n| {
            self.written += 1;
            let position = Position { partition: partition.clone(), sequence: self.written.into(), sub: 0 };
            Message {
                topic: Topic::new(if n % 2 == 0 { "a" } else { "b" }).unwrap(),
                time: now,
                time_source: TimeSource::Arrival,
                arrived_at: now,
                position,
                key: "key".into(),
                raw: (n.to_string() + &" ".repeat(bytes.saturating_sub(8))).into(),
            }
        });
        let messages = messages.collect();
        let row = JournalRow { after, last: self.written.into(), messages, children: Vec::new() };
        let (store, stream) = (&self.rig.store, stream());
        store.write_messages(&stream, &row.messages).await.unwrap();
        store.append_journal(&stream, &partition, &row).await.unwrap();
        assert!(store.checkpoint(&stream, &partition, self.epoch, row.last).await.unwrap());
        self.rig.hub.announce(&stream, &partition, &Arc::new(row));
    }

    /// Resolves once as many subscriptions run, each at its place.
    pub(crate) async fn running(&self, count: usize) {
        crate::rig::until("subscriptions", || self.rig.gateway.live_operations() == count).await;
        // Counted before they stand where they begin, which takes no message.
        tokio::time::sleep(crate::client::QUIET).await;
    }
}

fn stream() -> StreamName {
    StreamName::new("s").unwrap()
}

/// The number in an execution result.
pub(crate) fn number(result: &Value) -> u64 {
    let raw = result["data"]["s"]["message"]["raw"].as_str();
    raw.unwrap_or_else(|| panic!("no message: {result}")).trim().parse().unwrap()
}

/// The cursor in an execution result.
pub(crate) fn cursor(result: &Value) -> String {
    result["data"]["s"]["cursor"].as_str().unwrap_or_else(|| panic!("no cursor: {result}")).to_owned()
}

/// [`ALL`], behind `cursor`.
pub(crate) fn behind(cursor: &str) -> String {
    format!("subscription {{ s(resume: \"{cursor}\") {{ cursor message {{ raw }} }} }}")
}

/// The next `count` results of `id`.
pub(crate) async fn take(socket: &mut Socket, id: &str, count: u64) -> Vec<Value> {
    let mut taken = Vec::new();
    for _ in 0..count {
        taken.push(socket.result(id).await);
    }
    taken
}

/// Asserts that these are results of these numbers, in this order.
#[track_caller]
pub(crate) fn assert_numbers(results: &[Value], expect: impl IntoIterator<Item = u64>) {
    let numbers: Vec<u64> = results.iter().map(number).collect();
    assert_eq!(numbers, expect.into_iter().collect::<Vec<_>>());
}
