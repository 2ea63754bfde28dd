//! Data out: GraphQL over what the store holds.
//!
//! ```text
//!  transport ▸ request ▸ document (limits, parse, validate) ▸ coerce ▸ plan ▸ execute ┬▸ data: page ▸ project ▸ write
//!                             ▲                                                       ├▸ control: async-graphql
//!                          snapshot ◀ catalog (streams, shapes)                        └▸ introspection
//! ```
//!
//! A root field belongs to a stream (the data plane: compiled plans over raw JSON), to the control plane (static types),
//! or to introspection. Their answers are put together as bytes, in the order of the selection.
//!
//! **Invariants.** Every read passes [`access`]. Nothing here writes messages to the store: `publish` goes through
//! [`store::Publish`], a replay through [`store::Replay`]; dead letters are discarded. A snapshot is immutable, and a running query keeps the one that it began with. Every limit is in
//! [`GatewaySettings`] or [`LiveSettings`].

mod coerce;
mod control;
mod document;
mod error;
mod execute;
mod live;
mod plan;
pub mod project;
mod request;
mod response;
mod settings;
mod snapshot;
mod topics;
mod transport;

use std::sync::Arc;

use access::{Access, Bodies, Principal, Rates};
use axum::Router;
use schema::{Clock, Limits};
use store::{Publish, Replay, Store};
use tokio::sync::watch;
use transport::Live;

pub use execute::{Batch, Event, Pipeline, Response, Started, Subscription};
pub use live::Hub;
pub use plan::Slot;
pub use request::GraphqlRequest;
pub use settings::{GatewaySettings, LiveSettings};
pub use snapshot::{Follower, Snapshot, Snapshots};
pub use transport::SCHEMA_HEADER;

/// What the gateway is made of.
pub struct Parts {
    /// Where messages rest.
    pub store: Arc<dyn Store>,
    /// The way in, for `publish`.
    pub publish: Arc<dyn Publish>,
    /// What makes messages of dead letters, for `replayDeadLetters`.
    pub replay: Arc<dyn Replay>,
    /// Who is let in, where keys and denials can be changed here.
    pub access: Option<Access>,
    /// Limits of queries.
    pub settings: GatewaySettings,
    /// Limits of subscriptions, sockets and event streams.
    pub live: LiveSettings,
    /// What hears of what was journaled.
    pub hub: Arc<Hub>,
    /// Limits of messages.
    pub limits: Limits,
    /// Limits of callers, for `publish`.
    pub rates: Rates,
    /// Tells the time.
    pub clock: Clock,
    /// Becomes true when the node is told to stop: sockets and event streams end then.
    pub stopping: watch::Receiver<bool>,
}

/// Data out: the query pipeline, and the task that keeps its schema in step.
#[derive(Clone)]
pub struct Gateway {
    pipeline: Arc<Pipeline>,
    live: Arc<Live>,
}

impl Gateway {
    /// Reads the catalog and builds the first schema; spawns the task that follows its changes.
    ///
    /// # Errors
    /// A sentence: the store can't be read, or the schema is at odds with itself.
    pub async fn start(parts: Parts) -> Result<Self, String> {
        let follower = Follower::start(parts.store.clone(), control::sdl(), parts.settings.schemas).await?;
        let snapshots = follower.snapshots();
        tokio::spawn(follower.run());
        let control = control::schema(control::Parts {
            store: parts.store.clone(),
            publish: parts.publish,
            replay: parts.replay,
            access: parts.access,
            snapshots: snapshots.clone(),
            clock: parts.clock.clone(),
            settings: parts.settings.clone(),
            rates: parts.rates,
        });
        let documents = plan::Documents::new(parts.settings.plans);
        let pipeline = Pipeline {
            settings: parts.settings,
            limits: parts.limits,
            store: parts.store,
            snapshots,
            documents,
            control,
            clock: parts.clock,
            hub: parts.hub,
            live: parts.live.clone(),
        };
        Ok(Self { pipeline: Arc::new(pipeline), live: Live::new(parts.live, parts.stopping) })
    }

    /// Its routes: `/graphql` and `GET /data`. Bodies share `bodies`.
    pub fn router<S: Clone + Send + Sync + 'static>(&self, access: Access, bodies: Bodies) -> Router<S> {
        transport::router(self.pipeline.clone(), access, bodies, self.live.clone())
    }

    /// Sockets that are open.
    pub fn sockets(&self) -> usize {
        self.live.sockets()
    }

    /// Operations that run on sockets and event streams.
    pub fn live_operations(&self) -> usize {
        self.live.operations()
    }

    /// Resolves once every socket has said goodbye, which they do when the node is told to stop; in a few seconds anyway.
    pub async fn closed(&self) {
        let _ = tokio::time::timeout(transport::CLOSING, self.live.closed()).await;
    }

    /// The schema in force, as SDL.
    pub fn sdl(&self) -> String {
        self.pipeline.snapshots.current().sdl.clone()
    }

    /// The part of the schema that `caller` sees, as SDL.
    ///
    /// # Errors
    /// A sentence: the schema is at odds with itself, which is a fault of Tidegate.
    pub async fn sdl_for(&self, caller: &Principal) -> Result<String, String> {
        Ok(self.pipeline.snapshots.seen_by(caller).await?.sdl.clone())
    }

    /// The pipeline itself, for tests and benches that need no socket.
    pub fn pipeline(&self) -> &Arc<Pipeline> {
        &self.pipeline
    }
}
