//! Keeps the snapshot in step with the catalog: looked at a few times a second, rebuilt at most once a second.

use std::sync::Arc;
use std::time::Duration;

use access::Principal;
use arc_swap::ArcSwap;
use store::{Store, StoreError};
use tokio::time::Instant;

use super::seen::Moment;
use super::{Snapshot, StreamView};

/// How often the catalog's revision is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// The shortest time between two rebuilds.
const REBUILD: Duration = Duration::from_secs(1);

/// The snapshot in force.
#[derive(Clone, Debug)]
pub struct Snapshots(Arc<ArcSwap<Moment>>);

impl Snapshots {
    /// The newest one: all streams, whole.
    pub fn current(&self) -> Arc<Snapshot> {
        self.0.load().whole.clone()
    }

    /// What `caller` sees of the newest one.
    ///
    /// # Errors
    /// A sentence: the schema is at odds with itself, which is a fault of Tidegate.
    pub async fn seen_by(&self, caller: &Principal) -> Result<Arc<Snapshot>, String> {
        self.0.load_full().seen_by(caller).await
    }
}

/// Follows the catalog.
pub struct Follower {
    store: Arc<dyn Store>,
    control: Arc<str>,
    schemas: usize,
    snapshots: Snapshots,
    revision: u64,
}

impl Follower {
    /// Builds the first snapshot. `control` is the control plane's SDL, and `schemas` is how many are kept of those that only some
    /// see.
    ///
    /// # Errors
    /// A sentence: the store can't be read, or the schema is at odds with itself.
    pub async fn start(store: Arc<dyn Store>, control: String, schemas: usize) -> Result<Self, String> {
        let revision = store.catalog_revision().await.map_err(|error| error.to_string())?;
        let streams = read(&*store).await.map_err(|error| error.to_string())?;
        let snapshot = Snapshot::build(&control, streams)?;
        let control: Arc<str> = control.into();
        let moment = Moment::new(snapshot, control.clone(), schemas);
        let snapshots = Snapshots(Arc::new(ArcSwap::from_pointee(moment)));
        Ok(Self { store, control, schemas, snapshots, revision })
    }

    /// Where others find the snapshot in force.
    pub fn snapshots(&self) -> Snapshots {
        self.snapshots.clone()
    }

    /// Follows until the task is dropped.
    pub async fn run(mut self) {
        let mut healthy = true;
        loop {
            tokio::time::sleep(LOOK).await;
            match self.look().await {
                Ok(false) => {}
                Ok(true) => {
                    healthy = true;
                    tokio::time::sleep_until(Instant::now() + REBUILD).await;
                }
                Err(error) => {
                    if healthy {
                        tracing::warn!(error, "the schema could not be brought up to date; trying again");
                    }
                    healthy = false;
                    tokio::time::sleep(REBUILD).await;
                }
            }
        }
    }

    async fn look(&mut self) -> Result<bool, String> {
        let revision = self.store.catalog_revision().await.map_err(|error| error.to_string())?;
        if revision == self.revision {
            return Ok(false);
        }
        let streams = read(&*self.store).await.map_err(|error| error.to_string())?;
        let control = self.control.clone();
        let built = tokio::task::spawn_blocking(move || Snapshot::build(&control, streams)).await;
        let snapshot = built.map_err(|error| error.to_string())??;
        self.revision = revision;
        if snapshot.version != self.snapshots.0.load().whole.version {
            tracing::debug!(
                version = snapshot.version,
                size_bytes = snapshot.sdl.len(),
                "the schema changed"
            );
        }
        let moment = Moment::new(snapshot, self.control.clone(), self.schemas);
        self.snapshots.0.store(Arc::new(moment));
        Ok(true)
    }
}

async fn read(store: &dyn Store) -> Result<Vec<StreamView>, StoreError> {
    let mut views = Vec::new();
    for record in store.streams().await? {
        let shape = store.shape(record.name()).await?.unwrap_or_default();
        let (shape_version, published) = (shape.version, shape.published);
        views.push(StreamView { record, shape_version, published, hidden: Arc::default() });
    }
    Ok(views)
}
