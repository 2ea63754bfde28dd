//! What became of dead letters, told and counted.

use super::ask::Outcome;
use super::{Failure, say};

/// How many came to what.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    replayed: u64,
    folded: u64,
    discarded: u64,
    still_dead: u64,
    being_replayed: u64,
    not_found: u64,
}

impl Counts {
    /// Counts an outcome, and gives the line that tells of it.
    pub(super) fn add(&mut self, outcome: &Outcome) -> String {
        let Outcome { position, verdict, message, reason } = outcome;
        let (count, told) = match verdict.as_str() {
            "REPLAYED" => {
                (&mut self.replayed, format!("replayed as {}", message.as_deref().unwrap_or("a message")))
            }
            "FOLDED" => (&mut self.folded, "folded: a message with the same id had come before".into()),
            "DISCARDED" => (&mut self.discarded, "discarded".into()),
            "STILL_DEAD" => {
                (&mut self.still_dead, format!("still dead: {}", reason.as_deref().unwrap_or("no reason")))
            }
            "BEING_REPLAYED" => (&mut self.being_replayed, "being replayed by somebody else".into()),
            _ => (&mut self.not_found, "not found".into()),
        };
        *count += 1;
        format!("{position}  {}\n", super::printable(&told))
    }

    /// Whether there was none.
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Prints how many there were, where all went well.
    ///
    /// # Errors
    /// The same, where some did not.
    pub(super) fn summary(&self) -> Result<(), Failure> {
        let Self { replayed, folded, discarded, still_dead, being_replayed, not_found } = *self;
        let counts = [
            (replayed, "replayed"),
            (folded, "folded"),
            (discarded, "discarded"),
            (still_dead, "still dead"),
            (being_replayed, "being replayed"),
            (not_found, "not found"),
        ];
        let some = counts.iter().filter(|(count, _)| *count > 0);
        let text = some.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ");
        if still_dead + being_replayed + not_found > 0 { Err(text.into()) } else { say(&text) }
    }
}
