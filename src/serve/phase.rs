//! Who is waited for on a connection: its client, or whoever answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// The rest of a request's head. A new connection begins with it.
    Head,
    /// The next request.
    Next,
    /// The answer to a request. Whoever answers bounds the time, that for the request's body too.
    Answer,
}

/// A connection's stage, which its socket and its service share.
#[derive(Clone, Debug)]
pub(super) struct Phase(Arc<AtomicU8>);

impl Phase {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(Stage::Head as u8)))
    }

    /// A request has come. Until what this gives is dropped, its client is not waited for.
    pub(super) fn answering(&self) -> Answering {
        self.set(Stage::Answer);
        Answering { phase: Some(self.clone()) }
    }

    pub(super) fn set(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Stage {
        match self.0.load(Ordering::Relaxed) {
            stage if stage == Stage::Head as u8 => Stage::Head,
            stage if stage == Stage::Next as u8 => Stage::Next,
            _ => Stage::Answer,
        }
    }
}

/// A request is being answered.
#[derive(Debug)]
pub(super) struct Answering {
    phase: Option<Phase>,
}

impl Answering {
    /// The connection is no longer one of requests and answers, and bounds its own waits from now on.
    pub(super) fn for_good(mut self) {
        self.phase = None;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(phase) = &self.phase {
            phase.set(Stage::Next);
        }
    }
}
