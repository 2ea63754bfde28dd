//! Kinesis as the log, running: a worker for each stream.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::registry::Registry;
use schema::{Clock, Stream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::api::{Client, Kinesis};
use super::metrics::Shards;
use super::put::Putter;
use super::settings::KinesisSettings;
use super::status::Status;
use super::worker::{Shared, Worker};
use crate::IngestSettings;
use crate::consume::Outlet;
use crate::streams::Streams;

/// Kinesis as the log of a process.
#[derive(Clone, Debug)]
pub struct KinesisSource {
    /// How Kinesis is reached, and read.
    pub settings: KinesisSettings,
    /// What others call this process: no two at the same time, and none after another, bear one name.
    pub worker: String,
    /// No other process can have the store.
    pub is_alone: bool,
}

/// The workers, running.
pub(crate) struct Running {
    outlet: Arc<Outlet>,
    status: Arc<Status>,
    draining: watch::Sender<bool>,
    workers: Mutex<Option<JoinSet<()>>>,
}

impl Running {
    /// Starts a worker for each of `configured`, and gives the way into Kinesis.
    pub(crate) async fn start(
        KinesisSource { settings, worker, is_alone }: KinesisSource,
        ingest: IngestSettings,
        configured: &[Stream],
        outlet: Outlet,
        streams: Streams,
        clock: Clock,
    ) -> (Self, Putter) {
        let kinesis: Arc<dyn Kinesis> = Arc::new(Client::new(&settings).await);
        let putter = Putter::new(kinesis.clone(), streams.clone(), &settings, &ingest);
        let (outlet, status, draining) =
            (Arc::new(outlet), Arc::<Status>::default(), watch::Sender::new(false));
        let shared = Shared {
            id: worker.into(),
            kinesis,
            outlet: outlet.clone(),
            streams,
            room: Arc::new(Semaphore::new(settings.read_bytes as usize)),
            settings: Arc::new(settings),
            ingest: Arc::new(ingest),
            status: status.clone(),
            board: Arc::default(),
            clock,
            is_alone,
        };
        let mut workers = JoinSet::new();
        for stream in configured {
            let worker = Worker::new(shared.clone(), stream.name.clone(), stream.source().clone());
            workers.spawn(worker.run(draining.subscribe()));
        }
        (Self { outlet, status, draining, workers: Mutex::new(Some(workers)) }, putter)
    }

    /// Stores what was read, and gives all shards up; `true` once all is done.
    pub(crate) async fn drain(&self) -> bool {
        self.draining.send_replace(true);
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut workers) = workers else { return true };
        let mut all = true;
        while let Some(ended) = workers.join_next().await {
            all &= ended.is_ok();
        }
        all
    }

    /// How long the oldest work without a checkpoint has waited for one.
    pub(crate) fn checkpoint_age(&self) -> Duration {
        self.status.checkpoint_age()
    }

    /// Why not everything goes on now, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        self.outlet.patience.parked().or_else(|| self.status.failure())
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(Shards(self.status.clone())));
    }
}
