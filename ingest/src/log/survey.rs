//! What of a damaged log can still be read, and what can't: a pure function of its files' bytes.
//!
//! Beyond something that is no frame, frames can't be found by their lengths, so each byte is tried. A run of frames counts
//! only if it leads to a `synced` frame that names its own offset, or to the file's true end: a producer may have put bytes
//! that look like a frame into a key, but never all that follows.

use std::collections::BTreeMap;
use std::ops::Range;

use schema::StreamName;

use super::LogOffset;
use super::frame::{Frame, Parsed, parse};

/// Bytes of the shortest record of a stream, without the stream's name: no more records than that can have been lost.
const RECORD_BYTES_MIN: u64 = 36;

/// Room for a header without partitions, and a gap.
const HEADER_BYTES: usize = 64;

/// A partition of a stream.
pub(super) type Partition = (StreamName, u32);

/// Sequences that are nowhere in the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The stream.
    pub stream: StreamName,
    /// Which of its partitions.
    pub partition: u32,
    /// The first that is missing.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// `false`: so many at most, as nothing tells where the partition ended. They are not given again in any case.
    pub certain: bool,
}

/// How far a partition was seen.
#[derive(Clone, Copy, Debug)]
struct Seen {
    next: u64,
    /// How many bytes were known to be lost then.
    lost: u64,
}

/// What was found so far. Segments are given in order.
#[derive(Debug, Default)]
pub(super) struct Survey {
    seen: BTreeMap<Partition, Seen>,
    lost: u64,
    /// How much was lost when a header last told where all partitions stand.
    told: u64,
    pub(super) last_arrival: i64,
    pub(super) records: u64,
    pub(super) missing: Vec<Missing>,
    /// Further records that are damaged in the log, and that the store has.
    pub(super) stored: u64,
}

/// What is to become of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// What can't be read, in bytes from its start. They don't touch.
    pub(super) holes: Vec<Range<usize>>,
    /// How long it is, holes at its end included, and its torn tail not.
    pub(super) end: usize,
}

/// A segment's bytes, and where they stand.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) base: LogOffset,
    /// How long it must be, as another follows; none: it is the last.
    pub(super) wanted: Option<usize>,
    pub(super) is_first: bool,
}

impl Survey {
    /// Looks at a segment. `stored` says up to where the store has a partition.
    pub(super) fn segment(&mut self, segment: Bytes<'_>, stored: &dyn Fn(&Partition) -> u64) -> Verdict {
        let bytes = &segment.bytes[..segment.wanted.unwrap_or(usize::MAX).min(segment.bytes.len())];
        let mut holes: Vec<Range<usize>> = Vec::new();
        let mut here = 0;
        let end = loop {
            if here == bytes.len() && here > 0 {
                break segment.wanted.unwrap_or(here);
            }
            if let Parsed::Frame(frame, size) = parse(&bytes[here..])
                && self.take(&frame, here, &segment, stored)
            {
                here += size;
                continue;
            }
            let next = (here + 1..bytes.len()).find(|start| leads_to_mark(bytes, *start, &segment));
            match (next, segment.wanted) {
                (Some(next), _) => {
                    self.lose(here..next, &mut holes);
                    here = next;
                }
                (None, None) if bytes.is_empty() => break 0,
                // Most likely a torn tail. But where one thing is damaged another may be, and to pass over a sequence
                // harms nobody.
                (None, None) if here > 0 => {
                    self.lost += (bytes.len() - here) as u64;
                    break here;
                }
                (None, wanted) => {
                    let end = wanted.unwrap_or(bytes.len().max(HEADER_BYTES));
                    self.lose(here..end, &mut holes);
                    break end;
                }
            }
        };
        if end > bytes.len() && holes.last().is_none_or(|hole| hole.end < end) {
            self.lose(bytes.len()..end, &mut holes);
        }
        Verdict { holes, end }
    }

    fn lose(&mut self, hole: Range<usize>, holes: &mut Vec<Range<usize>>) {
        self.lost += hole.len() as u64;
        match holes.last_mut() {
            Some(last) if last.end == hole.start => last.end = hole.end,
            _ => holes.push(hole),
        }
    }

