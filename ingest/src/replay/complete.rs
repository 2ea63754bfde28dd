//! Doing what was decided, step by step, each acknowledged before the next.

use schema::{PartitionId, StreamName};
use store::{DeadLetter, LetterDecisions, Replayed, StoreError, StreamRecord};

use super::{Inner, Outcomes, by_definition, message_at};
use crate::consume::replays::{Again, decode};
use crate::consume::{Batch, Decoded, Shapes};

/// What was decided, and the letters that it is about.
struct Work<'a> {
    stream: &'a StreamRecord,
    decisions: &'a LetterDecisions,
    /// With their sequences. What retention has passed is missing.
    letters: Vec<(u64, DeadLetter)>,
}

impl Inner {
    /// Does all of `decisions`. `false` if somebody else was quicker, with this or with what follows it: they are to be read
    /// again.
    pub(super) async fn complete(
        &self,
        record: &StreamRecord,
        decisions: &LetterDecisions,
        outcomes: &mut Outcomes,
    ) -> Result<bool, StoreError> {
        let (store, name) = (&self.store, record.name());
        store.remove_dead_letters(name, &decisions.discards).await?;
        let mut decisions = decisions.clone();
        if !decisions.replays.is_empty() {
            if decisions.folded.is_none() {
                match self.with_verdicts(record, &decisions).await? {
                    Some(next) => decisions = next,
                    None => return Ok(false),
                }
            }
            if !self.bring_in(record, &decisions).await? {
                return Ok(false);
            }
            // Before it is noted that this is done: whoever decides then must not find them.
            store.remove_dead_letters(name, &decisions.replays).await?;
        }
        if !store.put_letter_decisions(name, &decisions.all_done()).await? {
            // Whoever was quicker has noted the same.
            tracing::debug!(stream = %name, "somebody else has replayed the same dead letters");
        }
        let folded = decisions.folded.iter().flatten();
        for ((position, folded), sequence) in decisions.replays.iter().zip(folded).zip(decisions.done + 1..) {
            let message = Replayed::Message(message_at(sequence));
            let outcome = if *folded { Replayed::Folded } else { message };
            outcomes.insert(position.clone(), outcome);
        }
        Ok(true)
    }

    /// The decisions with what the claims of ids come to, once they are everybody's.
    async fn with_verdicts(
        &self,
        record: &StreamRecord,
        decisions: &LetterDecisions,
    ) -> Result<Option<LetterDecisions>, StoreError> {
        let name = record.name();
        let work = self.work(record, decisions).await?;
        let mut folded = vec![false; decisions.replays.len()];
        for run in work.decoded(|_| true)?.iter().flat_map(Decoded::claims) {
            let came_before = self.store.claim_ids(name, &run.claims, run.window_micros).await?;
            for (claim, came_before) in run.claims.iter().zip(came_before) {
                let index = claim.sequence.as_u64().and_then(|at| at.checked_sub(decisions.done + 1));
                if let Some(verdict) = index.and_then(|index| folded.get_mut(index as usize)) {
                    *verdict = came_before;
                }
            }
        }
        let next =
            LetterDecisions { version: decisions.version + 1, folded: Some(folded), ..decisions.clone() };
        Ok(self.store.put_letter_decisions(name, &next).await?.then_some(next))
    }

    /// Makes messages of the letters, in the order of steps of every partition. `false` if the lease was lost on the way.
    async fn bring_in(&self, record: &StreamRecord, decisions: &LetterDecisions) -> Result<bool, StoreError> {
        let (store, name, partition) = (&self.store, record.name(), PartitionId::replays());
        // Before the lease is claimed: whoever has removed some had written a checkpoint, which the claim then gives.
        let work = self.work(record, decisions).await?;
        let lease = store.claim_lease(name, &partition).await?;
        let last = decisions.last().into();
        if lease.checkpoint >= last {
            return Ok(true);
        }
        let Batch { row, .. } = work.batch()?;
        let shapes = Shapes::new(store.clone(), self.limits.clone());
        shapes.learn(&work.pinned()?, &row.messages).await?;
        if !row.messages.is_empty() {
            store.write_messages(name, &row.messages).await?;
        }
        store.append_journal(name, &partition, &row).await?;
        if !store.checkpoint(name, &partition, lease.epoch, last).await? {
            return Ok(false);
        }
        self.announce.announce(name, &partition, &row);
        self.replayed.inc_by(row.messages.len() as u64);
        Ok(true)
    }

    async fn work<'a>(
        &self,
        stream: &'a StreamRecord,
        decisions: &'a LetterDecisions,
    ) -> Result<Work<'a>, StoreError> {
        let mut letters = Vec::with_capacity(decisions.replays.len());
        for (position, sequence) in decisions.replays.iter().zip(decisions.done + 1..) {
            let letter = self.store.dead_letter(stream.name(), position).await?;
            letters.extend(letter.map(|letter| (sequence, letter)));
        }
        Ok(Work { stream, decisions, letters })
    }
}

impl Work<'_> {
    /// The stream, by the definition that was decided.
    fn pinned(&self) -> Result<StreamRecord, StoreError> {
        by_definition(self.stream, self.decisions.definition).ok_or_else(|| corrupt(self.stream.name()))
    }

    /// The letters of those sequences, decoded.
    fn decoded(&self, of: impl Fn(u64) -> bool) -> Result<Option<Decoded>, StoreError> {
        let letters = self.letters.iter().filter(|(sequence, _)| of(*sequence));
        let letters: Vec<(u64, &DeadLetter)> =
            letters.map(|(sequence, letter)| (*sequence, letter)).collect();
        let LetterDecisions { done, .. } = *self.decisions;
        Ok(decode(&self.pinned()?, done, self.decisions.last(), &letters, Again::Checked))
    }

    /// What is to be written: all letters that were not found to be folded.
    fn batch(&self) -> Result<Batch, StoreError> {
        let LetterDecisions { done, folded, .. } = self.decisions;
        let is_folded = |sequence: u64| {
            let index = usize::try_from(sequence - done - 1).ok();
            index.and_then(|index| folded.as_ref()?.get(index)).copied().unwrap_or(false)
        };
        let decoded = self.decoded(|sequence| !is_folded(sequence))?;
        let batch = decoded.map(|decoded| decoded.fold(std::iter::repeat(false)));
        // They were messages by this definition when that was decided, so they are.
        batch.filter(|batch| batch.dead_letters.is_empty()).ok_or_else(|| corrupt(self.stream.name()))
    }
}

pub(super) fn corrupt(stream: &StreamName) -> StoreError {
    StoreError::Corrupt { what: format!("the decisions about dead letters of stream {stream}") }
}
