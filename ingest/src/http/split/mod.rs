//! Splits a body into messages as it comes, whatever the pieces it comes in. Pure: bytes in, messages out.
//!
//! What a message holds is not looked at more than finding its end takes: whether it is JSON is decided later, by the
//! same check as on every route.

mod lines;
mod list;

use bytes::{Bytes, BytesMut};

pub(super) use lines::Lines;
pub(super) use list::{Broken, List};

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A message's bytes, as they came.
    Message(Bytes),
    /// A message larger than one may be; its bytes were not kept.
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

/// The message that is being collected.
#[derive(Debug, Default)]
struct Collected {
    /// What of it came in earlier pieces.
    earlier: BytesMut,
    /// Its size so far.
    bytes: usize,
    limit: usize,
}

impl Collected {
    fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Adds what of the message lies in `piece`, to the piece's end.
    fn keep(&mut self, part: &[u8]) {
        self.bytes += part.len();
        if self.bytes <= self.limit {
            self.earlier.extend_from_slice(part);
        } else {
            self.earlier = BytesMut::new();
        }
    }

    /// The message ends with `part`. One that lies within one piece is not copied.
    fn end(&mut self, part: Bytes) -> Item {
        self.bytes += part.len();
        let bytes = std::mem::take(&mut self.bytes);
        if bytes > self.limit {
            self.earlier = BytesMut::new();
            return Item::TooLarge { bytes };
        }
        if self.earlier.is_empty() {
            return Item::Message(part);
        }
        self.earlier.extend_from_slice(&part);
        Item::Message(self.earlier.split().freeze())
    }
}
