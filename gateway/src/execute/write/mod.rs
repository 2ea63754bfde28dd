//! A connection as bytes.

mod message;

use schema::{Message, StreamName};

pub(crate) use message::{MessageWriter, cursor, quoted, text};

use super::{Answer, Ask, Page};
use crate::error::{Code, GraphqlError};
use crate::plan::{ConnectionField, DataRoot, EdgeField, PageInfoField, Slot, end_of};
use crate::project::Projector;
use crate::settings::GatewaySettings;

/// Writes one page.
pub(super) struct Writer<'a> {
    root: &'a DataRoot,
    ask: &'a Ask,
    page: &'a Page,
    messages: MessageWriter<'a>,
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
        let messages = MessageWriter::new(root.stream.record.name(), projector);
        Self { root, ask, page, messages, out: Vec::with_capacity(4096), bytes_max: settings.response_bytes }
    }

    pub(super) fn write(mut self, key: &'a str) -> Result<Answer, GraphqlError> {
        self.nested(key, Self::connection)?;
        let errors = self.messages.projector.errors;
        let unlisted = errors.total - errors.list.len();
        Ok(Answer { value: self.out, errors: errors.list, unlisted })
    }

    fn connection(&mut self) -> Result<(), GraphqlError> {
        let root = self.root;
        for slot in &root.connection {
            self.out.extend_from_slice(&slot.prefix);
            match &slot.value {
                ConnectionField::Typename(name) => self.out.extend_from_slice(name),
                ConnectionField::PageInfo(fields) => self.page_info(fields),
                ConnectionField::Nodes(fields) => {
                    self.rows(&slot.key, |this, row| {
                        this.messages.message(fields, row, &mut this.out);
                    })?;
                }
                ConnectionField::Edges(fields) => self.rows(&slot.key, |this, row| this.edge(fields, row))?,
                ConnectionField::ResumeCursor => match &self.page.resume {
                    Some(cursor) => quoted(cursor, &mut self.out),
                    None => self.out.extend_from_slice(b"null"),
                },
            }
        }
        self.out.extend_from_slice(end_of(&root.connection));
        Ok(())
    }

    fn rows(&mut self, key: &'a str, write: impl Fn(&mut Self, &Message)) -> Result<(), GraphqlError> {
        let page = self.page;
        self.nested(key, |this| {
            this.out.push(b'[');
            for (index, row) in page.rows.iter().enumerate() {
                if index > 0 {
                    this.out.push(b',');
                }
                this.messages.projector.enter_index(index);
                write(this, row);
                this.messages.projector.leave();
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

    fn edge(&mut self, fields: &'a [Slot<EdgeField>], row: &Message) {
        for slot in fields {
            self.out.extend_from_slice(&slot.prefix);
            match &slot.value {
                EdgeField::Typename(name) => self.out.extend_from_slice(name),
                EdgeField::Cursor => quoted(&cursor(row, self.stream()), &mut self.out),
                EdgeField::Node(fields) => {
                    self.messages.projector.enter_key(&slot.key);
                    self.messages.message(fields, row, &mut self.out);
                    self.messages.projector.leave();
                }
            }
        }
        self.out.extend_from_slice(end_of(fields));
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
        self.out.extend_from_slice(end_of(fields));
    }

    fn edge_cursor(&mut self, row: Option<&Message>) {
        match row {
            Some(row) => quoted(&cursor(row, self.stream()), &mut self.out),
            None => self.out.extend_from_slice(b"null"),
        }
    }

    fn nested(
        &mut self,
        key: &'a str,
        body: impl FnOnce(&mut Self) -> Result<(), GraphqlError>,
    ) -> Result<(), GraphqlError> {
        self.messages.projector.enter_key(key);
        let result = body(self);
        self.messages.projector.leave();
        result
    }

    fn stream(&self) -> &'a StreamName {
        self.root.stream.record.name()
    }
}
