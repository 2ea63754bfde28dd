//! A WebSocket, and what waits to be sent on it: one thing to poll.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::close::Close;
use super::outgoing::{FRAME_BYTES_MAX, Outgoing};

/// Enough for what clients commonly say.
const READ_BUFFER_BYTES: usize = 4 << 10;
/// Most frames that are sent before something else gets its turn.
const FRAMES_AT_ONCE: usize = 32;
/// How long a goodbye may take.
pub(in crate::transport) const GOODBYE: Duration = Duration::from_secs(2);

/// What happens on a connection.
pub(super) enum Occurrence {
    /// A frame came.
    Received(Message),
    /// What came can't be read, and this is why.
    Unreadable(Close),
    /// It is closed.
    Gone,
}

/// A WebSocket with a queue.
pub(super) struct Connection<S> {
    socket: WebSocketStream<S>,
    pub(super) outgoing: Outgoing,
    /// Frames were handed over that may not have left yet.
    unflushed: bool,
    message_bytes_max: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection that was just upgraded. `message_bytes_max` is the largest message that it takes.
    pub(super) async fn new(io: S, message_bytes_max: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(FRAME_BYTES_MAX)
            .max_message_size(Some(message_bytes_max))
            .max_frame_size(Some(message_bytes_max));
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        Self { socket, outgoing: Outgoing::default(), unflushed: false, message_bytes_max }
    }

    /// Whether nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        self.outgoing.is_empty() && !self.unflushed
    }

    /// Sends some of what waits: ready once something was taken.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut socket = Pin::new(&mut self.socket);
        for sent in 0..FRAMES_AT_ONCE {
            if self.outgoing.is_empty() {
                break;
            }
            match socket.as_mut().poll_ready(cx)? {
                Poll::Ready(()) => {}
                Poll::Pending if sent == 0 => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Ok(())),
            }
            if let Some(frame) = self.outgoing.frame() {
                self.unflushed = true;
                socket.as_mut().start_send(frame)?;
            }
        }
        if !self.outgoing.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if !self.unflushed {
            return Poll::Pending;
        }
        let flushed = socket.poll_flush(cx);
        if flushed.is_ready() {
            self.unflushed = false;
        }
        flushed
    }

    /// Reads.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Occurrence> {
        Pin::new(&mut self.socket).poll_next(cx).map(|item| match item {
            None | Some(Err(Error::Io(_))) => Occurrence::Gone,
            Some(Ok(message)) => Occurrence::Received(message),
            Some(Err(Error::Capacity(_))) => Occurrence::Unreadable(Close::too_big(self.message_bytes_max)),
            Some(Err(Error::Utf8(_))) => Occurrence::Unreadable(Close::not_text()),
            // Where there is nobody any more, this is not heard.
            Some(Err(_)) => Occurrence::Unreadable(Close::not_websocket()),
        })
    }

    /// Says goodbye, and waits for the client's as long as is decent. Without a close of ours it answers the client's.
    pub(super) async fn goodbye(mut self, close: Option<Close>) {
        self.outgoing.clear();
        let farewell = async {
            if let Some(Close { code, reason }) = close {
                let frame = CloseFrame { code: code.into(), reason: reason.into() };
                self.socket.send(Message::Close(Some(frame))).await?;
            }
            while let Some(Ok(_)) = self.socket.next().await {}
            // A connection that is dropped while bytes come in is reset, and the client may not see why it was closed.
            let io = self.socket.get_mut();
            io.shutdown().await?;
            let mut ignored = [0; 1024];
            while io.read(&mut ignored).await? > 0 {}
            Ok::<_, Error>(())
        };
        // Whoever does not listen is not waited for.
        let _ = tokio::time::timeout(GOODBYE, farewell).await;
    }
}
