//! The log's bytes: frames of a length, a checksum and a payload.
//!
//! ```text
//! frame   = length u32 · crc32c u32 (of length and payload) · payload        integers little-endian
//! payload = version u8 · kind u8 · body
//! header  = base u64 · last arrival i64 · count u32 · count × (stream · partition u32 · next sequence u64)
//! record  = stream · partition u32 · sequence u64 · arrival i64 · key · topic (empty: none) · data to the end
//! synced  = its own offset u64: everything before it was durable when it was written
//! gap     = any bytes: what lay there was damaged, and set aside by a repair
//! stream, key, topic = length u16 · UTF-8
//! ```

use super::LogOffset;

const VERSION: u8 = 1;
const KIND_HEADER: u8 = 0;
const KIND_RECORD: u8 = 1;
const KIND_SYNCED: u8 = 2;
const KIND_GAP: u8 = 3;
/// Longest key or name: two bytes say how long it is.
pub(super) const TEXT_BYTES_MAX: usize = u16::MAX as usize;
/// Longest message, far below what four bytes can say, and far above what is ever accepted.
pub(super) const DATA_BYTES_MAX: usize = 1 << 30;
/// Length and checksum.
const PREFIX: usize = 8;

/// A frame's payload, read in place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// The first of a segment.
    Header(Header<'a>),
    /// What a producer sent.
    Record(Record<'a>),
    /// Written after a sync, and before those that it served were answered.
    Synced(LogOffset),
    /// Stands where frames were that can't be read any more, so that what follows stays where it is.
    Gap,
}

/// The state in which a segment begins, so that older ones may go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header<'a> {
    pub(crate) base: LogOffset,
    /// Latest arrival before this segment, in microseconds since 1970.
    pub(crate) last_arrival: i64,
    /// Stream, partition, and the sequence that its next record gets.
    pub(crate) next: Vec<(&'a str, u32, u64)>,
}

/// A record as it lies in the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) stream: &'a str,
    pub(crate) partition: u32,
    pub(crate) sequence: u64,
    /// Microseconds since 1970.
    pub(crate) arrival: i64,
    pub(crate) key: &'a str,
    pub(crate) topic: Option<&'a str>,
    pub(crate) data: &'a [u8],
}

/// What the bytes at one place of a segment are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    /// A frame, and its length with everything.
    Frame(Frame<'a>, usize),
    /// Perhaps the beginning of a frame that is so long.
    Partial(usize),
    /// No frame.
    Bad,
}

/// Reads the frame with which `bytes` begin.
pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Parsed::Partial(PREFIX) };
    let size = PREFIX + u32::from_le_bytes(*length) as usize;
    let Some((sum, rest)) = rest.split_first_chunk::<4>() else { return Parsed::Partial(size) };
    // Told before the checksum is computed, so that looking for frames among other bytes is quick.
    if rest.first().is_some_and(|version| *version != VERSION) || size == PREFIX {
        return Parsed::Bad;
    }
    let Some(payload) = rest.get(..size - PREFIX) else { return Parsed::Partial(size) };
    if checksum(*length, payload) != u32::from_le_bytes(*sum) {
        return Parsed::Bad;
    }
    match body(payload) {
        Some(frame) => Parsed::Frame(frame, size),
        None => Parsed::Bad,
    }
}

/// Reads a frame that [`parse`] has read before, without computing its checksum again.
pub(crate) fn parse_again(frame: &[u8]) -> Option<Frame<'_>> {
    body(frame.get(PREFIX..)?)
}

