//! The conformance suite on a folder, and what only this backend has: reopening, sweeping, crashes.

mod crash;
mod reopen;
mod sweep;

use std::ops::Deref;
use std::path::Path;

use bytes::Bytes;
use schema::{Message, PartitionId, Position, StreamName, TimeRange, TimeSource, Timestamp, Topic};
use tempfile::TempDir;

use super::{Embedded, EmbeddedOptions};
use crate::{Journal, JournalRow, Messages, Order, StoreError, TopicPage};

crate::conformance_tests!(async { Some(Fresh::open()) });

/// A store in a folder of its own, which goes with it.
struct Fresh {
    store: Embedded,
    dir: TempDir,
}

impl Fresh {
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { store: open(dir.path()), dir }
    }
}

impl Deref for Fresh {
    type Target = Embedded;

    fn deref(&self) -> &Embedded {
        &self.store
    }
}

fn open(dir: &Path) -> Embedded {
    Embedded::open(dir, EmbeddedOptions { workers: 1, ..EmbeddedOptions::default() }).unwrap()
}

fn stream() -> StreamName {
    StreamName::new("events").unwrap()
}

fn partition() -> PartitionId {
    PartitionId::embedded(0)
}

fn topic(name: &str) -> Topic {
    Topic::new(name).unwrap()
}

/// A message that arrived `second`s after 1970, and happened then.
fn message(name: &str, sequence: u64, second: i64) -> Message {
    Message {
        topic: topic(name),
        time: Timestamp(second * 1_000_000),
        time_source: TimeSource::Arrival,
        arrived_at: Timestamp(second * 1_000_000),
        position: Position { partition: partition(), sequence: sequence.into(), sub: 0 },
        key: "k".into(),
        raw: Bytes::from(format!(r#"{{"sequence":{sequence}}}"#)),
    }
}

/// What a worker does with a batch: rows, then the journal.
async fn append(store: &Embedded, after: u64, last: u64, messages: Vec<Message>) -> Result<(), StoreError> {
    store.write_messages(&stream(), &messages).await?;
    let row = JournalRow { after: after.into(), last: last.into(), messages, children: Vec::new() };
    store.append_journal(&stream(), &partition(), &row).await
}

/// The sequences of a topic's messages, by time.
async fn sequences(store: &Embedded, name: &str) -> Vec<u64> {
    let page = TopicPage {
        range: TimeRange::ALL,
        order: Order::Ascending,
        after: None,
        before: None,
        rows_max: usize::MAX,
        bytes_max: usize::MAX,
    };
    let rows = store.read_topic(&stream(), &topic(name), page).await.unwrap();
    rows.iter().filter_map(|row| row.position.sequence.as_u64()).collect()
}
