//! Live: readers that follow a stream from any place in it, and never skip or repeat.
//!
//! ```text
//!  store ── journal ──▶ hub: one follower a stream ──▶ ring (ring_bytes for all streams)
//!  ingest ── announce ──▲                                │ rows in one order, each with the places before and behind it
//!                                                        ▼
//!  history, by time up to a fence ──▶ the journal ──▶ reader: history ▸ behind ▸ live ──▶ execute::subscribe
//! ```
//!
//! A reader is a place in each partition ([`schema::Places`]). It takes what comes next from the ring, else from the
//! journal, else it waits. So a slow one costs nobody: the ring goes on without it, and the journal has the rest.
//!
//! Readers at the same place of the ring stand at the same places in all partitions: what is executed for one of them is
//! kept beside the row, for all who ask for the same.
//!
//! **Invariants.** Announcements are hints: a row is taken only if it follows what is known, and the journal is asked every
//! `poll_ms` for what nobody announced. What is gone is told, as a gap. A place moves only past what was consumed.

mod deliveries;
#[cfg(test)]
mod forgotten;
#[cfg(test)]
mod histories;
mod history;
mod hub;
mod lineage;
mod memo;
mod reader;
mod ring;
mod row;
mod seats;
mod selection;

pub(crate) use deliveries::{Deliveries, Mark};
pub(crate) use history::History;
pub use hub::Hub;
pub(crate) use hub::checkpoints;
pub(crate) use memo::{Memo, MemoKey};
pub(crate) use reader::{Piece, Reader, Source};
pub(crate) use row::Row;
pub(crate) use selection::Selection;
