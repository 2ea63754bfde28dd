//! Which letters are replayed next, and by which definition.

use schema::Position;
use schema::json::CheckLimits;
use store::{DeadLetter, LetterDecisions, Replayed, StoreError, StreamRecord};

use super::complete::corrupt;
use super::{BYTES_MAX, Inner, LETTERS_MAX, Outcomes, by_definition};
use crate::consume::replays::{Again, decode};

impl Inner {
    /// What is to be decided about the first of `left`, where nothing is left of `decisions`; none where none of those is a
    /// message. What became of the others is noted.
    pub(super) async fn decide(
        &self,
        record: &StreamRecord,
        decisions: &LetterDecisions,
        left: &[&Position],
        outcomes: &mut Outcomes,
    ) -> Result<Option<LetterDecisions>, StoreError> {
        let definition = record.definitions.len().saturating_sub(1);
        let pinned = by_definition(record, definition).ok_or_else(|| corrupt(record.name()))?;
        let (mut replays, mut have_ids, mut bytes) = (Vec::new(), false, 0);
        for position in left.iter().take(LETTERS_MAX) {
            if replays.contains(*position) {
                continue;
            }
            // After the decisions were read: what they have removed is not found.
            let Some(letter) = self.store.dead_letter(record.name(), position).await? else {
                outcomes.insert((*position).clone(), Replayed::NotFound);
                continue;
            };
            bytes += letter.raw.len();
            if !replays.is_empty() && bytes > BYTES_MAX {
                break;
            }
            match self.judge(&pinned, &letter) {
                Ok(has_id) => {
                    have_ids |= has_id;
                    replays.push(letter.position);
                }
                Err(reason) => drop(outcomes.insert(letter.position, Replayed::StillDead(reason))),
            }
        }
        if replays.is_empty() {
            return Ok(None);
        }
        let folded = (!have_ids).then(|| vec![false; replays.len()]);
        let (version, done, discards) = (decisions.version + 1, decisions.done, Vec::new());
        Ok(Some(LetterDecisions { version, done, replays, definition, folded, discards }))
    }

    /// Whether the letter's message has an id of its own.
    ///
    /// # Errors
    /// Why it is no message.
    fn judge(&self, pinned: &StreamRecord, letter: &DeadLetter) -> Result<bool, String> {
        let again = Again::Unchecked(CheckLimits::from(self.limits.as_ref()));
        let decoded = decode(pinned, 0, 1, &[(1, letter)], again);
        let has_id = decoded.as_ref().is_some_and(|decoded| !decoded.claims().is_empty());
        let letters = decoded.map(|decoded| decoded.fold([]).dead_letters).unwrap_or_default();
        letters.into_iter().next().map_or(Ok(has_id), |dead| Err(dead.reason))
    }
}
