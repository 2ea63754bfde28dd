//! The body of an answer, which knows when it has been taken.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};

use super::phase::Answering;

/// A body, and what ends with it.
#[derive(Debug)]
pub(super) struct Tracked {
    body: Body,
    _answering: Option<Answering>,
}

impl Tracked {
    pub(super) fn new(body: Body, answering: Option<Answering>) -> Self {
        Self { body, _answering: answering }
    }
}

impl hyper::body::Body for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
