//! What becomes of dead letters: decided once, for good, in one place of each stream, and then done by whoever comes.
//!
//! A letter may be *replayed*, which makes a message of it, or *discarded*. Both remove it, and each may be asked for by several
//! nodes at once, or be cut short anywhere. So nothing is done that was not decided before, and a decision is one
//! compare-and-set of [`LetterDecisions`]: it has all that the rest follows from. Whoever finds one that is not done does it
//! again, with the same result, before it decides anything else.

use std::collections::BTreeSet;

use async_trait::async_trait;
use schema::{Position, StreamName};
use serde::{Deserialize, Serialize};

use crate::{DeadLetters, StoreError};

/// Another node may decide in between so often. Each time, that one has got on.
const TRIES: usize = 100;

/// What was decided about a stream's dead letters, and is not known to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterDecisions {
    /// Counts the changes; compared and set by whoever makes the next.
    pub version: u64,
    /// Everything of the partition of replays up to this sequence is done.
    pub done: u64,
    /// The letters that are replayed: they have the sequences that follow `done`, in this order.
    pub replays: Vec<Position>,
    /// Which of the stream's definitions decodes them, the first being 0.
    pub definition: usize,
    /// Of each of them, whether it becomes no message, as its own id had come before; none until that is decided, too.
    pub folded: Option<Vec<bool>>,
    /// The letters that are discarded.
    pub discards: Vec<Position>,
}

impl LetterDecisions {
    /// The sequence of the last letter that is replayed.
    pub fn last(&self) -> u64 {
        self.done + self.replays.len() as u64
    }

    /// What is there once all of this is done.
    pub fn all_done(&self) -> Self {
        Self { version: self.version + 1, done: self.last(), ..Self::default() }
    }

    /// Whether nothing is left to be done.
    pub fn are_done(&self) -> bool {
        self.replays.is_empty() && self.discards.is_empty()
    }
}

/// What became of a letter that was to be discarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discarded {
    /// It is gone.
    Gone,
    /// There is none.
    NotFound,
    /// Somebody replays it: that was decided first.
    BeingReplayed,
}

/// Discards letters: what became of each, in their order.
///
/// # Errors
/// [`StoreError`]: some may be gone, and the rest can be discarded again.
pub async fn discard<S: DeadLetters + ?Sized>(
    store: &S,
    stream: &StreamName,
    positions: &[Position],
) -> Result<Vec<Discarded>, StoreError> {
    for _ in 0..TRIES {
        let there = store.letter_decisions(stream).await?;
        // First, so that there are never more of them than one call discards.
        store.remove_dead_letters(stream, &there.discards).await?;
        let mut outcomes = Vec::with_capacity(positions.len());
        let mut discards = BTreeSet::new();
        for position in positions {
            outcomes.push(if there.replays.contains(position) {
                Discarded::BeingReplayed
            } else if discards.contains(position) || store.dead_letter(stream, position).await?.is_some() {
                discards.insert(position.clone());
                Discarded::Gone
            } else {
                Discarded::NotFound
            });
        }
        if discards.is_empty() {
            return Ok(outcomes);
        }
        let discards: Vec<Position> = discards.into_iter().collect();
        let next = LetterDecisions { version: there.version + 1, discards: discards.clone(), ..there };
        if store.put_letter_decisions(stream, &next).await? {
            store.remove_dead_letters(stream, &discards).await?;
            // If not now, then by whoever decides next.
            let next = LetterDecisions { version: next.version + 1, discards: Vec::new(), ..next };
            let _ = store.put_letter_decisions(stream, &next).await;
            return Ok(outcomes);
        }
    }
    Err(StoreError::unavailable("discard dead letters", "others are in the way"))
}

/// What became of a letter that was to be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// It is a message, which stands here.
    Message(Position),
    /// It is no message, as one with the same id and partition key had come before, and no dead letter any more.
    Folded,
    /// It still could not become a message, and why: it stays.
    StillDead(String),
    /// There is none: it was replayed or discarded before, or its stream's retention has passed it.
    NotFound,
}

/// Why nothing was replayed, or not all of it. The rest can be replayed again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Messages are not taken here at all.
    #[error("{0}")]
    Elsewhere(String),
    /// The stream is unknown.
    #[error("there is no stream {0}")]
    UnknownStream(StreamName),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes messages of dead letters, by the definition that is in force now. Ingest implements it.
#[async_trait]
pub trait Replay: Send + Sync {
    /// Replays letters: what became of each, in their order. When it answers, the messages are durable.
    async fn replay(&self, stream: &StreamName, positions: &[Position])
    -> Result<Vec<Replayed>, ReplayError>;
}

/// What nothing is replayed by, and why not here: a sentence.
#[derive(Clone, Copy, Debug)]
pub struct NoReplays(pub &'static str);

#[async_trait]
impl Replay for NoReplays {
    async fn replay(&self, _: &StreamName, _: &[Position]) -> Result<Vec<Replayed>, ReplayError> {
        Err(ReplayError::Elsewhere(self.0.to_owned()))
    }
}
