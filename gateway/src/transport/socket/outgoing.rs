//! What waits to be sent on a socket: cut into small frames, and made only when there is room for it.

use std::collections::VecDeque;

use axum::body::Bytes;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::frame::Head;
use super::output::Run;
use crate::transport::operation::Payload;

/// A longer message is sent in several frames, so that no buffer grows with it.
pub(super) const FRAME_BYTES_MAX: usize = 8 << 10;

enum Item {
    Text(Vec<u8>),
    /// Results from `next` on.
    Results {
        run: Run,
        head: Head,
        payload: Payload,
        next: usize,
    },
}

/// A queue of messages.
#[derive(Default)]
pub(super) struct Outgoing {
    items: VecDeque<Item>,
    /// Bytes of the texts among them, which a client can cause without end. Results come one operation at a time.
    text_bytes: usize,
    ping: bool,
    /// What is left of a message of which a part was sent.
    rest: Bytes,
}

impl Outgoing {
    pub(super) fn text(&mut self, text: Vec<u8>) {
        self.text_bytes += text.len();
        self.items.push_back(Item::Text(text));
    }

    /// A ping goes before everything else, even amid a message.
    pub(super) fn ping(&mut self) {
        self.ping = true;
    }

    pub(super) fn results(&mut self, run: Run, head: Head, payload: Payload) {
        if payload.len() > 0 {
            self.items.push_back(Item::Results { run, head, payload, next: 0 });
        }
    }

    /// Drops what was not begun of an operation.
    pub(super) fn forget(&mut self, stopped: Run) {
        self.items.retain(|item| !matches!(item, Item::Results { run, .. } if *run == stopped));
    }

    /// Drops everything: after a close nothing may follow.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.rest.is_empty() && !self.ping
    }

    /// Bytes of texts that wait: of everything but results.
    pub(super) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// The next frame.
    pub(super) fn frame(&mut self) -> Option<Message> {
        if std::mem::take(&mut self.ping) {
            return Some(Message::Ping(Bytes::new()));
        }
        if !self.rest.is_empty() {
            return Some(self.part(Data::Continue));
        }
        self.rest = self.message()?.into();
        Some(self.part(Data::Text))
    }

    fn part(&mut self, kind: Data) -> Message {
        let part = self.rest.split_to(self.rest.len().min(FRAME_BYTES_MAX));
        Message::Frame(Frame::message(part, OpCode::Data(kind), self.rest.is_empty()))
    }

    /// The next whole message.
    fn message(&mut self) -> Option<Vec<u8>> {
        let (text, is_last) = match self.items.front_mut()? {
            Item::Text(text) => {
                self.text_bytes -= text.len();
                (std::mem::take(text), true)
            }
            Item::Results { head, payload, next, .. } => {
                let text = head.next(payload.result(*next));
                *next += 1;
                (text, *next >= payload.len())
            }
        };
        if is_last {
            self.items.pop_front();
        }
        Some(text)
    }
}
