//! A worker: it looks at a stream's shards and leases, takes what is its to take, and runs what it has.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use schema::{Clock, PartitionId, Sequence, StreamName, Timestamp};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{Id, JoinSet};

use super::api::{Begin, Failure, Kinesis};
use super::balance::{Moves, Observer, Take, balance};
use super::held::Held;
use super::lease::{LeaseView, WorkerId};
use super::look::{Looker, Seen};
use super::pace;
use super::reader::Reader;
use super::retained::Retained;
use super::run::{Outcome, Run, stopped};
use super::settings::{KinesisSettings, Start};
use super::status::Status;
use crate::IngestSettings;
use crate::consume::{Lane, Outlet};
use crate::streams::Streams;

/// What the workers of all streams share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) id: WorkerId,
    pub(super) kinesis: Arc<dyn Kinesis>,
    pub(super) outlet: Arc<Outlet>,
    pub(super) streams: Streams,
    pub(super) settings: Arc<KinesisSettings>,
    pub(super) ingest: Arc<IngestSettings>,
    pub(super) status: Arc<Status>,
    pub(super) room: Arc<Semaphore>,
    pub(super) clock: Clock,
    /// Nobody else can have what is in this store.
    pub(super) is_alone: bool,
}

/// The worker of one stream.
pub(super) struct Worker {
    shared: Shared,
    stream: StreamName,
    /// Kinesis's own name of it.
    source: StreamName,
    looker: Arc<Looker>,
    observer: Observer,
    held: Arc<Held>,
    runs: JoinSet<Outcome>,
    /// What each run consumes, and in which epoch.
    shards: HashMap<Id, (PartitionId, u64)>,
    stop: watch::Sender<bool>,
    /// When this stream was met: what `latest` means.
    since: Timestamp,
    /// No shard of it was known before.
    is_new: bool,
}

impl Worker {
    pub(super) fn new(shared: Shared, stream: StreamName, source: StreamName) -> Self {
        let looker = Looker {
            kinesis: shared.kinesis.clone(),
            outlet: shared.outlet.clone(),
            stream: stream.clone(),
            source: source.clone(),
            every: shared.settings.look(),
        };
        // Whoever had it before is dead where only one process can have the store: it need not be watched for long.
        let term = if shared.is_alone { Duration::ZERO } else { shared.settings.term() };
        Self {
            since: (shared.clock)(),
            shared,
            stream,
            source,
            looker: Arc::new(looker),
            observer: Observer::new(term),
            held: Arc::default(),
            runs: JoinSet::new(),
            shards: HashMap::new(),
            stop: watch::Sender::new(false),
            is_new: false,
        }
    }

