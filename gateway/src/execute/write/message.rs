//! A message as bytes: what is known of it, and the chosen fields of its JSON.

use std::io::Write;

use schema::{Message, PageCursor, StreamName};

use crate::plan::{MessageField, Slot, end_of};
use crate::project::Projector;

/// Writes selections of messages into one response.
pub(crate) struct MessageWriter<'a> {
    stream: &'a StreamName,
    /// Where the value being written stands, and what could not be written.
    pub(crate) projector: Projector<'a>,
}

impl<'a> MessageWriter<'a> {
    /// A writer of messages of `stream`.
    pub(crate) fn new(stream: &'a StreamName, projector: Projector<'a>) -> Self {
        Self { stream, projector }
    }

    /// Writes `fields` of `message`.
    pub(crate) fn message(&mut self, fields: &'a [Slot<MessageField>], row: &Message, out: &mut Vec<u8>) {
        for slot in fields {
            out.extend_from_slice(&slot.prefix);
            match &slot.value {
                MessageField::Typename(name) => out.extend_from_slice(name),
                MessageField::Id => {
                    let id = format!("{}.{}", self.stream, cursor(row, self.stream));
                    quoted(&id, out);
                }
                MessageField::Time => quoted(&row.time.to_string(), out),
                MessageField::TimeSource => quoted(row.time_source.as_str(), out),
                MessageField::ArrivedAt => quoted(&row.arrived_at.to_string(), out),
                MessageField::Topic => text(row.topic.as_str(), out),
                MessageField::Key => text(&row.key, out),
                MessageField::Position => text(&row.position.to_string(), out),
                MessageField::Raw => text(&String::from_utf8_lossy(&row.raw), out),
                MessageField::Data(member) => {
                    let start = out.len();
                    self.projector.enter_key(&slot.key);
                    let written = self.projector.member(member, row.raw.trim_ascii(), out);
                    self.projector.leave();
                    if written.is_err() {
                        // Null in place of what was begun: a nullable field takes the fault no further.
                        out.truncate(start);
                        out.extend_from_slice(b"null");
                    }
                }
            }
        }
        out.extend_from_slice(end_of(fields));
    }
}

/// The page cursor of a row.
pub(crate) fn cursor(row: &Message, stream: &StreamName) -> String {
    PageCursor { topic: row.topic.clone(), time: row.time, position: row.position.clone() }.encode(stream)
}

/// Writes a text that needs no escapes.
pub(crate) fn quoted(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = write!(out, "\"{text}\"");
}

/// Writes any text.
pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, text);
}
