//! The streams that somebody follows: one follower each, fed by announcements and by the journal, by the same test.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use schema::{PartitionId, Places, StreamName};
use store::{Announce, JournalRow, LeaseState, Next, Store, StoreError};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use super::lineage::Lineage;
use super::reader::{IsCurrent, Source};
use super::ring::{Found, Ring, Spot, Taken};
use super::{Row, Selection};
use crate::settings::LiveSettings;

/// How long a stream that nobody reads is still followed: whoever comes back soon finds it as it was.
const LINGER: Duration = Duration::from_secs(30);

/// Recent rows, and those who wait for the next. Ingest [announces](Announce) what it journals to it.
pub struct Hub {
    ring: Mutex<Ring>,
    /// Of each stream that is followed.
    lineages: Mutex<BTreeMap<StreamName, Arc<Lineage>>>,
    /// Held while a stream is opened, so that it is opened once.
    opening: tokio::sync::Mutex<()>,
    /// An announcement did not follow what is known: what lies between is in the journal.
    missed: Notify,
    poll: Duration,
    /// Bytes of the journal that readers may hold who are behind, counted in KiB.
    pub(super) behind: Arc<Semaphore>,
}

impl Hub {
    /// A hub with these bounds. Nothing is followed yet.
    pub fn new(settings: &LiveSettings) -> Arc<Self> {
        Arc::new(Self {
            ring: Mutex::new(Ring::new(settings.ring_bytes)),
            lineages: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            missed: Notify::new(),
            // Without a pause between them, the polls would be a loop that spins.
            poll: Duration::from_millis(settings.poll_ms.max(1)),
            behind: Arc::new(Semaphore::new((settings.behind_bytes >> 10).min(Semaphore::MAX_PERMITS))),
        })
    }

    /// Follows the stream from now on, if nobody does yet, and says where it stands: all that was journaled before this was
    /// called is known.
    pub(crate) async fn open(self: &Arc<Self>, source: &Source) -> Result<Arc<Places>, StoreError> {
        let Source { stream, store, .. } = source;
        if let Some(tip) = self.tip(stream) {
            return Ok(tip);
        }
        let _opening = self.opening.lock().await;
        loop {
            // Somebody else has opened it meanwhile, or this has.
            if let Some(tip) = self.tip(stream) {
                return Ok(tip);
            }
            self.begin(stream, store.as_ref()).await?;
            let (store, is_current) = (store.clone(), source.is_current.clone());
            tokio::spawn(follow(self.clone(), stream.clone(), store, is_current));
        }
    }

    /// Opens `stream` where its checkpoints are, and reads on to the journal's end.
    pub(super) async fn begin(&self, stream: &StreamName, store: &dyn Store) -> Result<(), StoreError> {
        let leases = store.leases(stream).await?;
        let lineage = self.learn(stream, &leases);
        self.ring().open(stream, lineage.checkpoints(&leases));
        let caught_up = self.catch_up(stream, store).await;
        if caught_up.is_err() {
            self.close(stream);
        }
        caught_up
    }

    /// Takes from the journal what was not announced.
    pub(super) async fn catch_up(&self, stream: &StreamName, store: &dyn Store) -> Result<(), StoreError> {
        let lineage = self.lineage_now(stream, store).await?;
        self.ring().forget(stream, |partition| !lineage.knows(partition));
        for partition in lineage.in_order() {
            // Once more each time: its parents' end may have come just now.
            if self.tip(stream).is_some_and(|tip| lineage.may_enter(partition, &tip)) {
                self.catch_up_with(stream, partition, store).await?;
            }
        }
        Ok(())
    }

    /// Which partitions of `stream` go on from which, as far as that is known.
    pub(super) fn lineage(&self, stream: &StreamName) -> Arc<Lineage> {
        self.lineages.lock().unwrap_or_else(PoisonError::into_inner).get(stream).cloned().unwrap_or_default()
    }

    /// The same, as the store has it now.
    pub(super) async fn lineage_now(
        &self,
        stream: &StreamName,
        store: &dyn Store,
    ) -> Result<Arc<Lineage>, StoreError> {
        Ok(self.learn(stream, &store.leases(stream).await?))
    }

