//! Somebody who consumes a partition, a step at a time.

use std::pin::Pin;
use std::sync::Arc;

use schema::PartitionId;
use store::testing::Turns;
use store::{Lease, Store, StreamRecord, Unheard};

use super::super::embedded::{GENERATION, spans};
use super::super::lane::{Lane, Outlet};
use super::model::Log;
use crate::IngestSettings;
use crate::log::LogRecord;
use crate::testing::{Faulty, Turnstile};

/// Somebody who consumes a partition, until it is stopped or has lost its lease.
pub(super) struct Worker {
    pub(super) partition: usize,
    turnstile: Arc<Turnstile>,
    work: Pin<Box<dyn Future<Output = ()>>>,
}

impl Worker {
    pub(super) fn hire(
        partition: usize,
        turns: Turns,
        fault_percent: u64,
        store: Arc<dyn Store>,
        stream: Arc<StreamRecord>,
        log: Log,
    ) -> Self {
        let turnstile = Arc::new(Turnstile::default());
        let store = Faulty::new(store, turns.0, fault_percent, u64::MAX);
        let store: Arc<dyn Store> = Arc::new(store.behind(turnstile.clone()));
        Self { partition, turnstile, work: Box::pin(consume(outlet(store), stream, log, partition, turns)) }
    }

    /// Does one step; `true` after the last.
    pub(super) async fn step(&mut self) -> bool {
        self.turnstile.advance(&mut self.work).await.is_some()
    }
}

/// A way into `store` that waits a millisecond before it tries again.
pub(super) fn outlet(store: Arc<dyn Store>) -> Outlet {
    let settings = IngestSettings { retry_ms_min: 1, retry_ms_max: 1, ..IngestSettings::default() };
    Outlet::new(store, &settings, Arc::default(), Arc::default(), Arc::new(Unheard))
}

/// The way of a partition that was just claimed.
pub(super) fn lane(partition: PartitionId, lease: &Lease) -> Lane {
    let Lease { epoch, checkpoint, .. } = *lease;
    Lane { partition, generation: GENERATION, epoch, consumed: checkpoint, checkpoint, dead_letters: 0 }
}

/// What the loop of the consumer does with one partition: claims it, walks batches of any size, that begin with what it has
/// already, and checkpoints now and then; it ends when all is consumed, or the lease is another's.
async fn consume(outlet: Outlet, stream: Arc<StreamRecord>, log: Log, index: usize, mut turns: Turns) {
    let partition = PartitionId::embedded(index as u32);
    let name = stream.name();
    let claim = || outlet.store.claim_lease(name, &partition);
    let lease = outlet.patience.until_done("claim a partition", claim).await;
    let mut lane = lane(partition, &lease);
    loop {
        let batch: Vec<LogRecord> = {
            let log = log.borrow();
            let records = &log[index].records;
            let next = records.partition_point(|record| lane.consumed >= record.sequence.into());
            if next == records.len() && lane.checkpoint == lane.consumed {
                return;
            }
            let first = next.saturating_sub(turns.below(3) as usize);
            let end = records.len().min(next + 1 + turns.below(6) as usize);
            records[first..end].to_vec()
        };
        outlet.walk(&stream, &mut lane, &spans(batch)).await;
        let done = lane.consumed == log.borrow()[index].last().into();
        if lane.consumed > lane.checkpoint && (turns.one_in(3) || done) {
            let mark = || outlet.store.checkpoint(name, &lane.partition, lane.epoch, lane.consumed);
            if !outlet.patience.until_done("write a checkpoint", mark).await {
                return;
            }
            lane.checkpoint = lane.consumed;
        }
    }
}
