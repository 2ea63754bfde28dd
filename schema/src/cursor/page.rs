//! Where a page of a query ends.

use super::{InvalidCursor, Kind, open, seal};
use crate::{Position, StreamName, Timestamp, Topic};

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

impl PageCursor {
    /// The cursor's text, for use with `stream` only.
    pub fn encode(&self, stream: &StreamName) -> String {
        let mut body = Vec::with_capacity(64);
        body.extend_from_slice(&self.time.0.to_be_bytes());
        self.position.encode(&mut body);
        body.extend_from_slice(self.topic.as_str().as_bytes());
        seal(Kind::Page, stream, &body)
    }

    /// Reads the text of a cursor of `stream`.
    ///
    /// # Errors
    /// [`InvalidCursor`] says what is wrong with it.
    pub fn decode(text: &str, stream: &StreamName) -> Result<Self, InvalidCursor> {
        let body = open(Kind::Page, stream, text)?;
        let (time, rest) = body.split_first_chunk::<8>().ok_or(InvalidCursor::Damaged)?;
        let (position, topic) = Position::decode(rest).ok_or(InvalidCursor::Damaged)?;
        let topic = std::str::from_utf8(topic).ok().and_then(|topic| Topic::new(topic).ok());
        Ok(Self {
            topic: topic.ok_or(InvalidCursor::Damaged)?,
            time: Timestamp(i64::from_be_bytes(*time)),
            position,
        })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
