//! A connection's socket, which fails once its client keeps it waiting: for the rest of a request's head, for the next request,
//! or for room to write an answer.
//!
//! hyper has a time-out of its own, but one for all of these: a head could take as long as a client may think.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::phase::{Phase, Stage};

/// How long a client may keep a connection waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// For the head of a request, from its first byte.
    pub(super) header: Duration,
    /// For the next request, or for room to write.
    pub(super) idle: Duration,
}

/// The socket. `P` is held for as long as it is open, even by whoever it is upgraded for.
#[derive(Debug)]
pub(super) struct Timed<S, P> {
    socket: S,
    waits: Waits,
    phase: Phase,
    /// The stage that was seen last, and since when the client has kept it waiting.
    seen: (Stage, Instant),
    /// Since when nothing could be written.
    stalled: Option<Instant>,
    reading: Alarm,
    writing: Alarm,
    _place: P,
}

impl<S, P> Timed<S, P> {
    pub(super) fn new(socket: S, waits: Waits, phase: Phase, place: P) -> Self {
        Self {
            socket,
            waits,
            seen: (phase.get(), Instant::now()),
            phase,
            stalled: None,
            reading: Alarm(None),
            writing: Alarm(None),
            _place: place,
        }
    }

    /// Fails once the client has kept the connection waiting for too long; before, sees to it that this is noticed.
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let stage = self.phase.get();
        if stage != self.seen.0 {
            self.seen = (stage, Instant::now());
        }
        let wait = match stage {
            Stage::Head => self.waits.header,
            Stage::Next => self.waits.idle,
            Stage::Answer => return Poll::Pending,
        };
        ready!(self.reading.poll(self.seen.1 + wait, cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn written<T>(&mut self, result: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            // An answer that is still being read is no idle time.
            self.seen.1 = Instant::now();
        }
        self.taken(result, cx)
    }

    /// Fails once the client has left no room for too long: for what is written, or for what TLS holds back of it.
    fn taken<T>(&mut self, result: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let since = *self.stalled.get_or_insert_with(Instant::now);
        ready!(self.writing.poll(since + self.waits.idle, cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin, P: Unpin> AsyncRead for Timed<S, P> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let result = Pin::new(&mut this.socket).poll_read(cx, buffer);
        if this.phase.get() == Stage::Next && buffer.filled().len() > before {
            this.phase.set(Stage::Head);
            this.seen = (Stage::Head, Instant::now());
        }
        if result.is_ready() { result } else { this.wait(cx) }
    }
}

impl<S: AsyncWrite + Unpin, P: Unpin> AsyncWrite for Timed<S, P> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.socket).poll_write(cx, bytes);
        this.written(result, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.socket).poll_write_vectored(cx, slices);
        this.written(result, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.socket).poll_flush(cx);
        ready!(this.taken(flushed, cx))?;
        // An answer may end here, after which hyper does not ask for more as long as there is nothing to be read.
        match this.wait(cx) {
            Poll::Ready(late) => Poll::Ready(late),
            Poll::Pending => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.socket).poll_shutdown(cx);
        this.taken(shut, cx)
    }
}

/// A timer that is made when it is first needed.
#[derive(Debug)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    fn poll(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}
