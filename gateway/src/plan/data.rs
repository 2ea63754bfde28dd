//! The selections of a stream's root field, down to the members of its documents.

use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use schema::shape::{Entries, Field, Object, Out, View};

use super::collect::{Collected, Conditions, collect};
use super::{ConnectionField, EdgeField, MessageField, PageInfoField, Slot, Verbatim};
use crate::project::{self, EntryField, Leaf, Level, Member, Show};
use crate::snapshot::StreamView;

pub(super) struct Compiler<'a> {
    pub document: &'a ExecutableDocument,
    pub conditions: &'a Conditions,
    pub stream: &'a Arc<StreamView>,
}

/// The connection of a root field.
pub(super) fn connection(compiler: &Compiler<'_>, of: &Collected<'_>) -> Vec<Slot<ConnectionField>> {
    let type_name = &compiler.stream.record.type_name;
    compiler.slots(of, |field| {
        Some(match field.field().name.as_str() {
            "nodes" => ConnectionField::Nodes(compiler.message(field)),
            "edges" => ConnectionField::Edges(compiler.slots(field, |field| {
                Some(match field.field().name.as_str() {
                    "cursor" => EdgeField::Cursor,
                    "node" => EdgeField::Node(compiler.message(field)),
                    _ => EdgeField::Typename(quoted(&format!("{type_name}Edge"))),
                })
            })),
            "pageInfo" => ConnectionField::PageInfo(compiler.slots(field, |field| {
                Some(match field.field().name.as_str() {
                    "hasNextPage" => PageInfoField::HasNextPage,
                    "hasPreviousPage" => PageInfoField::HasPreviousPage,
                    "startCursor" => PageInfoField::StartCursor,
                    "endCursor" => PageInfoField::EndCursor,
                    _ => PageInfoField::Typename,
                })
            })),
            "resumeCursor" => ConnectionField::ResumeCursor,
            _ => ConnectionField::Typename(quoted(&format!("{type_name}Connection"))),
        })
    })
}

impl Compiler<'_> {
    /// What is wanted of a message.
    pub(super) fn message(&self, of: &Collected<'_>) -> Vec<Slot<MessageField>> {
        let record = &self.stream.record;
        self.slots(of, |field| {
            Some(match field.field().name.as_str() {
                "__typename" => MessageField::Typename(quoted(&record.type_name)),
                "id" => MessageField::Id,
                "time" => MessageField::Time,
                "timeSource" => MessageField::TimeSource,
                "arrivedAt" => MessageField::ArrivedAt,
                "topic" => MessageField::Topic,
                "key" => MessageField::Key,
                "position" => MessageField::Position,
                "raw" => MessageField::Raw,
                name => {
                    let data = self.stream.published.data.as_ref()?;
                    MessageField::Data(self.member(data, data.view(name)?, field))
                }
            })
        })
    }

    /// The fields of one object in order, each with what is written before its value.
    pub(super) fn slots<T>(
        &self,
        of: &Collected<'_>,
        value: impl Fn(&Collected<'_>) -> Option<T>,
    ) -> Vec<Slot<T>> {
        let fields = collect(self.document, self.conditions, of.selections());
        let mut slots = Vec::with_capacity(fields.len());
        for field in &fields {
            if let Some(value) = value(field) {
                slots.push(Slot {
                    prefix: prefix(slots.is_empty(), field.key),
                    key: field.key.to_owned(),
                    value,
                });
            }
        }
        slots
    }

    fn member(&self, member: &Field, view: View<'_>, of: &Collected<'_>) -> Member {
        match view {
            View::Json => Member::Json,
            View::Primary(out) => Member::Primary { opened: member.opened, show: self.show(out, of) },
            View::Entries(entries) => {
                Member::Entries { opened: member.opened, fields: self.entries(entries, of) }
            }
        }
    }

    fn show(&self, out: &Out, of: &Collected<'_>) -> Show {
        match out {
            Out::Boolean => Show::Leaf(Leaf::Boolean),
            Out::Long => Show::Leaf(Leaf::Long),
            Out::Float => Show::Leaf(Leaf::Float),
            Out::Text => Show::Leaf(Leaf::Text),
            Out::Json => Show::Leaf(Leaf::Json),
            Out::Object(object) => Show::Object(self.level(object, of)),
            Out::List(element) => Show::List(Box::new(self.show(element, of))),
        }
    }

    fn level(&self, object: &Object, of: &Collected<'_>) -> Level {
        let fields = collect(self.document, self.conditions, of.selections());
        let mut shown = Vec::with_capacity(fields.len());
        for field in &fields {
            let name = field.field().name.as_str();
            let (value, name) = match object.resolve(name) {
                Some((member, view)) => (self.member(member, view, field), Some(member.key.as_str())),
                None if name == "__typename" => (Member::Json, None),
                None => continue,
            };
            let slot = Slot { prefix: prefix(shown.is_empty(), field.key), key: field.key.to_owned(), value };
            shown.push((slot, name));
        }
        Level::new(shown, quoted(&object.type_name))
    }

    fn entries(&self, entries: &Entries, of: &Collected<'_>) -> project::Entries {
        self.slots(of, |field| {
            Some(match field.field().name.as_str() {
                "key" => EntryField::Key,
                "value" => EntryField::Value(self.show(&entries.value, field)),
                _ => EntryField::Typename(quoted(&entries.type_name)),
            })
        })
    }
}

/// What stands before a field: its key, after the object's brace or the last field's comma. Response keys are GraphQL
/// names, so nothing in them needs an escape.
fn prefix(first: bool, key: &str) -> Verbatim {
    format!("{}\"{key}\":", if first { '{' } else { ',' }).into_bytes().into()
}

pub(super) fn quoted(name: &str) -> Verbatim {
    format!("\"{name}\"").into_bytes().into()
}