    /// Notes a frame; `false` if it does not belong there.
    fn take(
        &mut self,
        frame: &Frame<'_>,
        here: usize,
        segment: &Bytes<'_>,
        stored: &dyn Fn(&Partition) -> u64,
    ) -> bool {
        match frame {
            Frame::Header(header) if here == 0 && header.base == segment.base => {
                let next: Option<Vec<_>> = header
                    .next
                    .iter()
                    .map(|(stream, partition, next)| {
                        Some(((StreamName::new(stream).ok()?, *partition), *next))
                    })
                    .collect();
                let Some(next) = next else { return false };
                for (partition, next) in next {
                    if segment.is_first {
                        self.seen.insert(partition, Seen { next, lost: self.lost });
                    } else {
                        self.advance(partition, next, next, stored);
                    }
                }
                self.told = self.lost;
                self.last_arrival = self.last_arrival.max(header.last_arrival);
                true
            }
            Frame::Record(record) if here > 0 => {
                let Ok(stream) = StreamName::new(record.stream) else { return false };
                let partition = (stream, record.partition);
                if self.seen.get(&partition).is_some_and(|seen| record.sequence < seen.next) {
                    return false;
                }
                self.advance(partition, record.sequence, record.sequence + 1, stored);
                self.last_arrival = self.last_arrival.max(record.arrival);
                self.records += 1;
                true
            }
            Frame::Synced(offset) => here > 0 && offset.0 == segment.base.0 + here as u64,
            Frame::Gap => here > 0,
            _ => false,
        }
    }

    /// A partition goes on at `at`, and after that at `next`.
    fn advance(&mut self, partition: Partition, at: u64, next: u64, stored: &dyn Fn(&Partition) -> u64) {
        let seen = self.seen.get(&partition).copied().unwrap_or(Seen { next: 1, lost: 0 });
        // A jump without a loss is an older one, of which was told then.
        if at > seen.next && self.lost > seen.lost.max(self.told) {
            self.note(&partition, seen.next, at - 1, true, stored(&partition));
        }
        self.seen.insert(partition, Seen { next: next.max(seen.next), lost: self.lost });
    }

    fn note(&mut self, partition: &Partition, first: u64, last: u64, certain: bool, stored: u64) {
        if certain {
            self.stored += stored.min(last).saturating_sub(first - 1);
        }
        let first = first.max(stored + 1);
        if first <= last {
            let (stream, partition) = partition.clone();
            self.missing.push(Missing { stream, partition, first, last, certain });
        }
    }

    /// Every partition and its next sequence, as far as was seen.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&str, u32, u64)> {
        let used = self.seen.iter().filter(|(_, seen)| seen.next > 1);
        used.map(|((stream, partition), seen)| (stream.as_str(), *partition, seen.next))
    }

    /// Nothing follows: where a partition may have gone on in what was lost, sees to it that none of its sequences are given
    /// again. `partitions` are all that there may be.
    pub(super) fn close(
        &mut self,
        partitions: impl Iterator<Item = Partition>,
        stored: &dyn Fn(&Partition) -> u64,
    ) {
        for partition in partitions {
            self.seen.entry(partition).or_insert(Seen { next: 1, lost: 0 });
        }
        let all: Vec<(Partition, Seen)> = self.seen.iter().map(|(key, seen)| (key.clone(), *seen)).collect();
        for (partition, seen) in all {
            let lost = self.lost - seen.lost.max(self.told);
            let most = lost / (RECORD_BYTES_MIN + partition.0.as_str().len() as u64);
            let first = seen.next.max(stored(&partition) + 1);
            if most > 0 {
                self.note(&partition, first, first + most - 1, false, 0);
                self.seen.insert(partition, Seen { next: first + most, lost: self.lost });
            }
        }
    }
}

/// Whether frames follow each other from `start` to where no producer could have led them.
fn leads_to_mark(bytes: &[u8], start: usize, segment: &Bytes<'_>) -> bool {
    let mut here = start;
    loop {
        match parse(&bytes[here..]) {
            Parsed::Frame(Frame::Synced(offset), _) => return offset.0 == segment.base.0 + here as u64,
            Parsed::Frame(Frame::Header(_), _) => return false,
            Parsed::Frame(_, size) => here += size,
            Parsed::Partial(_) | Parsed::Bad => return here > start && Some(here) == segment.wanted,
        }
    }
}
