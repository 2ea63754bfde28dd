//! A connection as bytes.

use std::io::Write;

use schema::{Message, PageCursor, StreamName};

use super::{Answer, Ask, Page};
use crate::error::{Code, GraphqlError};
use crate::plan::{ConnectionField, DataRoot, EdgeField, MessageField, PageInfoField, Slot};
use crate::project::Projector;
use crate::settings::GatewaySettings;

/// Writes one page.
pub(super) struct Writer<'a> {
    root: &'a DataRoot,
    ask: &'a Ask,
    page: &'a Page,
    projector: Projector<'a>,
    out: Vec<u8>,
    bytes_max: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        root: &'a DataRoot,
        ask: &'a Ask,
        page: &'a Page,
        settings: &GatewaySettings,
        limits: &'a schema::Limits,
    ) -> Self {
        let projector = Projector::new(settings.errors_max, limits);
        Self { root, ask, page, projector, out: Vec::with_capacity(4096), bytes_max: settings.response_bytes }
    }

    pub(super) fn write(mut self, key: &'a str) -> Result<Answer, GraphqlError> {
        self.nested(key, Self::connection)?;
        let unlisted = self.projector.errors.total - self.projector.errors.list.len();
        Ok(Answer { value: self.out, errors: self.projector.errors.list, unlisted })
    }

    fn connection(&mut self) -> Result<(), GraphqlError> {
        let root = self.root;
        for slot in &root.connection {
            self.out.extend_from_slice(&slot.prefix);
            match &slot.value {
                ConnectionField::Typename(name) => self.out.extend_from_slice(name),
                ConnectionField::PageInfo(fields) => self.page_info(fields),
                ConnectionField::Nodes(fields) => {
                    self.rows(&slot.key, |this, row| this.message(fields, row))?;
                }
                ConnectionField::Edges(fields) => self.rows(&slot.key, |this, row| this.edge(fields, row))?,
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn rows(
        &mut self,
        key: &'a str,
        write: impl Fn(&mut Self, &Message) -> Result<(), GraphqlError>,
    ) -> Result<(), GraphqlError> {
        let page = self.page;
        self.nested(key, |this| {
            this.out.push(b'[');
            for (index, row) in page.rows.iter().enumerate() {
                if index > 0 {
                    this.out.push(b',');
                }
                this.projector.enter_index(index);
                write(this, row)?;
                this.projector.leave();
                if this.out.len() > this.bytes_max {
                    let message = format!(
                        "the response is larger than {} bytes: ask for fewer rows or fields",
                        this.bytes_max
                    );
                    return Err(GraphqlError::new(Code::LimitExceeded, message));
                }
            }
            this.out.push(b']');
            Ok(())
        })
    }

    fn edge(&mut self, fields: &'a [Slot<EdgeField>], row: &Message) -> Result<(), GraphqlError> {
        for slot in fields {
            self.out.extend_from_slice(&slot.prefix);
            match &slot.value {
                EdgeField::Typename(name) => self.out.extend_from_slice(name),
                EdgeField::Cursor => self.quoted(&cursor(row, self.stream())),
                EdgeField::Node(fields) => self.nested(&slot.key, |this| this.message(fields, row))?,
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn message(&mut self, fields: &'a [Slot<MessageField>], row: &Message) -> Result<(), GraphqlError> {
        for slot in fields {
            self.out.extend_from_slice(&slot.prefix);
            match &slot.value {
                MessageField::Typename(name) => self.out.extend_from_slice(name),
                MessageField::Id => {
                    let id = format!("{}.{}", self.stream(), cursor(row, self.stream()));
                    self.quoted(&id);
                }
                MessageField::Time => self.quoted(&row.time.to_string()),
                MessageField::TimeSource => self.quoted(row.time_source.as_str()),
                MessageField::ArrivedAt => self.quoted(&row.arrived_at.to_string()),
                MessageField::Topic => self.text(row.topic.as_str()),
                MessageField::Key => self.text(&row.key),
                MessageField::Position => self.text(&row.position.to_string()),
                MessageField::Raw => self.text(&String::from_utf8_lossy(&row.raw)),
                MessageField::Data(member) => {
                    let start = self.out.len();
                    self.projector.enter_key(&slot.key);
                    let written = self.projector.member(member, trim(&row.raw), &mut self.out);
                    self.projector.leave();
                    if written.is_err() {
                        // Null in place of what was begun: a nullable field takes the fault no further.
                        self.out.truncate(start);
                        self.out.extend_from_slice(b"null");
                    }
                }
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn page_info(&mut self, fields: &[Slot<PageInfoField>]) {
        let rows = &self.page.rows;
        let (ask, more) = (self.ask, self.page.more);
        for slot in fields {
            self.out.extend_from_slice(&slot.prefix);
            let flag = |value: bool| if value { &b"true"[..] } else { b"false" };
            match slot.value {
                PageInfoField::Typename => self.out.extend_from_slice(b"\"PageInfo\""),
                // Beyond the end that the page does not grow towards there is something exactly if the caller came
                // from there (Relay cursor connections, section 4.4).
                PageInfoField::HasNextPage => {
                    self.out.extend_from_slice(flag(if ask.last { ask.before.is_some() } else { more }));
                }
                PageInfoField::HasPreviousPage => {
                    self.out.extend_from_slice(flag(if ask.last { more } else { ask.after.is_some() }));
                }
                PageInfoField::StartCursor => self.edge_cursor(rows.first()),
                PageInfoField::EndCursor => self.edge_cursor(rows.last()),
            }
        }
        self.out.push(b'}');
    }

    fn edge_cursor(&mut self, row: Option<&Message>) {
        match row {
            Some(row) => self.quoted(&cursor(row, self.stream())),
            None => self.out.extend_from_slice(b"null"),
        }
    }

    fn nested(
        &mut self,
        key: &'a str,
        body: impl FnOnce(&mut Self) -> Result<(), GraphqlError>,
    ) -> Result<(), GraphqlError> {
        self.projector.enter_key(key);
        let result = body(self);
        self.projector.leave();
        result
    }

    fn stream(&self) -> &'a StreamName {
        self.root.stream.record.name()
    }

    /// A text that needs no escapes.
    fn quoted(&mut self, text: &str) {
        // Writing to memory does not fail.
        let _ = write!(self.out, "\"{text}\"");
    }

    fn text(&mut self, text: &str) {
        let _ = serde_json::to_writer(&mut self.out, text);
    }
}

/// The cursor of a row.
pub(crate) fn cursor(row: &Message, stream: &StreamName) -> String {
    PageCursor { topic: row.topic.clone(), time: row.time, position: row.position.clone() }.encode(stream)
}

fn trim(raw: &[u8]) -> &[u8] {
    raw.trim_ascii()
}
