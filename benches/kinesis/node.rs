//! The consuming half of a node, in this process, and how much of it is in the store.

use std::sync::Arc;
use std::time::Duration;

use ingest::kinesis::{KinesisSettings, KinesisSource};
use ingest::{Ingest, IngestSettings, Source};
use schema::json::Pointer;
use schema::{Clock, Limits, PartitionId, Stream, StreamName};
use store::embedded::{Embedded, EmbeddedOptions};
use store::scylla::{Scylla, migrate};
use store::testing::cql;
use store::{Announce, JournalRow, Store};
use tokio::sync::watch;

use crate::emulator::Emulator;

/// Longest wait for everything.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where messages rest.
#[derive(Clone, Copy)]
pub enum Rest {
    Embedded,
    Cql,
}

impl Rest {
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "the embedded store",
            Self::Cql => "the CQL store",
        }
    }

    /// A store that no run has used.
    pub async fn open(self) -> Opened {
        let folder = tempfile::tempdir().expect("a folder");
        let store: Arc<dyn Store> = match self {
            Self::Embedded => {
                Arc::new(Embedded::open(folder.path(), EmbeddedOptions::default()).expect("a store"))
            }
            Self::Cql => {
                let (options, password) =
                    (cql::options_at(cql::server(), &cql::fresh("bench")), cql::password());
                migrate::run(&options, &password, false, |_| {}).await.expect("the tables");
                Arc::new(Scylla::open(&options, &password, Arc::new(cql::now)).await.expect("the store"))
            }
        };
        (store, folder)
    }
}

/// An empty store, and a folder that goes with it.
pub type Opened = (Arc<dyn Store>, tempfile::TempDir);

/// A stream whose messages have no ids.
pub fn plain(name: &str) -> Stream {
    Stream::with_defaults(StreamName::new(name).expect("a good name"))
}

/// A stream whose messages have ids, no two of them equal.
pub fn with_ids(name: &str) -> Stream {
    let id: Pointer = "/n".parse().expect("a good pointer");
    Stream { id: Some(id), ..plain(name) }
}

/// A node, which consumes one stream.
pub struct Node {
    ingest: Ingest,
    stored: Arc<Stored>,
    _folder: tempfile::TempDir,
}

/// How many messages are in the store, their journal included.
struct Stored(watch::Sender<usize>);

impl Announce for Stored {
    fn announce(&self, _: &StreamName, _: &PartitionId, row: &Arc<JournalRow>) {
        self.0.send_modify(|count| *count += row.messages.len());
    }
}

impl Node {
    /// Starts one on a store that was opened before, and with nothing in it.
    pub async fn start(emulator: &Emulator, stream: Stream, (store, folder): Opened) -> Self {
        let clock: Clock = Arc::new(cql::now);
        let settings = KinesisSettings {
            region: "us-east-1".into(),
            endpoint: emulator.endpoint(),
            poll_ms: 200,
            ..KinesisSettings::default()
        };
        let source = KinesisSource { settings, worker: cql::fresh("bench"), is_alone: true };
        let stored = Arc::new(Stored(watch::Sender::new(0)));
        let ingest = Ingest::start(
            IngestSettings::default(),
            Limits::default(),
            vec![stream],
            store,
            stored.clone(),
            Source::Kinesis(Box::new(source)),
            clock,
        );
        Self { ingest: ingest.await.expect("ingest"), stored, _folder: folder }
    }

    /// Waits until so many messages are in the store.
    pub async fn wait_for(&self, count: usize) {
        let mut stored = self.stored.0.subscribe();
        let enough = tokio::time::timeout(PATIENCE, stored.wait_for(|stored| *stored >= count)).await;
        enough.expect("it comes").expect("its sender lives");
    }

    pub async fn stop(self) {
        assert!(self.ingest.drain(PATIENCE).await, "it was not drained");
    }
}
