//! One partition's way into the store.

use std::sync::Arc;

use schema::{PartitionId, StreamName};
use store::{Announce, Store, StoreError, StreamRecord};

use super::batch::{Batch, Decoded, decode};
use super::retry::Patience;
use super::shapes::Shapes;
use crate::log::LogRecord;
use crate::metrics::Metrics;

/// A partition that this process consumes.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) partition: PartitionId,
    pub(crate) epoch: u64,
    /// Everything up to here is journaled.
    pub(crate) consumed: u64,
    /// Everything up to here is done for good.
    pub(crate) checkpoint: u64,
}

/// What lanes share.
pub(crate) struct Outlet {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) shapes: Shapes,
    pub(crate) patience: Patience,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) announce: Arc<dyn Announce>,
}

impl Outlet {
    /// Brings `records`, which are of this lane and in order, into the store. It returns once they are journaled.
    ///
    /// The order of the steps is what makes a crash between any two harmless, as each is repeated with the same result:
    /// 1. *ids*, all claimed before any is judged: whatever else is written depends on the verdicts;
    /// 2. the *shape*, so that whoever finds a message finds its type, too;
    /// 3. *rows and dead letters*, at once;
    /// 4. the *journal*, which says that everything up to `last` can be found: a reader that is told so must find it.
    ///    It is written even where nothing was accepted, as a row that is missing would be a gap;
    /// 5. the *checkpoint*, elsewhere and later: it promises that none of this is needed again.
    ///
    /// Sequences jump where the log has lost records: each side of a jump is a row of its own, and between them there is
    /// none, which readers are told as a gap.
    pub(crate) async fn walk(&self, stream: &StreamRecord, lane: &mut Lane, records: &[LogRecord]) {
        for run in records.chunk_by(|a, b| b.sequence == a.sequence + 1) {
            if let Some(first) = run.first().filter(|first| first.sequence > lane.consumed + 1) {
                let (stream, partition, consumed) = (stream.name(), &lane.partition, lane.consumed);
                tracing::warn!(%stream, %partition, after = consumed, next = first.sequence, "the log lacks records here: readers are told of a gap, unless the store has them");
            }
            self.walk_run(stream, lane, run).await;
        }
    }

    async fn walk_run(&self, stream: &StreamRecord, lane: &mut Lane, records: &[LogRecord]) {
        let Some(decoded) = decode(records, stream, &lane.partition, lane.consumed) else { return };
        let name = stream.name();
        let came_before = self.claim(name, &decoded).await;
        let batch = decoded.fold(came_before);
        let learn = || self.shapes.learn(stream, &batch.row.messages);
        self.patience.until_done("learn the stream's shape", learn).await;
        let write = || self.write(name, &batch);
        self.patience.until_done("write messages", write).await;
        let journal = || self.store.append_journal(name, &lane.partition, &batch.row);
        self.patience.until_done("write the journal", journal).await;
        self.announce.announce(name, &lane.partition, &batch.row);
        self.metrics.rows.inc_by(batch.row.messages.len() as u64);
        self.metrics.dead_letters.inc_by(batch.dead_letters.len() as u64);
        self.metrics.folded.inc_by(batch.folded as u64);
        lane.consumed = records.last().map_or(lane.consumed, |record| record.sequence.max(lane.consumed));
    }

    async fn claim(&self, stream: &StreamName, decoded: &Decoded) -> Vec<bool> {
        let mut came_before = Vec::new();
        for run in decoded.claims() {
            let claim = || self.store.claim_ids(stream, &run.claims, run.window_micros);
            came_before.extend(self.patience.until_done("claim ids", claim).await);
        }
        came_before
    }

    async fn write(&self, stream: &StreamName, batch: &Batch) -> Result<(), StoreError> {
        let rows = async {
            match batch.row.messages.as_slice() {
                [] => Ok(()),
                messages => self.store.write_messages(stream, messages).await,
            }
        };
        let letters = async {
            match batch.dead_letters.as_slice() {
                [] => Ok(()),
                letters => self.store.write_dead_letters(stream, letters).await,
            }
        };
        let (rows, letters) = futures_util::future::join(rows, letters).await;
        rows.and(letters)
    }
}
