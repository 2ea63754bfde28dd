//! A node without its sockets.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use ingest::{Ingest, IngestSettings, Source, StartError};
use schema::{Clock, Limits, Message, PartitionId, Stream, StreamName, TimeRange, Timestamp, Topic};
use store::embedded::{Embedded, EmbeddedOptions};
use store::{Messages, Order, Publish, PublishRequest, Published, TopicPage, Unheard, WritePolicy};

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const HOUR: i64 = 3_600 * SECOND;
/// The clock's first time: somewhen in 2026.
pub(crate) const START: i64 = 1_780_000_000 * SECOND;

/// May write everything.
#[derive(Debug)]
struct Anybody;

impl WritePolicy for Anybody {
    fn may_write(&self, _: &StreamName, _: &Topic) -> Result<(), String> {
        Ok(())
    }

    fn may_write_some(&self, _: &StreamName) -> Result<(), String> {
        Ok(())
    }

    fn own_topic(&self) -> Topic {
        topic("anybody")
    }
}

/// What runs, and the clock that it is told.
pub(crate) struct Rig {
    pub(crate) store: Embedded,
    pub(crate) ingest: Ingest,
    pub(crate) now: Arc<AtomicI64>,
}

pub(crate) fn stream() -> StreamName {
    StreamName::new("events").unwrap()
}

pub(crate) fn topic(name: &str) -> Topic {
    Topic::new(name).unwrap()
}

/// All messages of the tests have one key.
pub(crate) fn partition() -> PartitionId {
    PartitionId::embedded(0)
}

impl Rig {
    /// Starts on `folder` at the time `now`.
    pub(crate) async fn start(folder: &Path, now: i64) -> Result<Self, StartError> {
        let settings = IngestSettings {
            partitions_per_stream: 1,
            segment_bytes: 4_096,
            checkpoint_interval_ms: 20,
            ..IngestSettings::default()
        };
        let options = EmbeddedOptions { workers: 1, ..EmbeddedOptions::default() };
        let store = Embedded::open(&folder.join("store"), options).unwrap();
        let now = Arc::new(AtomicI64::new(now));
        let told = now.clone();
        let clock: Clock = Arc::new(move || Timestamp(told.load(Ordering::SeqCst)));
        let definition = r#"{"name":"events","topic":"key","time":"/at","id":"/id","retention":"1d"}"#;
        let definition: Stream = serde_json::from_str(definition).unwrap();
        let (limits, shared) = (Limits::default(), Arc::new(store.clone()));
        let ingest = Ingest::start(
            settings,
            limits,
            vec![definition],
            shared,
            Arc::new(Unheard),
            Source::Embedded(folder.join("log")),
            clock,
        )
        .await?;
        Ok(Self { store, ingest, now })
    }

    /// Ends as if nothing were amiss.
    pub(crate) async fn stop(self) {
        assert!(self.ingest.drain(Duration::from_secs(60)).await);
    }

    pub(crate) async fn publish(&self, json: &str) -> Published {
        let data = Bytes::copy_from_slice(json.as_bytes());
        let request = PublishRequest { stream: stream(), topic: None, key: Some("k".into()), data };
        self.ingest.publish(&Anybody, vec![request]).await.remove(0).unwrap()
    }

    /// Waits until everything is in the store, and checkpointed.
    pub(crate) async fn caught_up(&self) {
        for _ in 0..6_000 {
            let lag = self.ingest.lag();
            if lag.records == 0 && lag.checkpoint_age == Duration::ZERO {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the consumer stays behind: {:?}, {:?}", self.ingest.lag(), self.ingest.ready());
    }

    /// All messages, by time.
    pub(crate) async fn rows(&self) -> Vec<Message> {
        let page = TopicPage {
            range: TimeRange::ALL,
            order: Order::Ascending,
            after: None,
            before: None,
            rows_max: 10_000,
            bytes_max: 1 << 30,
        };
        self.store.read_topic(&stream(), &topic("k"), page).await.unwrap()
    }
}
