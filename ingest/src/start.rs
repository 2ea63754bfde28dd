//! Everything put together and started.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use access::{Access, Bodies};
use async_trait::async_trait;
use axum::Router;
use axum::extract::FromRef;
use prometheus_client::registry::Registry;
use schema::{Clock, Limits, Stream};
use store::{Announce, Publish, PublishError, PublishRequest, Published, Store, StoreError, WritePolicy};

use crate::accept::{Acceptor, Append};
use crate::consume::{ConsumeError, Outlet};
use crate::http::{self, Entry};
use crate::kinesis::{self, KinesisSource};
use crate::log::LogError;
use crate::metrics::Metrics;
use crate::settings::InvalidSetting;
use crate::streams::Streams;
use crate::{IngestSettings, embedded};

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

/// The log that messages come by.
#[derive(Clone, Debug)]
pub enum Source {
    /// One of our own, in this folder.
    Embedded(PathBuf),
    /// Kinesis.
    Kinesis(Box<KinesisSource>),
}

/// How far the consumer is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Records in the embedded log that are not in the store yet. How many Kinesis has, nobody knows.
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
    log: Log,
}

/// The log, running.
enum Log {
    Embedded(Arc<embedded::Running>),
    Kinesis(kinesis::Running),
}

impl Ingest {
    /// Opens the log, puts `definitions` into the catalog, in force from now on, and starts the consumer on the current
    /// runtime. `announce` hears of each row of the journal.
    ///
    /// # Errors
    /// [`StartError`] says what is in the way; nothing runs then.
    pub async fn start(
        settings: IngestSettings,
        limits: Limits,
        definitions: Vec<Stream>,
        store: Arc<dyn Store>,
        announce: Arc<dyn Announce>,
        source: Source,
        clock: Clock,
    ) -> Result<Self, StartError> {
        settings.check()?;
        let (metrics, limits) = (Arc::new(Metrics::default()), Arc::new(limits));
        // Nobody makes a stream in Kinesis by writing to it.
        let create = settings.create_streams && matches!(source, Source::Embedded(_));
        let streams = Streams::open(store.clone(), settings.streams_max, create).await?;
        let outlet = Outlet::new(store, &settings, limits.clone(), metrics.clone(), announce);
        let (append, log): (Arc<dyn Append>, _) = match source {
            Source::Embedded(folder) => {
                let log = embedded::open(&folder, &settings, &streams, &outlet, clock).await?;
                // Records that came before are decoded as they were meant then, and those that come now as is meant now.
                streams.define(definitions, log.now()).await?;
                let running =
                    embedded::Running::start(log.clone(), settings.clone(), streams.clone(), outlet);
                (Arc::new(log), Log::Embedded(Arc::new(running)))
            }
            Source::Kinesis(source) => {
                source.settings.check()?;
                streams.define(definitions.clone(), clock()).await?;
                let running = kinesis::Running::start(
                    *source,
                    settings.clone(),
                    &definitions,
                    outlet,
                    streams.clone(),
                    clock,
                );
                let (running, putter) = running.await;
                (Arc::new(putter), Log::Kinesis(running))
            }
        };
        let acceptor = Acceptor { log: append, streams, limits, metrics };
        Ok(Self(Arc::new(Running { acceptor, settings, log })))
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

    /// Takes no more, and lets the consumer bring what was taken into the store, for at most `timeout`. `true` if all of it is
    /// there and checkpointed; what is not stays in the log for the next start.
    pub async fn drain(&self, timeout: Duration) -> bool {
        let drain = async {
            match &self.0.log {
                Log::Embedded(running) => running.drain().await,
                Log::Kinesis(running) => running.drain().await,
            }
        };
        tokio::time::timeout(timeout, drain).await.unwrap_or(false)
    }

    /// How far the consumer is behind.
    pub fn lag(&self) -> Lag {
        match &self.0.log {
            Log::Embedded(running) => running.lag(),
            Log::Kinesis(running) => Lag { records: 0, checkpoint_age: running.checkpoint_age() },
        }
    }

    /// Whether messages can come in and get into the store.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn ready(&self) -> Result<(), String> {
        let failure = match &self.0.log {
            Log::Embedded(running) => running.failure(),
            Log::Kinesis(running) => running.failure(),
        };
        failure.map_or(Ok(()), Err)
    }

    /// Registers what is counted here.
    pub fn register(&self, registry: &mut Registry) {
        self.0.acceptor.metrics.register(registry);
        match &self.0.log {
            Log::Embedded(running) => embedded::register(running, registry),
            Log::Kinesis(running) => running.register(registry),
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
