//! Everything put together and started.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use access::{Access, Bodies};
use async_trait::async_trait;
use axum::Router;
use axum::extract::FromRef;
use prometheus_client::registry::Registry;
use schema::{Clock, Limits, Stream};
use store::{Announce, Publish, PublishError, PublishRequest, Published, Store, StoreError, WritePolicy};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::IngestSettings;
use crate::accept::Acceptor;
use crate::consume::{ConsumeError, Consumer, Progress};
use crate::http::{self, Entry};
use crate::known::known;
use crate::log::{Log, LogError};
use crate::metrics::{Gauges, Metrics, Standing};
use crate::settings::InvalidSetting;
use crate::streams::Streams;

/// How often a log that can't be written is tried.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Why nothing can come in.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration says something that can't be.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// The log can't be opened.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store can't be read or written.
    #[error("could not read the streams from the store")]
    Store(#[from] StoreError),
    /// The store holds what another kind of log gave.
    #[error(transparent)]
    Consume(#[from] ConsumeError),
}

/// How far the consumer is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Records in the log that are not in the store yet.
    pub records: u64,
    /// How long the oldest work without a checkpoint has waited for one.
    pub checkpoint_age: Duration,
}

/// The way in, running. Clones share it; when the last one goes without [`Ingest::drain`], everything stops at once, as
/// in a crash, and nothing that was acknowledged is lost.
#[derive(Clone)]
pub struct Ingest(Arc<Running>);

struct Running {
    acceptor: Acceptor,
    settings: IngestSettings,
    progress: Arc<Progress>,
    draining: watch::Sender<bool>,
    consumer: Mutex<Option<JoinHandle<Result<(), ConsumeError>>>>,
    prober: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.prober.abort();
        if let Some(consumer) = self.consumer.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            consumer.abort();
        }
    }
}

impl Ingest {
    /// Opens the log in `log_folder`, puts `definitions` into the catalog, in force from now on, and starts the consumer
    /// on the current runtime. `announce` hears of each row of the journal.
    ///
    /// # Errors
    /// [`StartError`] says what is in the way; nothing runs then.
    pub async fn start(
        settings: IngestSettings,
        limits: Limits,
        definitions: Vec<Stream>,
        store: Arc<dyn Store>,
        announce: Arc<dyn Announce>,
        log_folder: &Path,
        clock: Clock,
    ) -> Result<Self, StartError> {
        settings.check()?;
        let (metrics, limits) = (Arc::new(Metrics::default()), Arc::new(limits));
        let streams = Streams::open(store.clone(), settings.streams_max, settings.create_streams).await?;
        let known = known(&streams, store.as_ref()).await?;
        let (folder, opening, counts) = (log_folder.to_path_buf(), settings.clone(), metrics.log.clone());
        let open = move || Log::open(&folder, &opening, clock, &known, counts);
        let log = tokio::task::spawn_blocking(open).await.map_err(|error| LogError::Io {
            doing: "open the log in",
            path: log_folder.to_path_buf(),
            source: std::io::Error::other(error),
        })??;
        // Records that came before are decoded as they were meant then, and those that come now as is meant now.
        streams.define(definitions, log.now()).await?;
        let consumer = Consumer::new(
            log.clone(),
            streams.clone(),
            store,
            settings.clone(),
            limits.clone(),
            metrics.clone(),
            announce,
        );
        let (progress, draining) = (consumer.progress(), watch::Sender::new(false));
        let consumer = tokio::spawn(consumer.run(draining.subscribe()));
        let prober = tokio::spawn(probe(log.clone()));
        let acceptor = Acceptor { log, streams, limits, metrics };
        let consumer = Mutex::new(Some(consumer));
        Ok(Self(Arc::new(Running { acceptor, settings, progress, draining, consumer, prober })))
    }

    /// The routes on which messages come in, for a state that yields an [`Access`]; their bodies share `bodies`.
    pub fn router<S>(&self, bodies: Bodies) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
        Access: FromRef<S>,
    {
        let settings = &self.0.settings;
        http::router(Entry {
            publish: Arc::new(self.clone()),
            limits: self.0.acceptor.limits.clone(),
            group: (settings.body_rows, settings.body_bytes),
            body_wait: Duration::from_millis(settings.body_wait_ms),
            bodies,
        })
    }

    /// Takes no more, makes durable what was taken, and lets the consumer bring everything into the store, for at most
    /// `timeout`. `true` if all of it is there and checkpointed; what is not stays in the log for the next start.
    pub async fn drain(&self, timeout: Duration) -> bool {
        let drain = async {
            self.0.acceptor.log.close().await;
            self.0.draining.send_replace(true);
            let consumer = self.0.consumer.lock().unwrap_or_else(PoisonError::into_inner).take();
            match consumer {
                Some(mut consumer) => {
                    let stop = AbortOnDrop(consumer.abort_handle());
                    let outcome = (&mut consumer).await;
                    drop(stop);
                    matches!(outcome, Ok(Ok(())))
                }
                None => self.lag().records == 0,
            }
        };
        tokio::time::timeout(timeout, drain).await.unwrap_or(false)
    }

    /// How far the consumer is behind.
    pub fn lag(&self) -> Lag {
        self.0.lag()
    }

    /// Whether messages can come in and get into the store.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn ready(&self) -> Result<(), String> {
        if let Some(failure) = self.0.acceptor.log.failure() {
            return Err(format!("the log can't be written: {failure}"));
        }
        self.0.progress.failure().map_or(Ok(()), Err)
    }

    /// Registers what is counted here.
    pub fn register(&self, registry: &mut Registry) {
        self.0.acceptor.metrics.register(registry);
        // The registry must not keep everything running.
        let running = Arc::downgrade(&self.0);
        let gauges = move || running.upgrade().map_or_else(Gauges::default, |running| running.gauges());
        registry.register_collector(Box::new(Standing(gauges)));
    }
}

/// While the log can't be written, finds out when it can: a node that is not ready is sent no messages to find out by.
async fn probe(log: Log) {
    loop {
        tokio::time::sleep(PROBE_EVERY).await;
        if log.failure().is_some() {
            log.probe().await;
        }
    }
}

#[async_trait]
impl Publish for Ingest {
    async fn publish(
        &self,
        caller: &dyn WritePolicy,
        requests: Vec<PublishRequest>,
    ) -> Vec<Result<Published, PublishError>> {
        self.0.acceptor.publish(caller, requests).await
    }
}

impl Running {
    fn lag(&self) -> Lag {
        let records = self.acceptor.log.records().saturating_sub(self.progress.records());
        Lag { records, checkpoint_age: self.progress.checkpoint_age() }
    }

    fn gauges(&self) -> Gauges {
        let Lag { records, checkpoint_age } = self.lag();
        Gauges { lag_records: records, checkpoint_age, log_bytes: self.acceptor.log.size_bytes() }
    }
}

/// Ends the consumer when the wait for it is given up.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