    /// Works until `draining` is true; then what was read is stored, and all shards are given up.
    pub(super) async fn run(mut self, mut draining: watch::Receiver<bool>) {
        let (store, term) = (self.shared.outlet.store.clone(), self.shared.settings.term());
        let mut renewing = JoinSet::new();
        renewing.spawn(self.held.clone().renew(self.stream.clone(), store, term));
        while !*draining.borrow() {
            let pause = match self.look().await {
                Ok(true) => Duration::ZERO,
                Ok(false) => self.shared.settings.look(),
                Err(failure) => {
                    self.shared.status.looked(&self.stream, Err(failure.to_string()));
                    self.shared.settings.look()
                }
            };
            tokio::select! {
                biased;
                () = stopped(&mut draining) => {}
                Some(ended) = self.runs.join_next_with_id() => self.reap(ended),
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.stop.send_replace(true);
        while let Some(ended) = self.runs.join_next_with_id().await {
            self.reap(ended);
        }
    }

    /// Looks once, and does what follows; `true` if there is more to do at once.
    async fn look(&mut self) -> Result<bool, Failure> {
        while let Some(ended) = self.runs.try_join_next_with_id() {
            self.reap(ended);
        }
        let Seen { leases, plan, asked, answered } = self.looker.look().await?;
        self.shared.status.looked(&self.stream, Ok(()));
        self.is_new |= leases.is_empty();
        self.observer.observe(&leases, asked, answered);
        self.looker.register(&plan).await;
        let Moves { claim, steal, give_up } =
            balance(&self.shared.id, &self.held.running(), &leases, &plan, &self.observer);
        for shard in &give_up {
            tracing::info!(stream = %self.stream, %shard, "the shard is another worker's now");
            self.held.stop(shard);
        }
        for Take { partition, .. } in claim.iter().chain(&steal) {
            if let Some(seen) = leases.iter().find(|lease| lease.partition == *partition) {
                self.take(seen, plan.lost.contains(partition)).await;
            }
        }
        Ok(!plan.register.is_empty())
    }

    /// Claims a shard as it was seen, unless somebody is quicker, and consumes it from then on; one that is lost is ended.
    async fn take(&mut self, seen: &LeaseView, lost: bool) {
        let shard = &seen.partition;
        let claimed = pace::now();
        let (store, me) = (&self.shared.outlet.store, &self.shared.id);
        let claim = store.claim_lease_if(&self.stream, shard, me, seen.epoch);
        let lease = match claim.await {
            Ok(Some(lease)) => lease,
            // Another's; and if it was claimed though nobody said so, the next look tells.
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(stream = %self.stream, %shard, %error, "the shard's lease could not be claimed");
                return;
            }
        };
        let consumed = lease.checkpoint;
        tracing::info!(stream = %self.stream, %shard, after = %consumed, epoch = lease.epoch, "the shard is consumed here");
        let status = self.shared.status.begin(&self.stream, shard);
        let (partition, generation) = (shard.clone(), seen.generation);
        let lane = Lane { partition, generation, epoch: lease.epoch, consumed, checkpoint: consumed };
        let mut run = Run {
            outlet: self.shared.outlet.clone(),
            streams: self.shared.streams.clone(),
            stream: self.stream.clone(),
            looker: self.looker.clone(),
            settings: self.shared.ingest.clone(),
            status: status.clone(),
            lane,
            may_lack: false,
            unmarked: 0,
        };
        let reader = Reader {
            kinesis: self.shared.kinesis.clone(),
            stream: self.source.clone(),
            shard: shard.clone(),
            from: self.start(consumed, !seen.parents.is_empty()),
            room: self.shared.room.clone(),
            poll: self.shared.settings.poll(),
            records_max: self.shared.settings.records_max,
            status,
            clock: self.shared.clock.clone(),
        };
        let mut stop = self.stop.subscribe();
        let now = (self.shared.clock)();
        let retained = Retained { looker: self.looker.clone(), shard: shard.clone(), now };
        let consuming = self.runs.spawn(async move {
            if lost {
                return run.end(true, &mut stop).await;
            }
            run.may_lack = tokio::select! {
                biased;
                () = stopped(&mut stop) => return run.give_up().await,
                may_lack = retained.may_lack(consumed) => may_lack,
            };
            // The reader ends with whoever takes what it gives.
            let mut reading = JoinSet::new();
            let (give, pieces) = mpsc::channel(1);
            reading.spawn(reader.run(give));
            run.consume(pieces, stop).await
        });
        self.shards.insert(consuming.id(), (shard.clone(), lease.epoch));
        self.held.begin(shard.clone(), lease.epoch, claimed, consuming);
    }

    /// Where a shard begins.
    fn start(&self, consumed: Sequence, has_parents: bool) -> Begin {
        if consumed > Sequence::ZERO {
            return Begin::After(consumed);
        }
        match self.shared.settings.start {
            // What came of a shard that was consumed goes on where that ended.
            _ if has_parents && !self.is_new => Begin::Oldest,
            Start::TrimHorizon => Begin::Oldest,
            Start::Latest => Begin::Time(self.since),
            Start::At(time) => Begin::Time(time),
        }
    }

    fn reap(&mut self, ended: Result<(Id, Outcome), tokio::task::JoinError>) {
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, Some(outcome)),
            Err(error) => {
                if error.is_panic() {
                    tracing::error!(stream = %self.stream, %error, "consuming a shard has failed: it is taken up again");
                }
                (error.id(), None)
            }
        };
        let Some((shard, epoch)) = self.shards.remove(&id) else { return };
        tracing::info!(stream = %self.stream, %shard, epoch, ?outcome, "the shard is consumed here no more");
        if self.held.end(&shard, epoch) {
            self.shared.status.end(&self.stream, &shard);
        }
    }
}
