//! Subscriptions: where one begins, and its deliveries.

mod begin;
mod render;

use std::sync::Arc;

use schema::StreamName;

use super::{Pipeline, Response};
use crate::error::{Code, GraphqlError};
use crate::live::{Deliveries, MemoKey, Piece, Reader};
use crate::plan::LiveRoot;
use render::Renderer;

/// How an operation goes on.
pub enum Started {
    /// With one answer, which is here.
    Answer(Response),
    /// With as many as there will be.
    Live(Box<Subscription>),
}

/// A running subscription. Dropping it ends it.
pub struct Subscription {
    pipeline: Arc<Pipeline>,
    root: Arc<LiveRoot>,
    reader: Reader,
    /// What its results depend on.
    key: MemoKey,
    /// That places of another incarnation were not trusted is told first.
    anew: bool,
}

/// What a subscription says.
pub enum Event {
    /// Deliveries, at least one.
    Batch(Batch),
    /// It can't go on. Nothing follows.
    Failed(GraphqlError),
}

/// Deliveries that were executed together, shared by all equal subscriptions.
#[derive(Clone)]
pub struct Batch {
    deliveries: Arc<Deliveries>,
    root: Arc<LiveRoot>,
}

impl Batch {
    /// How many deliveries there are, at least one.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.deliveries.len()
    }

    /// A delivery's execution result, as JSON: `{"data":…}`.
    pub fn payload(&self, index: usize) -> &[u8] {
        self.deliveries.payload(index)
    }

    /// The resume cursor of the place behind it: ASCII, without quotes.
    pub fn cursor(&self, index: usize) -> String {
        self.deliveries.cursor(index, self.root.stream.record.incarnation, self.stream())
    }

    fn stream(&self) -> &StreamName {
        self.root.stream.record.name()
    }
}

impl Subscription {
    /// What comes next; `None` once it is complete. It may be dropped while it waits, and nothing is lost.
    pub async fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.anew) {
            let deliveries = self.renderer().another_incarnation();
            return Some(self.batch(Arc::new(deliveries)));
        }
        loop {
            let Ok(piece) = self.reader.next().await else {
                return Some(Event::Failed(GraphqlError::new(Code::BadUserInput, GONE)));
            };
            let deliveries = self.execute(&piece);
            self.reader.consumed(&piece, deliveries.next);
            if deliveries.len() > 0 {
                return Some(self.batch(deliveries));
            }
        }
    }

    /// The deliveries of a piece: once a row for all who ask for the same.
    fn execute(&self, piece: &Piece) -> Arc<Deliveries> {
        let Piece::Row { row, start, shared: true, .. } = piece else {
            return Arc::new(self.renderer().piece(piece));
        };
        let source = self.reader.source();
        let (deliveries, is_new) = row.memo.get(self.key.from(*start), || self.renderer().piece(piece));
        if is_new {
            source.hub.grow(&source.stream, row, deliveries.bytes());
        }
        deliveries
    }

    fn renderer(&self) -> Renderer<'_> {
        Renderer { pipeline: &self.pipeline, root: &self.root, selection: &self.reader.source().selection }
    }

    fn batch(&self, deliveries: Arc<Deliveries>) -> Event {
        Event::Batch(Batch { deliveries, root: self.root.clone() })
    }
}

/// Said where a stream has ended under a subscription.
const GONE: &str = "the stream was made anew, so this subscription ends: subscribe again with its last cursor to be told what is missing";
