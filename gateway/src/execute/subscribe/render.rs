//! Deliveries as bytes: for each message, or gap, one execution result.

use std::sync::Arc;

use schema::{HistoryMark, Message, PartitionId, Place, Places, Position};

use super::super::Pipeline;
use super::super::write::{MessageWriter, quoted, text};
use crate::live::{Deliveries, Mark, Piece, Row, Selection};
use crate::plan::{EventField, GapField, LiveRoot, Slot, end_of};
use crate::project::{Errors, Projector};
use crate::response;

/// Writes deliveries of one subscription.
pub(super) struct Renderer<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) root: &'a LiveRoot,
    pub(super) selection: &'a Selection,
}

/// What an event tells.
enum Told<'m> {
    Message(&'m Message),
    Gap(Gap<'m>),
}

/// What is gone.
struct Gap<'m> {
    reason: &'static str,
    /// The partition, and the places around the gap, where they are known.
    between: Option<(&'m PartitionId, Place, Place)>,
}

impl<'a> Renderer<'a> {
    /// The deliveries of a piece; of a row as many as make up a batch.
    pub(super) fn piece(&self, piece: &Piece) -> Deliveries {
        match piece {
            Piece::History { messages, fence } => self.history(messages, fence),
            Piece::Row { row, start, base, .. } => self.row(row, *start, base),
            Piece::Gap { row, from, base } => {
                let to = row.after.get(&row.partition);
                let gap = Gap { reason: "MISSING", between: Some((&row.partition, *from, to)) };
                self.gap(gap, base, Mark::Place(row.partition.clone(), to))
            }
        }
    }

    /// The delivery which tells that a cursor was of another incarnation.
    pub(super) fn another_incarnation(&self) -> Deliveries {
        let base = Arc::new(Places::default());
        let start = Mark::Place(PartitionId::embedded(0), Place::START);
        self.gap(Gap { reason: "INCARNATION", between: None }, &base, start)
    }

    fn gap(&self, gap: Gap<'_>, base: &Arc<Places>, mark: Mark) -> Deliveries {
        let mut deliveries = Deliveries::new(base.clone());
        self.event(&mut self.writer(), &Told::Gap(gap), base, &mark, deliveries.out());
        deliveries.end(mark);
        deliveries
    }

    fn history(&self, messages: &[Message], fence: &Arc<Places>) -> Deliveries {
        let (mut deliveries, mut writer) = (Deliveries::new(fence.clone()), self.writer());
        for message in messages {
            let mark = Mark::History(HistoryMark { time: message.time, position: message.position.clone() });
            self.event(&mut writer, &Told::Message(message), fence, &mark, deliveries.out());
            deliveries.end(mark);
        }
        deliveries.next = messages.len();
        deliveries
    }

    fn row(&self, row: &Row, start: usize, base: &Arc<Places>) -> Deliveries {
        let (mut deliveries, mut writer) = (Deliveries::new(base.clone()), self.writer());
        let selected = row.select(self.selection, start);
        for (at, index) in selected.iter().enumerate() {
            // What comes after the last one is not for this subscription, and so consumed with it.
            deliveries.next = if at + 1 == selected.len() { row.all().len() } else { index + 1 };
            let mark = Mark::Place(row.partition.clone(), row.place(deliveries.next));
            let message = &row.all()[*index];
            self.event(&mut writer, &Told::Message(message), base, &mark, deliveries.out());
            deliveries.end(mark);
            if deliveries.out().len() >= self.pipeline.live.batch_bytes {
                break;
            }
        }
        deliveries
    }

    fn writer(&self) -> MessageWriter<'a> {
        let projector = Projector::new(self.pipeline.settings.errors_max, &self.pipeline.limits);
        MessageWriter::new(self.root.stream.record.name(), projector)
    }

    /// One execution result.
    fn event(
        &self,
        writer: &mut MessageWriter<'a>,
        told: &Told<'_>,
        base: &Places,
        mark: &Mark,
        out: &mut Vec<u8>,
    ) {
        let root = self.root;
        out.extend_from_slice(&root.prefix);
        for slot in &root.event {
            out.extend_from_slice(&slot.prefix);
            match (&slot.value, told) {
                (EventField::Typename(name), _) => out.extend_from_slice(name),
                (EventField::Cursor, _) => {
                    let record = &root.stream.record;
                    quoted(&mark.cursor(base, record.incarnation, record.name()), out);
                }
                (EventField::Late, Told::Message(message)) => {
                    let late = root.stream.stream().is_late(message.time, message.arrived_at);
                    out.extend_from_slice(if late { b"true" } else { b"false" });
                }
                (EventField::Late, Told::Gap(_)) => out.extend_from_slice(b"false"),
                (EventField::Gap(fields), Told::Gap(gap)) => write_gap(fields, gap, out),
                (EventField::Message(fields), Told::Message(message)) => {
                    writer.projector.enter_key(&root.key);
                    writer.projector.enter_key(&slot.key);
                    writer.message(fields, message, out);
                    writer.projector.leave();
                    writer.projector.leave();
                }
                (EventField::Gap(_) | EventField::Message(_), _) => out.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(end_of(&root.event));
        out.push(b'}');
        let errors_max = self.pipeline.settings.errors_max;
        let errors = std::mem::replace(&mut writer.projector.errors, Errors::new(errors_max));
        let unlisted = errors.total - errors.list.len();
        response::write_errors(errors.list, unlisted, out);
        out.push(b'}');
    }
}

fn write_gap(fields: &[Slot<GapField>], gap: &Gap<'_>, out: &mut Vec<u8>) {
    for slot in fields {
        out.extend_from_slice(&slot.prefix);
        let place = match slot.value {
            GapField::Typename => {
                out.extend_from_slice(b"\"Gap\"");
                continue;
            }
            GapField::Reason => {
                quoted(gap.reason, out);
                continue;
            }
            GapField::From => gap.between.map(|(partition, from, _)| (partition, from.sequence)),
            GapField::To => gap.between.map(|(partition, _, to)| (partition, to.sequence)),
        };
        match place {
            Some((partition, sequence)) => {
                let position = Position { partition: partition.clone(), sequence, sub: 0 };
                text(&position.to_string(), out);
            }
            None => out.extend_from_slice(b"null"),
        }
    }
    out.extend_from_slice(end_of(fields));
}
