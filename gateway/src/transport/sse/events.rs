//! The events of one operation, piece by piece.

use std::sync::Arc;
use std::time::Duration;

use access::{Access, Principal};
use axum::body::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use schema::Clock;
use tokio::sync::watch;
use tokio::time::sleep;

use super::event;
use crate::error::{Code, GraphqlError};
use crate::response;
use crate::transport::live::{Changes, stopped};
use crate::transport::operation::{Payload, Said};

/// Pieces are of about this size; a larger result is a piece of its own.
const PIECE_BYTES: usize = 64 << 10;

/// An event stream on its way.
pub(super) struct Events {
    /// Gone once it has said everything.
    pub(super) operation: Option<BoxStream<'static, Said>>,
    /// Results that were not handed over yet, from this one on.
    pub(super) results: Option<(Payload, usize)>,
    pub(super) is_new: bool,
    /// Time between two comments.
    pub(super) comment: Duration,
    /// Whose stream it is, and who says whether it is let in still.
    pub(super) caller: Arc<Principal>,
    pub(super) access: Access,
    pub(super) changes: Changes,
    pub(super) clock: Clock,
    pub(super) stopping: watch::Receiver<bool>,
}

impl Events {
    /// The next piece. A stream that just ends is for its client to open again, from the last event's id.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        // Some browsers wait for a first piece before they take the stream for open.
        if std::mem::take(&mut self.is_new) {
            return Some(Bytes::from_static(event::COMMENT));
        }
        if let Some((payload, next)) = self.results.take() {
            return Some(self.piece(payload, next));
        }
        loop {
            let operation = self.operation.as_mut()?;
            let left = self.caller.accepted_until().0.saturating_sub((self.clock)().0);
            let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
            if left.is_zero() {
                return Some(self.ended("the access token has expired: connect again with a new one"));
            }
            // Asked each time: a change that came before this stream listened for them is none that it hears of.
            if !self.access.is_good(&self.caller) {
                return Some(self.ended("the access token, or its bearer, is not let in any more"));
            }
            tokio::select! {
                said = operation.next() => return said.map(|said| self.said(said)),
                () = sleep(left.min(self.comment)) => return Some(Bytes::from_static(event::COMMENT)),
                () = self.changes.changed() => {}
                () = stopped(&mut self.stopping) => return None,
            }
        }
    }

    fn said(&mut self, said: Said) -> Bytes {
        let mut out = Vec::new();
        match said {
            Said::Next(payload) => return self.piece(payload, 0),
            Said::Answered(answer) => event::next(&mut out, &answer.body, ""),
            Said::Failed(error) => event::next(&mut out, &refusal(&error), ""),
            Said::Complete => {}
        }
        event::complete(&mut out);
        self.operation = None;
        out.into()
    }

    /// Events of results from `next` on, as many as make a piece.
    fn piece(&mut self, payload: Payload, mut next: usize) -> Bytes {
        let mut out = Vec::new();
        while next < payload.len() && out.len() < PIECE_BYTES {
            event::next(&mut out, payload.result(next), &payload.cursor(next));
            next += 1;
        }
        if next < payload.len() {
            self.results = Some((payload, next));
        }
        out.into()
    }

    /// The last piece of a stream whose token is good no more. It is not complete: its client may go on with a new one.
    fn ended(&mut self, message: &str) -> Bytes {
        self.operation = None;
        let mut out = Vec::new();
        event::next(&mut out, &refusal(&GraphqlError::new(Code::Unauthenticated, message)), "");
        out.into()
    }
}

/// An execution result that is this error alone.
fn refusal(error: &GraphqlError) -> Vec<u8> {
    response::refused(std::slice::from_ref(error)).bytes
}
