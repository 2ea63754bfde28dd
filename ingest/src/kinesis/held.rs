//! What a worker holds of a stream, and the task that keeps it: renewals wait for nothing that is stored.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use schema::{PartitionId, StreamName};
use store::{Report, Store};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::pace;
use super::status::ShardStatus;

/// Renewals in a lease's term.
const BEATS: u32 = 4;

/// The shards that run here.
#[derive(Default)]
pub(super) struct Held(Mutex<BTreeMap<PartitionId, Holding>>);

/// One shard that runs here.
pub(super) struct Holding {
    pub(super) epoch: u64,
    /// When the store was asked for what kept it last.
    pub(super) renewed: Instant,
    pub(super) run: AbortHandle,
    /// Whether it is to give the shard up.
    pub(super) stop: watch::Sender<bool>,
    pub(super) status: Arc<ShardStatus>,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PartitionId, Holding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shard is consumed here, as `holding` says.
    pub(super) fn begin(&self, shard: PartitionId, holding: Holding) {
        self.lock().insert(shard, holding);
    }

    /// It runs here in `epoch` no more; `true` if it does in no other. Who comes to its end late is in nobody's way.
    pub(super) fn end(&self, shard: &PartitionId, epoch: u64) -> bool {
        let mut held = self.lock();
        if held.get(shard).is_some_and(|holding| holding.epoch == epoch) {
            held.remove(shard);
        }
        !held.contains_key(shard)
    }

    /// What runs here, and in which epoch.
    pub(super) fn running(&self) -> BTreeMap<PartitionId, u64> {
        self.lock().iter().map(|(shard, holding)| (shard.clone(), holding.epoch)).collect()
    }

    /// Has a shard given up, once what was read of it is stored.
    pub(super) fn hand_over(&self, shard: &PartitionId) {
        if let Some(holding) = self.lock().get(shard) {
            holding.stop.send_replace(true);
        }
    }

    /// The same for all that runs here.
    pub(super) fn hand_over_all(&self) {
        self.lock().values().for_each(|holding| _ = holding.stop.send_replace(true));
    }

    /// Stops a shard at once. What it had not checkpointed is done again by whoever has it next.
    pub(super) fn stop(&self, shard: &PartitionId) {
        if let Some(holding) = self.lock().get(shard) {
            holding.run.abort();
        }
    }

    /// Renews all that is held, again and again. What could not be renewed for most of its term is stopped: another may take it
    /// from now on.
    pub(super) async fn renew(self: Arc<Self>, stream: StreamName, store: Arc<dyn Store>, term: Duration) {
        let pause = term / BEATS;
        loop {
            let reports = self.reports();
            let renewals = reports.into_iter().map(|(shard, epoch, report)| {
                let (stream, store, held) = (&stream, &store, &self);
                async move {
                    let asked = pace::now();
                    let renewal = store.renew_lease(stream, &shard, epoch, report);
                    if let Ok(Ok(())) = tokio::time::timeout(pause, renewal).await {
                        held.renewed(&shard, epoch, asked);
                    }
                }
            });
            let next = tokio::time::Instant::now() + pause;
            join_all(renewals).await;
            self.fence(&stream, term - pause);
            tokio::time::sleep_until(next).await;
        }
    }

    /// What runs here, in which epoch, and how it is doing.
    fn reports(&self) -> Vec<(PartitionId, u64, Report)> {
        let held = self.lock();
        held.iter().map(|(shard, holding)| (shard.clone(), holding.epoch, holding.status.report())).collect()
    }

    fn renewed(&self, shard: &PartitionId, epoch: u64, asked: Instant) {
        if let Some(holding) = self.lock().get_mut(shard).filter(|holding| holding.epoch == epoch) {
            holding.renewed = asked;
        }
    }

    fn fence(&self, stream: &StreamName, longest: Duration) {
        for (shard, holding) in self.lock().iter() {
            if pace::now().duration_since(holding.renewed) >= longest && !holding.run.is_finished() {
                tracing::warn!(%stream, %shard, "the shard's lease could not be renewed: it is given up before others may take it");
                holding.run.abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_former_run_is_not_that_of_the_next() {
        let (held, shard) = (Held::default(), PartitionId::new("shard"));
        let holding = |epoch| Holding {
            epoch,
            renewed: pace::now(),
            run: tokio::spawn(std::future::pending::<()>()).abort_handle(),
            stop: watch::Sender::new(false),
            status: Arc::default(),
        };
        held.begin(shard.clone(), holding(1));
        held.begin(shard.clone(), holding(2));
        assert!(!held.end(&shard, 1));
        assert_eq!(held.running(), [(shard.clone(), 2)].into());
        assert!(held.end(&shard, 2) && held.running().is_empty());
    }
}
