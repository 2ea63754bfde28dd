//! Streams, as the API shows them.

use std::collections::HashMap;
use std::sync::Arc;

use access::{ReadScope, policy};
use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, Error, Object, SimpleObject};
use futures_util::future::try_join_all;
use schema::StreamName;
use store::{LeaseState, Report, Store, StoreError};

use super::{Caller, caller, denied, unavailable};
use crate::snapshot::StreamView;

/// A named flow of messages with one shape.
pub struct Stream(pub Arc<StreamView>);

/// One ordered log that feeds a stream.
#[derive(SimpleObject)]
pub struct Partition {
    /// Its name.
    partition: String,
    /// Everything up to this sequence is in the store; null once that is all that it will ever hold.
    checkpoint: Option<String>,
    /// Whether that is all that it will ever hold.
    ended: bool,
    /// The partitions that it goes on from.
    parents: Vec<String>,
    /// The process that consumes it; null where none does, or one without a name.
    owner: Option<String>,
    /// Counts the owners.
    epoch: u64,
    /// How its owner is doing, as it said when it renewed its lease last; null where none says so.
    progress: Option<Progress>,
}

/// How the owner of a partition is doing.
#[derive(SimpleObject)]
pub struct Progress {
    /// How long ago what it reads next was put, in seconds.
    lag: f64,
    /// How long the oldest work without a checkpoint has waited for one, in seconds.
    checkpoint_age: f64,
    /// Bytes of records that it reads in a second, lately.
    bytes_per_second: f64,
    /// Requests for records that were refused as too many, since it owns the partition.
    throttles: u64,
    /// Requests for records that failed and were made again, since it owns the partition.
    retries: u64,
    /// Records that could not become messages, since it owns the partition.
    dead_letters: u64,
}

/// All streams that the caller sees, by name.
pub(super) fn all(ctx: &Context<'_>) -> Result<Vec<Stream>, Error> {
    let mut streams: Vec<Stream> = ctx.data::<Caller>()?.sees.streams.values().cloned().map(Stream).collect();
    streams.sort_by(|a, b| a.0.record.name().cmp(b.0.record.name()));
    Ok(streams)
}

#[Object]
impl Stream {
    /// Its name.
    async fn name(&self) -> String {
        self.0.record.name().to_string()
    }

    /// The field of Query that gives its messages.
    async fn root_field(&self) -> &str {
        &self.0.record.root_field
    }

    /// The type of its messages.
    async fn type_name(&self) -> &str {
        &self.0.record.type_name
    }

    /// Where a message's topic comes from: key, caller, a JSON pointer, or constant:NAME.
    async fn topic(&self) -> String {
        self.0.stream().topic.clone().into()
    }

    /// JSON pointer to a message's time; null where arrival is meant.
    async fn time(&self) -> Option<String> {
        self.0.stream().time.as_ref().map(ToString::to_string)
    }

    /// JSON pointer to a message's own id; null where its position is its identity.
    async fn id(&self) -> Option<String> {
        self.0.stream().id.as_ref().map(ToString::to_string)
    }

    /// JSON pointers to strings that are opened as JSON documents.
    async fn json_strings(&self) -> Vec<String> {
        self.0.stream().json_strings.iter().map(ToString::to_string).collect()
    }

    /// How long messages are kept, counted from arrival.
    async fn retention(&self) -> String {
        self.0.stream().retention.clone().into()
    }

    /// Counts the changes of its shape.
    async fn shape_version(&self) -> u64 {
        self.0.shape_version
    }

    /// Whether the caller may read some of its topics only: its own, or those that rules give it.
    async fn own_topic_only(&self, ctx: &Context<'_>) -> Result<bool, Error> {
        let scope = policy::read_scope(caller(ctx)?, self.0.record.name(), &self.0.stream().topic);
        Ok(scope.map_err(|error| denied(&error))? != ReadScope::All)
    }

    /// The logs that feed it.
    async fn partitions(&self, ctx: &Context<'_>) -> Result<Vec<Partition>, Error> {
        let loader = ctx.data::<DataLoader<Partitions>>()?;
        let loaded =
            loader.load_one(self.0.record.name().clone()).await.map_err(|error| unavailable(&error))?;
        let partition = |lease: LeaseState| Partition {
            checkpoint: (!lease.has_ended()).then(|| lease.checkpoint.to_string()),
            ended: lease.has_ended(),
            // Whoever ended it does not consume it any more.
            owner: lease.owner.clone().filter(|_| !lease.has_ended()),
            partition: lease.partition.to_string(),
            parents: lease.parents.iter().map(ToString::to_string).collect(),
            epoch: lease.epoch,
            progress: lease.report.filter(|_| !lease.has_ended()).map(Progress::from),
        };
        Ok(loaded.unwrap_or_default().into_iter().map(partition).collect())
    }
}

impl From<Report> for Progress {
    fn from(report: Report) -> Self {
        Self {
            lag: report.lag_ms as f64 / 1e3,
            checkpoint_age: report.unmarked_ms as f64 / 1e3,
            bytes_per_second: report.bytes_per_second as f64,
            throttles: report.throttles,
            retries: report.retries,
            dead_letters: report.dead_letters,
        }
    }
}

/// Loads the partitions of all streams that one request asks about, each once, at the same time.
pub struct Partitions(pub Arc<dyn Store>);

impl Loader<StreamName> for Partitions {
    type Value = Vec<LeaseState>;
    type Error = Arc<StoreError>;

    async fn load(
        &self,
        streams: &[StreamName],
    ) -> Result<HashMap<StreamName, Vec<LeaseState>>, Arc<StoreError>> {
        let loads = streams.iter().map(|stream| async { Ok((stream.clone(), self.0.leases(stream).await?)) });
        try_join_all(loads).await.map(|loaded| loaded.into_iter().collect()).map_err(Arc::new)
    }
}
