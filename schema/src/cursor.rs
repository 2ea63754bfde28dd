//! Cursors, made and read here alone: opaque to clients, versioned, checksummed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Position, StreamName, Timestamp, Topic};

/// Longest cursor that is looked at, in characters.
const MAX_TEXT: usize = 64 << 10;
const PAGE_V1: u8 = 1;

/// Where a page of a query ends: topic, time and position of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageCursor {
    /// Topic of the message.
    pub topic: Topic,
    /// Its time.
    pub time: Timestamp,
    /// Its position.
    pub position: Position,
}

/// A text that is not a cursor for what it was given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCursor {
    /// Not something that this API ever gave out, or cut or changed since.
    #[error("the cursor is damaged: pass one exactly as a connection returned it")]
    Damaged,
    /// Of another version of Tidegate.
    #[error("the cursor comes from another version of Tidegate: start again without it")]
    Version,
    /// Made for another stream.
    #[error("the cursor belongs to another stream")]
    Stream,
}

impl PageCursor {
    /// The cursor's text, for use with `stream` only.
    pub fn encode(&self, stream: &StreamName) -> String {
        let mut bytes = vec![PAGE_V1];
        bytes.extend_from_slice(&stream_tag(stream));
        bytes.extend_from_slice(&self.time.0.to_be_bytes());
        self.position.encode(&mut bytes);
        bytes.extend_from_slice(self.topic.as_str().as_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads the text of a cursor of `stream`.
    ///
    /// # Errors
    /// [`InvalidCursor`] says what is wrong with it.
    pub fn decode(text: &str, stream: &StreamName) -> Result<Self, InvalidCursor> {
        if text.len() > MAX_TEXT {
            return Err(InvalidCursor::Damaged);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor::Damaged)?;
        let (body, sum) = bytes.split_last_chunk::<4>().ok_or(InvalidCursor::Damaged)?;
        if crc32c::crc32c(body) != u32::from_be_bytes(*sum) {
            return Err(InvalidCursor::Damaged);
        }
        let (&version, body) = body.split_first().ok_or(InvalidCursor::Damaged)?;
        if version != PAGE_V1 {
            return Err(InvalidCursor::Version);
        }
        let (tag, body) = body.split_first_chunk::<4>().ok_or(InvalidCursor::Damaged)?;
        if *tag != stream_tag(stream) {
            return Err(InvalidCursor::Stream);
        }
        let (time, body) = body.split_first_chunk::<8>().ok_or(InvalidCursor::Damaged)?;
        let (position, topic) = Position::decode(body).ok_or(InvalidCursor::Damaged)?;
        let topic = std::str::from_utf8(topic).ok().and_then(|topic| Topic::new(topic).ok());
        Ok(Self {
            topic: topic.ok_or(InvalidCursor::Damaged)?,
            time: Timestamp(i64::from_be_bytes(*time)),
            position,
        })
    }
}

fn stream_tag(stream: &StreamName) -> [u8; 4] {
    crc32c::crc32c(stream.as_str().as_bytes()).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::PartitionId;

    fn cursor() -> PageCursor {
        PageCursor {
            topic: Topic::new("sensors/cellar").unwrap(),
            time: Timestamp(-5),
            position: Position { partition: PartitionId::embedded(3), sequence: 1834.into(), sub: 7 },
        }
    }

    #[test]
    fn a_cursor_comes_back_and_keeps_to_its_stream() {
        let (events, orders) = (StreamName::new("events").unwrap(), StreamName::new("orders").unwrap());
        let text = cursor().encode(&events);
        assert_eq!(PageCursor::decode(&text, &events), Ok(cursor()));
        assert_eq!(PageCursor::decode(&text, &orders), Err(InvalidCursor::Stream));
        assert_eq!(PageCursor::decode(&"A".repeat(100 << 10), &events), Err(InvalidCursor::Damaged));
        for end in 0..text.len() {
            assert_eq!(
                PageCursor::decode(&text[..end], &events),
                Err(InvalidCursor::Damaged),
                "cut at {end}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_changed_cursor_is_refused(at in 0usize..60, flip in 1u8..64) {
            let stream = StreamName::new("events").unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(cursor().encode(&stream)).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= flip;
            prop_assert!(PageCursor::decode(&URL_SAFE_NO_PAD.encode(bytes), &stream).is_err());
        }

        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = PageCursor::decode(&text, &StreamName::new("events").unwrap());
        }
    }
}
