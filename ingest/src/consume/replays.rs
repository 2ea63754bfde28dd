//! Dead letters, as records of the partition of replays.

use schema::json::CheckLimits;
use schema::{PartitionId, Sequence};
use store::{DeadLetter, StreamRecord};

use super::batch::{Decoded, Rules, decode as decode_span};
use super::record::{Body, Record, Span};
use crate::admissible;

/// Behind those of all partitions that a log has, whose own begin with 1.
const GENERATION: u32 = u32::MAX;

/// Whether anybody has looked at the letters since they became some.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Again {
    /// Nobody: they must keep within this.
    Unchecked(CheckLimits),
    /// Somebody has, and found messages.
    Checked,
}

/// Decodes `letters`, each with its sequence and in that order, as what the partition has in `(after, last]`.
pub(crate) fn decode(
    stream: &StreamRecord,
    after: u64,
    last: u64,
    letters: &[(u64, &DeadLetter)],
    again: Again,
) -> Option<Decoded> {
    let record = |(sequence, letter): &(u64, &DeadLetter)| Record {
        key: letter.key.clone(),
        sequence: (*sequence).into(),
        sub: 0,
        arrived_at: letter.arrived_at,
        // What named its topic became no dead letter for want of one, and had been checked.
        topic: None,
        body: match again {
            Again::Unchecked(_) => Body::Foreign(letter.raw.clone()),
            Again::Checked => Body::Checked(admissible::trimmed(&letter.raw)),
        },
    };
    let limits = match again {
        Again::Unchecked(limits) => limits,
        Again::Checked => CheckLimits { bytes: usize::MAX, depth: usize::MAX },
    };
    let span = Span { after: after.into(), last: last.into(), records: letters.iter().map(record).collect() };
    let partition = PartitionId::replays();
    let rules = Rules { stream, partition: &partition, generation: GENERATION, limits };
    decode_span(&span, rules, Sequence::from(after))
}
