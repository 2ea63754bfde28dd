//! Replaying dead letters: each is decoded again, by the definition that is in force now, and what is a message by that one goes
//! wherever messages go.
//!
//! Such messages are of a partition of their own ([`PartitionId::replays`]), which has a lease, a journal and a checkpoint like
//! any other, so whoever reads meets them like any others. The log of that partition is what was decided: a letter is given the
//! next sequence by the compare-and-set of [`LetterDecisions`], before anything of it is written.
//!
//! ```text
//!  decide ── which letters, by which definition ──▶ complete: ids ▸ decide what is folded ▸ shape ▸ rows ▸ journal ▸ checkpoint
//!     ▲                                                 ▸ announce ▸ remove the letters ▸ all of it is done
//!     └─────────────────────────── only where nothing is left to be done ◀──┘
//! ```
//!
//! **Once, whoever asks, and wherever it is cut short.** What a decision leads to follows from it alone: the letters' bytes, the
//! definition, the sequences and the verdicts about ids. So it may be completed by several at once, and again after a crash
//! between any two steps, with the same rows under the same keys.
//! - *No sequence is given twice*: decisions are compared and set, and each begins where the one before it ended.
//! - *No letter is given two*: whoever decides has read first that nothing is left to be done, and then that the letter is there.
//!   A letter is removed before its decision is noted as done, and what was removed stays so, even if its consumer begins
//!   again behind it.
//! - *No verdict is given twice*: ids are claimed by what was decided already, so each claim is of a letter that will be
//!   completed; and the first verdicts that are put among the decisions are everybody's. Records that come later may claim the
//!   same id, and claims may expire: neither changes what was decided.
//! - *A zombie does no harm.* Only the lease's owner journals where readers look, and nothing is noted as done before a checkpoint of
//!   the lease's own epoch has covered it. Whoever loses the lease finds by the decisions whether another has completed them.
//! - *No letter is missing* before that checkpoint, unless retention has passed it, and then its rows are gone, too: letters are
//!   discarded by decisions of their own, and never those that are being replayed.
//!
//! A message's own id is claimed behind those of all logs: it is folded into whatever has come within the window of its arrival,
//! as long as the store keeps the claims of that time, and nothing that comes later is folded into it.

mod complete;
mod decide;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use schema::{Limits, PartitionId, Position, StreamName};
use store::{Announce, LetterDecisions, Replay, ReplayError, Replayed, Store, StoreError, StreamRecord};

/// Most letters, and most bytes of them but for the first, that are decided of at once.
const LETTERS_MAX: usize = 100;
const BYTES_MAX: usize = 8 << 20;
/// Another node may be quicker so often. Each time, the decisions have got on.
const TRIES: u32 = 60;
/// How long the other is left alone after the first time, and at most.
const WAIT_MIN: Duration = Duration::from_millis(20);
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Replays dead letters. Clones are the same.
#[derive(Clone)]
pub struct Replayer(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    limits: Arc<Limits>,
    announce: Arc<dyn Announce>,
    /// Held by who decides or completes in this process, by stream.
    turns: Mutex<HashMap<StreamName, Arc<tokio::sync::Mutex<()>>>>,
    replayed: Counter,
    wait: Duration,
}

/// What became of letters.
type Outcomes = BTreeMap<Position, Replayed>;

impl Replayer {
    /// Replays into `store`. `announce` hears of each row of the journal.
    pub fn new(store: Arc<dyn Store>, limits: Limits, announce: Arc<dyn Announce>) -> Self {
        let (limits, turns, replayed) = (Arc::new(limits), Mutex::default(), Counter::default());
        Self(Arc::new(Inner { store, limits, announce, turns, replayed, wait: WAIT_MIN }))
    }

    /// Registers what is counted here.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Messages that were made of dead letters";
        registry.register("ingest_dead_letters_replayed", help, self.0.replayed.clone());
    }
}

#[async_trait]
impl Replay for Replayer {
    /// It goes on when its caller goes away.
    async fn replay(
        &self,
        stream: &StreamName,
        positions: &[Position],
    ) -> Result<Vec<Replayed>, ReplayError> {
        let (inner, stream, positions) = (self.0.clone(), stream.clone(), positions.to_vec());
        let work = tokio::spawn(async move { inner.replay(&stream, &positions).await });
        work.await.map_err(|error| StoreError::unavailable("replay dead letters", error))?
    }
}

impl Inner {
    async fn replay(
        &self,
        stream: &StreamName,
        positions: &[Position],
    ) -> Result<Vec<Replayed>, ReplayError> {
        let turn = self.turn(stream);
        let _turn = turn.lock().await;
        let mut outcomes = Outcomes::new();
        let mut tries = Tries { left: TRIES, wait: self.wait };
        loop {
            let decisions = self.settle(stream, &mut outcomes, &mut tries).await?;
            let left = positions.iter().filter(|position| !outcomes.contains_key(position));
            let left: Vec<&Position> = left.collect();
            if left.is_empty() {
                break;
            }
            let record = self.record(stream).await?;
            match self.decide(&record, &decisions, &left, &mut outcomes).await? {
                Some(next) if !self.store.put_letter_decisions(stream, &next).await? => tries.again().await?,
                _ => {}
            }
        }
        let outcome = |position| outcomes.get(position).cloned().unwrap_or(Replayed::NotFound);
        Ok(positions.iter().map(outcome).collect())
    }

    /// Does what was decided and is not done, by whomever; gives the decisions of which nothing is left.
    async fn settle(
        &self,
        stream: &StreamName,
        outcomes: &mut Outcomes,
        tries: &mut Tries,
    ) -> Result<LetterDecisions, ReplayError> {
        loop {
            let decisions = self.store.letter_decisions(stream).await?;
            if decisions.are_done() {
                return Ok(decisions);
            }
            if !self.complete(&self.record(stream).await?, &decisions, outcomes).await? {
                tries.again().await?;
            }
        }
    }

    /// The stream's entry as the catalog has it now.
    async fn record(&self, stream: &StreamName) -> Result<StreamRecord, ReplayError> {
        let streams = self.store.streams().await?;
        let found = streams.into_iter().find(|record| record.name() == stream);
        found.ok_or_else(|| ReplayError::UnknownStream(stream.clone()))
    }

    fn turn(&self, stream: &StreamName) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(stream.clone()).or_default().clone()
    }
}

/// How often others may still be quicker, and how long they are left alone then.
struct Tries {
    left: u32,
    wait: Duration,
}

impl Tries {
    async fn again(&mut self) -> Result<(), StoreError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(StoreError::unavailable("replay dead letters", "others are in the way"));
        };
        tokio::time::sleep(self.wait).await;
        *self = Self { left, wait: (self.wait * 2).min(WAIT_MAX) };
        Ok(())
    }
}

/// The stream as if the definition of that number were its only one; none if it has no such definition.
fn by_definition(record: &StreamRecord, number: usize) -> Option<StreamRecord> {
    let (_, definition) = record.definitions.get(number)?;
    let definitions = vec![(schema::Timestamp::MIN, definition.clone())];
    Some(StreamRecord { definitions, ..record.clone() })
}

/// Where the letter stands as a message.
fn message_at(sequence: u64) -> Position {
    Position { partition: PartitionId::replays(), sequence: sequence.into(), sub: 0 }
}
