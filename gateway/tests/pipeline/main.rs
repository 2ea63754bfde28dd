//! The query pipeline over a real embedded store, without a socket.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod control;
mod credentials;
mod documents;
mod pages;
mod rig;
mod rights;
mod selections;
mod subscriptions;
