//! A worker: it looks at a stream's shards and leases, takes what is its to take, and runs what it has.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use schema::{Clock, PartitionId, Sequence, StreamName};
use store::LeaseState;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{Id, JoinSet};

use super::api::{Begin, Failure, Kinesis};
use super::balance::{Moves, Observer, Sight, Take, WorkerId};
use super::board::Board;
use super::held::{Held, Holding};
use super::look::{Looker, Seen};
use super::pace;
use super::reader::Reader;
use super::retained::Retained;
use super::run::{Outcome, Run, stopped};
use super::settings::KinesisSettings;
use super::shards::Plan;
use super::status::Status;
use crate::IngestSettings;
use crate::consume::{Lane, Outlet};
use crate::streams::Streams;

/// How often leases of shards that are over are looked at.
const FORGET: Duration = Duration::from_secs(600);

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
    pub(super) board: Arc<Board>,
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
    /// When leases of shards that are over are looked at next.
    forget_at: Instant,
}

impl Worker {
    pub(super) fn new(shared: Shared, stream: StreamName, source: StreamName) -> Self {
        let looker = Looker {
            kinesis: shared.kinesis.clone(),
            outlet: shared.outlet.clone(),
            stream: stream.clone(),
            source: source.clone(),
            every: shared.settings.look(),
            begin: shared.settings.start.at((shared.clock)()),
            clock: shared.clock.clone(),
        };
        // Whoever had it before is dead where only one process can have the store: it need not be watched for long.
        let term = if shared.is_alone { Duration::ZERO } else { shared.settings.term() };
        Self {
            shared,
            stream,
            source,
            looker: Arc::new(looker),
            observer: Observer::new(term),
            held: Arc::default(),
            runs: JoinSet::new(),
            shards: HashMap::new(),
            forget_at: pace::now(),
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
                    self.shared.board.rest(&self.stream);
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
        self.held.hand_over_all();
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
        self.observer.observe(&leases, asked, answered);
        self.looker.register(&plan, &leases).await;
        if pace::now() >= self.forget_at {
            self.looker.forget(&plan).await;
            self.forget_at = pace::now() + FORGET;
        }
        let Moves { claim, ask, hand_over, give_up } = self.moves(&leases, &plan);
        for shard in &give_up {
            tracing::info!(stream = %self.stream, %shard, "the shard is another worker's now");
            self.held.stop(shard);
        }
        hand_over.iter().for_each(|shard| self.held.hand_over(shard));
        for Take { partition, .. } in &claim {
            if let Some(seen) = leases.iter().find(|lease| lease.partition == *partition) {
                self.take(seen, plan.lost.contains(partition)).await;
            }
        }
        if let Some(ask) = ask {
            self.ask(&ask).await;
        }
        Ok(!plan.register.is_empty())
    }

    /// What to do, by what was seen.
    fn moves(&self, leases: &[LeaseState], plan: &Plan) -> Moves {
        let (me, board, observer) = (&self.shared.id, &self.shared.board, &self.observer);
        let (running, elsewhere) = (self.held.running(), board.elsewhere(&self.stream));
        let sight = Sight { me, running: &running, leases, plan, observer, elsewhere: &elsewhere };
        let is_mine = |lease: &LeaseState| lease.wanted_by.as_deref() == Some(me);
        board.see(&self.stream, sight.loads(), leases.iter().any(is_mine));
        let mut moves = sight.balance();
        moves.ask = moves.ask.filter(|_| board.may_ask(&self.stream));
        moves
    }

    /// Asks the owner of a shard to give it up. If it does not, because it did not hear or nobody asked, the next look tells.
    async fn ask(&self, Take { partition: shard, epoch }: &Take) {
        let asked =
            self.shared.outlet.store.ask_for_lease(&self.stream, shard, *epoch, &self.shared.id).await;
        match asked {
            Ok(true) => {
                tracing::info!(stream = %self.stream, %shard, "the shard is asked for, as its owner has more to do");
            }
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(stream = %self.stream, %shard, %error, "the shard can't be asked for");
            }
        }
    }

    /// Claims a shard as it was seen, unless somebody is quicker, and consumes it from then on; one that is lost is ended.
    async fn take(&mut self, seen: &LeaseState, lost: bool) {
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
        let status = self.shared.status.begin(&self.stream, shard, seen.report.unwrap_or_default());
        let (partition, generation) = (shard.clone(), seen.generation);
        let lane = Lane {
            partition,
            generation,
            epoch: lease.epoch,
            consumed,
            checkpoint: consumed,
            dead_letters: 0,
        };
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
            from: begin(consumed, seen),
            room: self.shared.room.clone(),
            poll: self.shared.settings.poll(),
            records_max: self.shared.settings.records_max,
            status: status.clone(),
            clock: self.shared.clock.clone(),
        };
        let (stop, mut stopping) = watch::channel(false);
        let now = (self.shared.clock)();
        let registered_at = seen.registered_at;
        let retained = Retained { looker: self.looker.clone(), shard: shard.clone(), registered_at, now };
        let consuming = self.runs.spawn(async move {
            if lost {
                return run.end(true, &mut stopping).await;
            }
            run.may_lack = tokio::select! {
                biased;
                () = stopped(&mut stopping) => return run.give_up().await,
                may_lack = retained.may_lack(consumed) => may_lack,
            };
            // The reader ends with whoever takes what it gives.
            let mut reading = JoinSet::new();
            let (give, pieces) = mpsc::channel(1);
            reading.spawn(reader.run(give));
            run.consume(pieces, stopping).await
        });
        self.shards.insert(consuming.id(), (shard.clone(), lease.epoch));
        let holding = Holding { epoch: lease.epoch, renewed: claimed, run: consuming, stop, status };
        self.held.begin(shard.clone(), holding);
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

/// Where reading begins.
fn begin(consumed: Sequence, seen: &LeaseState) -> Begin {
    match seen.reads_from {
        _ if consumed > Sequence::ZERO => Begin::After(consumed),
        Some(time) => Begin::Time(time),
        None => Begin::Oldest,
    }
}
