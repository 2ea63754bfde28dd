//! Looks at a stream's shards and at their leases, and registers what is new.

use std::sync::Arc;
use std::time::{Duration, Instant};

use schema::{Clock, PartitionId, Sequence, StreamName, Timestamp};
use store::{LeaseState, Next, Registration};

use super::api::{Failure, Kinesis};
use super::pace;
use super::shards::{Plan, Registration as Found, Shard, may_end, plan};
use crate::consume::Outlet;

/// Looks at one stream.
pub(super) struct Looker {
    pub(super) kinesis: Arc<dyn Kinesis>,
    pub(super) outlet: Arc<Outlet>,
    /// The stream, and Kinesis's own name of it.
    pub(super) stream: StreamName,
    pub(super) source: StreamName,
    /// How long to wait before the next look.
    pub(super) every: Duration,
    /// Where a stream begins of which no shard is known yet; with the oldest record, where it says nothing.
    pub(super) begin: Option<Timestamp>,
    pub(super) clock: Clock,
}

/// What was seen.
pub(super) struct Seen {
    pub(super) leases: Vec<LeaseState>,
    pub(super) plan: Plan,
    /// When the leases were asked for, and when they came.
    pub(super) asked: Instant,
    pub(super) answered: Instant,
}

impl Looker {
    /// Asks the store for the leases, and only then Kinesis for all shards: what has a lease, and is not listed behind that, was
    /// forgotten. The other way round, it might have come to be, and been registered by another worker, between the two.
    ///
    /// # Errors
    /// [`Failure`] of Kinesis; the store is waited for.
    pub(super) async fn look(&self) -> Result<Seen, Failure> {
        let (leases, asked, answered) = self.leases().await;
        let listed = self.kinesis.shards(&self.source).await?;
        let plan = plan(&listed, &leases);
        Ok(Seen { leases, plan, asked, answered })
    }

    /// Makes a lease for each shard that has none, parents first. What comes to be beside others begins where those did: after a
    /// reshard that is its whole, as it holds nothing of before.
    pub(super) async fn register(&self, plan: &Plan, leases: &[LeaseState]) {
        let reads_from = match leases {
            [] => self.begin,
            leases => leases.iter().filter_map(|lease| lease.reads_from).min(),
        };
        for new in &plan.register {
            let Found { partition, parents, generation } = new.clone();
            let new =
                Registration { partition, parents, generation, registered_at: (self.clock)(), reads_from };
            let register = || self.outlet.store.register_partition(&self.stream, &new);
            self.outlet.patience.until_done("register a shard", register).await;
            let parents: Vec<&str> = new.parents.iter().map(PartitionId::as_str).collect();
            tracing::info!(stream = %self.stream, shard = %new.partition, ?parents, "a shard was found");
        }
    }

    /// Takes away the leases of shards that are over and whose journal is gone. What could not be asked now is asked again.
    pub(super) async fn forget(&self, plan: &Plan) {
        for shard in &plan.over {
            let store = &self.outlet.store;
            let end = store.next_journal(&self.stream, shard, Sequence::END.before()).await;
            let forgotten = match end {
                Ok(Next::Gap { .. } | Next::Wait) => store.forget_partition(&self.stream, shard).await,
                Ok(Next::Row(_)) => continue,
                Err(error) => Err(error),
            };
            match forgotten {
                Ok(_) => {
                    tracing::info!(stream = %self.stream, %shard, "a shard that has ended is forgotten: nothing of it is kept any more");
                }
                Err(error) => {
                    tracing::debug!(stream = %self.stream, %shard, %error, "a shard that has ended can't be forgotten now");
                }
            }
        }
    }

    /// The children of a shard that is at its end, once all of them have leases. A shard is closed a moment before its children
    /// are listed.
    pub(super) async fn children(&self, shard: &PartitionId) -> Vec<PartitionId> {
        let mut failures = 0;
        loop {
            match self.kinesis.shards(&self.source).await {
                Ok(listed) => {
                    failures = 0;
                    let leases = self.leases().await.0;
                    self.register(&plan(&listed, &leases), &leases).await;
                    if may_end(shard, &listed, &self.leases().await.0) {
                        return children_of(shard, &listed);
                    }
                    tokio::time::sleep(self.every).await;
                }
                Err(error) => {
                    failures += 1;
                    tracing::debug!(stream = %self.stream, %shard, %error, "the shard's children can't be listed");
                    tokio::time::sleep(pace::after(failures, shard.as_str())).await;
                }
            }
        }
    }

    async fn leases(&self) -> (Vec<LeaseState>, Instant, Instant) {
        let leases = self.outlet.patience.until_done("list leases", || async {
            let asked = pace::now();
            Ok::<_, store::StoreError>((self.outlet.store.leases(&self.stream).await?, asked))
        });
        let (leases, asked) = leases.await;
        // Kinesis has no such shard: replays are written into their partition by whoever makes them.
        let leases = leases.into_iter().filter(|lease| !lease.partition.is_replays());
        (leases.collect(), asked, pace::now())
    }
}

fn children_of(shard: &PartitionId, listed: &[Shard]) -> Vec<PartitionId> {
    listed.iter().filter(|other| other.parents.contains(shard)).map(|child| child.id.clone()).collect()
}
