//! One partition's way into the store.

use std::sync::Arc;

use schema::json::CheckLimits;
use schema::{Limits, PartitionId, Sequence, StreamName};
use store::{Announce, Store, StoreError, StreamRecord};

use super::batch::{Batch, Decoded, Rules, decode};
use super::record::Span;
use super::retry::{Patience, Schedule, chain};
use super::shapes::Shapes;
use crate::IngestSettings;
use crate::metrics::Metrics;

/// A partition that this process consumes.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) partition: PartitionId,
    /// 1 + the highest generation of the partition's parents.
    pub(crate) generation: u32,
    pub(crate) epoch: u64,
    /// Everything up to here is journaled.
    pub(crate) consumed: Sequence,
    /// Everything up to here is done for good.
    pub(crate) checkpoint: Sequence,
    /// How many records were no messages, since it is consumed here.
    pub(crate) dead_letters: u64,
}

/// What lanes share.
pub(crate) struct Outlet {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) shapes: Shapes,
    /// What messages that were not checked before the log must keep within.
    pub(crate) limits: CheckLimits,
    pub(crate) patience: Patience,
    /// How often a message is tried that the store refuses.
    record_tries: u32,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) announce: Arc<dyn Announce>,
}

impl Outlet {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        settings: &IngestSettings,
        limits: Arc<Limits>,
        metrics: Arc<Metrics>,
        announce: Arc<dyn Announce>,
    ) -> Self {
        let check = CheckLimits::from(limits.as_ref());
        let shapes = Shapes::new(store.clone(), limits);
        let patience = Patience::new(Schedule::new(settings));
        let record_tries = settings.record_tries;
        Self { store, shapes, limits: check, patience, record_tries, metrics, announce }
    }

    /// Brings `spans`, which are of this lane and in order, into the store. It returns once they are journaled.
    ///
    /// The order of the steps is what makes a crash between any two harmless, as each is repeated with the same result:
    /// 1. *ids*, all claimed before any is judged: whatever else is written depends on the verdicts;
    /// 2. the *shape*, so that whoever finds a message finds its type, too;
    /// 3. *rows and dead letters*, at once;
    /// 4. the *journal*, which says that everything up to `last` can be found: a reader that is told so must find it.
    ///    It is written even where nothing was accepted, as a row that is missing would be a gap;
    /// 5. the *checkpoint*, elsewhere and later: it promises that none of this is needed again.
    ///
    /// Where the log has lost records, there is a span on either side, and so a row, and none between them, which readers
    /// are told as a gap.
    pub(crate) async fn walk(&self, stream: &StreamRecord, lane: &mut Lane, spans: &[Span]) {
        for span in spans {
            if span.after > lane.consumed {
                let (stream, partition, consumed) = (stream.name(), &lane.partition, lane.consumed);
                tracing::warn!(%stream, %partition, after = %consumed, up_to = %span.after, "the log lacks records here: readers are told of a gap, unless the store has them");
            }
            self.walk_span(stream, lane, span).await;
        }
    }

    async fn walk_span(&self, stream: &StreamRecord, lane: &mut Lane, span: &Span) {
        let (partition, generation, limits) = (&lane.partition, lane.generation, self.limits);
        let rules = Rules { stream, partition, generation, limits };
        let Some(decoded) = decode(span, rules, lane.consumed) else { return };
        let name = stream.name();
        let came_before = self.claim(name, &decoded).await;
        let mut batch = decoded.fold(came_before);
        let learn = || self.shapes.learn(stream, &batch.row.messages);
        self.patience.until_done("learn the stream's shape", learn).await;
        self.write_all(name, &mut batch).await;
        let journal = || self.store.append_journal(name, &lane.partition, &batch.row);
        self.patience.until_done("write the journal", journal).await;
        self.announce.announce(name, &lane.partition, &batch.row);
        self.metrics.rows.inc_by(batch.row.messages.len() as u64);
        self.metrics.dead_letters.inc_by(batch.dead_letters.len() as u64);
        self.metrics.folded.inc_by(batch.folded as u64);
        lane.dead_letters += batch.dead_letters.len() as u64;
        lane.consumed = span.last;
    }

    async fn claim(&self, stream: &StreamName, decoded: &Decoded) -> Vec<bool> {
        let mut came_before = Vec::new();
        for run in decoded.claims() {
            let claim = || self.store.claim_ids(stream, &run.claims, run.window_micros);
            came_before.extend(self.patience.until_done("claim ids", claim).await);
        }
        came_before
    }

    /// Writes rows and dead letters. What the store refuses again and again becomes a dead letter, too: others must come through.
    async fn write_all(&self, stream: &StreamName, batch: &mut Batch) {
        let all = || self.write(stream, batch);
        if self.patience.until_done_or_refused("write messages", 1, all).await.is_ok() {
            return;
        }
        // Written by itself, each shows whether it is the one.
        let mut refused = Vec::new();
        for message in &batch.row.messages {
            let one = || self.store.write_messages(stream, std::slice::from_ref(message));
            let written =
                self.patience.until_done_or_refused("write a message", self.record_tries, one).await;
            if let Err(error) = written {
                tracing::warn!(%stream, position = %message.position, reason = chain(&error), "the store refuses a message: it is set aside as a dead letter");
                refused.push((message.position.clone(), chain(&error)));
            }
        }
        batch.set_aside(&refused);
        let letters = || self.store.write_dead_letters(stream, &batch.dead_letters);
        self.patience.until_done("write dead letters", letters).await;
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
