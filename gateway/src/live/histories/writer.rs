//! Somebody who brings a partition's records into the store, a step at a time, by the rules of writers.

use std::sync::Arc;

use schema::{Message, StreamName};
use store::testing::Turns;
use store::{JournalRow, Store};

use super::log::Partition;

/// Somebody who owns a partition, or has not noticed that another does.
pub(super) struct Writer {
    pub(super) partition: usize,
    store: Arc<dyn Store>,
    step: Step,
    epoch: u64,
    consumed: u64,
    checkpoint: u64,
}

#[derive(Debug)]
enum Step {
    Claim,
    Decode,
    Rows(Arc<JournalRow>),
    Journal(Arc<JournalRow>),
    Checkpoint,
}

/// What a step came to.
pub(super) enum Done {
    Nothing,
    /// This row is in the journal now.
    Journaled(Arc<JournalRow>),
    /// It has nothing more to do, or nothing more to say.
    Ended,
}

impl Writer {
    pub(super) fn new(partition: usize, store: Arc<dyn Store>) -> Self {
        Self { partition, store, step: Step::Claim, epoch: 0, consumed: 0, checkpoint: 0 }
    }

    pub(super) async fn step(
        &mut self,
        stream: &StreamName,
        partition: &Partition,
        turns: &mut Turns,
    ) -> Done {
        let store = self.store.clone();
        match std::mem::replace(&mut self.step, Step::Decode) {
            Step::Claim => {
                let lease = store.claim_lease(stream, &partition.id).await.unwrap();
                self.epoch = lease.epoch;
                self.consumed = lease.checkpoint.as_u64().unwrap();
                self.checkpoint = self.consumed;
            }
            Step::Decode => {
                let most = 1 + turns.below(5) as usize;
                let fresh = partition.records.iter().filter(|record| record.sequence > self.consumed);
                let batch: Vec<_> = fresh.take(most).collect();
                self.step = match batch.last() {
                    Some(last) => {
                        let messages: Vec<Message> =
                            batch.iter().flat_map(|record| record.messages.clone()).collect();
                        let (after, last) = (self.consumed.into(), last.sequence.into());
                        Step::Rows(Arc::new(JournalRow { after, last, messages, children: Vec::new() }))
                    }
                    None if self.checkpoint < self.consumed => Step::Checkpoint,
                    None => return Done::Ended,
                };
            }
            Step::Rows(row) => {
                store.write_messages(stream, &row.messages).await.unwrap();
                self.step = Step::Journal(row);
            }
            Step::Journal(row) => {
                store.append_journal(stream, &partition.id, &row).await.unwrap();
                self.consumed = row.last.as_u64().unwrap();
                if turns.one_in(3) {
                    self.step = Step::Checkpoint;
                }
                return Done::Journaled(row);
            }
            Step::Checkpoint => {
                let to = self.consumed.into();
                if !store.checkpoint(stream, &partition.id, self.epoch, to).await.unwrap() {
                    return Done::Ended;
                }
                self.checkpoint = self.consumed;
            }
        }
        Done::Nothing
    }
}