/// Appends the frame of `frame` to `out`.
pub(crate) fn write(frame: &Frame<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX]);
    out.push(VERSION);
    match frame {
        Frame::Header(header) => {
            out.push(KIND_HEADER);
            out.extend_from_slice(&header.base.0.to_le_bytes());
            out.extend_from_slice(&header.last_arrival.to_le_bytes());
            out.extend_from_slice(&(header.next.len() as u32).to_le_bytes());
            for (stream, partition, next) in &header.next {
                write_text(stream, out);
                out.extend_from_slice(&partition.to_le_bytes());
                out.extend_from_slice(&next.to_le_bytes());
            }
        }
        Frame::Record(record) => {
            out.push(KIND_RECORD);
            write_text(record.stream, out);
            out.extend_from_slice(&record.partition.to_le_bytes());
            out.extend_from_slice(&record.sequence.to_le_bytes());
            out.extend_from_slice(&record.arrival.to_le_bytes());
            write_text(record.key, out);
            write_text(record.topic.unwrap_or_default(), out);
            out.extend_from_slice(record.data);
        }
        Frame::Synced(offset) => {
            out.push(KIND_SYNCED);
            out.extend_from_slice(&offset.0.to_le_bytes());
        }
        Frame::Gap => out.push(KIND_GAP),
    }
    seal(&mut out[start..]);
}

/// The shortest frame of a gap.
pub(super) const GAP_BYTES_MIN: usize = PREFIX + 2;

/// Makes all of `place`, at least [`GAP_BYTES_MIN`] bytes, one frame of a gap.
pub(super) fn write_gap(place: &mut [u8]) {
    place.fill(0);
    place[PREFIX] = VERSION;
    place[PREFIX + 1] = KIND_GAP;
    seal(place);
}

/// Puts length and checksum before a payload.
fn seal(frame: &mut [u8]) {
    let length = ((frame.len() - PREFIX) as u32).to_le_bytes();
    let sum = checksum(length, &frame[PREFIX..]);
    frame[..4].copy_from_slice(&length);
    frame[4..PREFIX].copy_from_slice(&sum.to_le_bytes());
}

/// The length is part of it, so that a run of zeros is no frame.
fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length), payload)
}

fn body(payload: &[u8]) -> Option<Frame<'_>> {
    let (&kind, rest) = payload.get(1..)?.split_first()?;
    let mut fields = Fields(rest);
    let frame = match kind {
        KIND_HEADER => {
            let (base, last_arrival) = (LogOffset(fields.u64()?), fields.u64()?.cast_signed());
            let count = fields.u32()?;
            let next: Option<Vec<_>> =
                (0..count).map(|_| Some((fields.text()?, fields.u32()?, fields.u64()?))).collect();
            Frame::Header(Header { base, last_arrival, next: next? })
        }
        KIND_RECORD => Frame::Record(Record {
            stream: fields.text()?,
            partition: fields.u32()?,
            sequence: fields.u64()?,
            arrival: fields.u64()?.cast_signed(),
            key: fields.text()?,
            topic: Some(fields.text()?).filter(|topic| !topic.is_empty()),
            data: std::mem::take(&mut fields.0),
        }),
        KIND_SYNCED => Frame::Synced(LogOffset(fields.u64()?)),
        KIND_GAP => {
            fields.0 = &[];
            Frame::Gap
        }
        _ => return None,
    };
    fields.0.is_empty().then_some(frame)
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    // Names and topics are far shorter than `TEXT_BYTES_MAX`, and keys were held against it.
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// What is left of a payload.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = u16::from_le_bytes(self.bytes()?);
        let (text, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_comes_back_and_no_changed_one_does(
            stream in "[a-z]{1,9}", key in ".{0,9}", topic in "[a-z]{0,9}", data: Vec<u8>,
            numbers: (u32, u64, i64), at: prop::sample::Index, flip in 1u8..
        ) {
            let record = Record {
                stream: &stream, partition: numbers.0, sequence: numbers.1, arrival: numbers.2, key: &key,
                topic: Some(topic.as_str()).filter(|topic| !topic.is_empty()), data: &data,
            };
            let frame = Frame::Record(record);
            let mut bytes = Vec::new();
            write(&frame, &mut bytes);
            let size = bytes.len();
            prop_assert_eq!(parse(&bytes), Parsed::Frame(frame, size));
            let at = at.index(size);
            prop_assert!(matches!(parse(&bytes[..at]), Parsed::Partial(_)), "cut at {}", at);
            bytes[at] ^= flip;
            prop_assert!(!matches!(parse(&bytes), Parsed::Frame(..)), "changed at {}", at);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = body(&bytes);
        }
    }

    #[test]
    fn zeros_are_no_frame() {
        assert_eq!(parse(&[0; 64]), Parsed::Bad);
    }
}
