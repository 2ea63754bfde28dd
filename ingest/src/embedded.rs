//! The embedded log as the way in, running: its consumer, and what looks after it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::registry::Registry;
use schema::Clock;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::IngestSettings;
use crate::consume::{ConsumeError, Consumer, Outlet, Progress};
use crate::known::known;
use crate::log::{Log, LogError};
use crate::metrics::{Gauges, Standing};
use crate::start::{Lag, StartError};
use crate::streams::Streams;

/// How often a log that can't be written is tried.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Opens the log, which goes on behind what the store knows of it.
pub(crate) async fn open(
    folder: &Path,
    settings: &IngestSettings,
    streams: &Streams,
    outlet: &Outlet,
    clock: Clock,
) -> Result<Log, StartError> {
    let known = known(streams, outlet.store.as_ref()).await?;
    let (path, opening, counts) = (folder.to_path_buf(), settings.clone(), outlet.metrics.log.clone());
    let open = move || Log::open(&path, &opening, clock, &known, counts);
    Ok(tokio::task::spawn_blocking(open).await.map_err(|error| LogError::Io {
        doing: "open the log in",
        path: folder.to_path_buf(),
        source: std::io::Error::other(error),
    })??)
}

/// The log and its consumer, running. Dropped, everything stops at once.
pub(crate) struct Running {
    log: Log,
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

impl Running {
    /// Starts the consumer of `log` on the current runtime.
    pub(crate) fn start(log: Log, settings: IngestSettings, streams: Streams, outlet: Outlet) -> Self {
        let consumer = Consumer::new(log.clone(), streams, settings, outlet);
        let (progress, draining) = (consumer.progress(), watch::Sender::new(false));
        let consumer = tokio::spawn(consumer.run(draining.subscribe()));
        let prober = tokio::spawn(probe(log.clone()));
        Self { log, progress, draining, consumer: Mutex::new(Some(consumer)), prober }
    }

    /// Takes no more, makes durable what was taken, and lets the consumer bring everything into the store.
    pub(crate) async fn drain(&self) -> bool {
        self.log.close().await;
        self.draining.send_replace(true);
        let consumer = self.consumer.lock().unwrap_or_else(PoisonError::into_inner).take();
        match consumer {
            Some(mut consumer) => {
                let stop = AbortOnDrop(consumer.abort_handle());
                let outcome = (&mut consumer).await;
                drop(stop);
                matches!(outcome, Ok(Ok(())))
            }
            None => self.lag().records == 0,
        }
    }

    pub(crate) fn lag(&self) -> Lag {
        let records = self.log.records().saturating_sub(self.progress.records());
        Lag { records, checkpoint_age: self.progress.checkpoint_age() }
    }

    /// Why messages can't come in or get into the store, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        let unwritable = |failure| format!("the log can't be written: {failure}");
        self.log.failure().map(unwritable).or_else(|| self.progress.failure())
    }

    fn gauges(&self) -> Gauges {
        let Lag { records, checkpoint_age } = self.lag();
        Gauges { lag_records: records, checkpoint_age, log_bytes: self.log.size_bytes() }
    }
}

/// Registers what is asked for at the moment of a scrape.
pub(crate) fn register(running: &Arc<Running>, registry: &mut Registry) {
    // The registry must not keep everything running.
    let running = Arc::downgrade(running);
    let gauges = move || running.upgrade().map_or_else(Gauges::default, |running| running.gauges());
    registry.register_collector(Box::new(Standing(gauges)));
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

/// Ends the consumer when the wait for it is given up.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
