//! Looks at a stream's shards and at their leases, and registers what is new.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use schema::{PartitionId, StreamName};
use store::LeaseState;

use super::api::{Failure, Kinesis};
use super::lease::{Checkpoint, LeaseView};
use super::pace;
use super::shards::{Plan, Shard, may_end, plan};
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
}

/// What was seen.
pub(super) struct Seen {
    pub(super) leases: Vec<LeaseView>,
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

    /// Makes a lease for each shard that has none, parents first.
    pub(super) async fn register(&self, plan: &Plan) {
        for new in &plan.register {
            let register =
                || self.outlet.store.register_partition(&self.stream, &new.partition, &new.parents);
            self.outlet.patience.until_done("register a shard", register).await;
            let parents: Vec<&str> = new.parents.iter().map(PartitionId::as_str).collect();
            tracing::info!(stream = %self.stream, shard = %new.partition, ?parents, "a shard was found");
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
                    self.register(&plan(&listed, &self.leases().await.0)).await;
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

    async fn leases(&self) -> (Vec<LeaseView>, Instant, Instant) {
        let leases = self.outlet.patience.until_done("list leases", || async {
            let asked = pace::now();
            Ok::<_, store::StoreError>((self.outlet.store.leases(&self.stream).await?, asked))
        });
        let (leases, asked) = leases.await;
        (views(leases), asked, pace::now())
    }
}

fn children_of(shard: &PartitionId, listed: &[Shard]) -> Vec<PartitionId> {
    listed.iter().filter(|other| other.parents.contains(shard)).map(|child| child.id.clone()).collect()
}

/// Leases as a worker sees them.
fn views(leases: Vec<LeaseState>) -> Vec<LeaseView> {
    // Kinesis has no such shard: replays are written into their partition by whoever makes them.
    let leases: Vec<_> = leases.into_iter().filter(|lease| !lease.partition.is_replays()).collect();
    let parents: BTreeMap<_, _> =
        leases.iter().map(|lease| (lease.partition.clone(), lease.parents.clone())).collect();
    let mut generations = BTreeMap::new();
    let view = |lease: LeaseState| LeaseView {
        generation: generation(&lease.partition, &parents, &mut generations),
        checkpoint: if lease.has_ended() { Checkpoint::End } else { Checkpoint::At(lease.checkpoint) },
        partition: lease.partition,
        parents: lease.parents,
        epoch: lease.epoch,
        owner: lease.owner.map(Into::into),
        heartbeat: lease.heartbeat,
    };
    leases.into_iter().map(view).collect()
}

/// 1 + the parents' highest; those that nobody knows any more count as 0.
fn generation(
    of: &PartitionId,
    parents: &BTreeMap<PartitionId, Vec<PartitionId>>,
    known: &mut BTreeMap<PartitionId, u32>,
) -> u32 {
    // Without recursion: a stream that is resharded every day has a long ancestry.
    let mut waiting = vec![of.clone()];
    while let Some(next) = waiting.last().cloned() {
        let above = parents.get(&next).map_or(&[][..], Vec::as_slice);
        let missing: Vec<_> = above
            .iter()
            .filter(|parent| {
                parents.contains_key(*parent) && !known.contains_key(*parent) && !waiting.contains(parent)
            })
            .cloned()
            .collect();
        if missing.is_empty() {
            let highest = above.iter().filter_map(|parent| known.get(parent)).max().copied().unwrap_or(0);
            known.insert(next, highest.saturating_add(1));
            waiting.pop();
        } else {
            waiting.extend(missing);
        }
    }
    known.get(of).copied().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use schema::Sequence;

    use super::*;

    #[test]
    fn a_generation_is_one_above_the_highest_of_the_parents() {
        let lease = |name: &str, parents: &[&str]| LeaseState {
            partition: PartitionId::new(name),
            epoch: 0,
            owner: None,
            heartbeat: 0,
            checkpoint: Sequence::ZERO,
            parents: parents.iter().map(|parent| PartitionId::new(*parent)).collect(),
        };
        let leases = vec![
            lease("e", &["d", "b"]),
            lease("a", &[]),
            lease("b", &["a"]),
            lease("d", &["b", "c"]),
            lease("c", &["gone"]),
            lease("replays", &[]),
            // What contradicts itself ends.
            lease("x", &["y"]),
            lease("y", &["x"]),
        ];
        let got: Vec<_> =
            views(leases).into_iter().map(|view| (view.partition.to_string(), view.generation)).collect();
        let of = |name: &str| got.iter().find(|(other, _)| other == name).unwrap().1;
        assert_eq!(["a", "b", "c", "d", "e"].map(of), [1, 2, 1, 3, 4]);
        assert!(of("x") >= 1 && of("y") >= 1);
        assert!(got.iter().all(|(name, _)| name != "replays"));
    }
}