    fn learn(&self, stream: &StreamName, leases: &[LeaseState]) -> Arc<Lineage> {
        let lineage = Arc::new(Lineage::new(leases));
        let mut lineages = self.lineages.lock().unwrap_or_else(PoisonError::into_inner);
        lineages.insert(stream.clone(), lineage.clone());
        lineage
    }

    async fn catch_up_with(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        store: &dyn Store,
    ) -> Result<(), StoreError> {
        loop {
            let Some(tip) = self.ring().tip(stream) else { return Ok(()) };
            match store.next_journal(stream, partition, tip.get(partition).whole()).await? {
                Next::Row(row) => drop(self.take(stream, partition, &row)),
                Next::Gap { to } => self.change(|ring, woken| ring.gap(stream, partition, to, woken)),
                Next::Wait => return Ok(()),
            }
        }
    }

    /// Where `stream` stands, while it is followed.
    pub(crate) fn tip(&self, stream: &StreamName) -> Option<Arc<Places>> {
        self.ring().tip(stream)
    }

    /// Seats a reader that stands at `places`, if it can go on from there without the journal.
    pub(super) fn join(&self, stream: &StreamName, places: &Places, selection: &Selection) -> Option<Spot> {
        self.ring().join(stream, places, selection)
    }

    /// The next row at `spot`; waits for one.
    pub(super) async fn next(&self, stream: &StreamName, spot: &mut Spot) -> Found {
        poll_fn(|context| self.ring().poll(stream, spot, context)).await
    }

    pub(super) fn leave(&self, stream: &StreamName, spot: Spot) {
        self.ring().leave(stream, spot);
    }

    /// Counts what was executed of a row.
    pub(crate) fn grow(&self, stream: &StreamName, row: &Arc<Row>, bytes: usize) {
        self.ring().grow(stream, row, bytes);
    }

    /// How long to wait before the journal is asked again.
    pub(super) fn patience(&self) -> Duration {
        self.poll
    }

    pub(super) fn close(&self, stream: &StreamName) {
        self.lineages.lock().unwrap_or_else(PoisonError::into_inner).remove(stream);
        self.change(|ring, woken| *woken = ring.close(stream));
    }

    fn take(&self, stream: &StreamName, partition: &PartitionId, row: &JournalRow) -> Taken {
        self.change(|ring, woken| ring.take(stream, partition, (row.after, row.last), &row.messages, woken))
    }

    /// Changes the ring, and wakes whom that concerns.
    fn change<T>(&self, change: impl FnOnce(&mut Ring, &mut Vec<Waker>) -> T) -> T {
        let mut woken = Vec::new();
        let outcome = change(&mut self.ring(), &mut woken);
        woken.into_iter().for_each(Waker::wake);
        outcome
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Announce for Hub {
    fn announce(&self, stream: &StreamName, partition: &PartitionId, row: &Arc<JournalRow>) {
        let Some(tip) = self.tip(stream) else { return };
        // What is announced of a partition that is new here, or before its parents' end, is found in the journal.
        let may_enter = self.lineage(stream).may_enter(partition, &tip);
        if !may_enter || self.take(stream, partition, row) == Taken::Early {
            self.missed.notify_waiters();
        }
    }
}

/// How far each partition of `stream` is done for good.
pub(crate) async fn checkpoints(stream: &StreamName, store: &dyn Store) -> Result<Places, StoreError> {
    let leases = store.leases(stream).await?;
    Ok(Lineage::new(&leases).checkpoints(&leases))
}

/// Keeps `stream` in step with the journal, until nobody reads it for a while, or it is another one.
async fn follow(hub: Arc<Hub>, stream: StreamName, store: Arc<dyn Store>, is_current: IsCurrent) {
    let (mut read_at, mut healthy) = (Instant::now(), true);
    while read_at.elapsed() < LINGER && is_current() {
        tokio::select! {
            () = tokio::time::sleep(hub.poll) => {}
            () = hub.missed.notified() => {}
        }
        if !hub.ring().is_idle(&stream) {
            read_at = Instant::now();
        }
        let caught_up = hub.catch_up(&stream, store.as_ref()).await;
        if let Err(error) = &caught_up
            && healthy
        {
            let error = error as &dyn std::error::Error;
            tracing::warn!(%stream, error, "the journal can't be followed; trying again");
        }
        healthy = caught_up.is_ok();
    }
    hub.close(&stream);
}
