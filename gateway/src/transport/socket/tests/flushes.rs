//! How often a connection writes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::connection::Connection;
use super::super::frame::Head;
use super::super::outgoing::FRAME_BYTES_MAX;
use super::{Payload, Run};

/// Takes everything, counts how often it is written to, and has nothing to read.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl AsyncRead for Counting {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Counting {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A write costs what a thousand short messages cost to make.
#[tokio::test]
async fn many_short_messages_leave_in_few_writes() {
    let io = Counting::default();
    let mut connection = Connection::new(io.clone(), 1_000).await;
    for _ in 0..1_000 {
        connection.outgoing.results(Run(1), Head::new("a"), Payload::One(vec![b'1'; 100]));
    }
    while !connection.is_idle() {
        poll_fn(|cx| connection.poll_send(cx)).await.unwrap();
    }
    let (writes, bytes) = (io.0.load(Ordering::Relaxed), 1_000 * 150);
    assert!((1..=bytes / FRAME_BYTES_MAX + 1).contains(&writes), "{writes} writes");
    connection.outgoing.text(b"alone".to_vec());
    while !connection.is_idle() {
        poll_fn(|cx| connection.poll_send(cx)).await.unwrap();
    }
    assert_eq!(io.0.load(Ordering::Relaxed), writes + 1, "what is alone does not wait for more");
}
