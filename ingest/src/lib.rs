//! Data in: from a request's bytes to rows of the store.
//!
//! ```text
//!  PUT /streams/S/record · PUT /streams/S/records · POST /streams/S/messages · POST /data      publish (GraphQL)
//!        │ a body of at most limits.body_bytes, all that are under way: limits.bodies_bytes           │
//!        ▼                                                                                            │
//!  http: unwrap, split ── groups of body_rows messages or body_bytes bytes ──▶ accept ◀───────────────┘
//!                                                                               │ I-JSON? stream? topic? may write?
//!                 refused: told at once, each by itself                         │
//!                                                                               ▼
//!                                                             queue_calls calls, queue_bytes bytes
//!                                                                               │ waits queue_wait_ms, then: busy
//!                                                                               ▼
//!  answers ◀── one write and one sync for all that waits (group_bytes) ── log: writer thread
//!                                                                               │ durable offset (watch: only the latest)
//!                                                                               ▼
//!                                          batch_rows records, batch_bytes bytes: one chunk in memory at a time
//!                                                                               │
//!                                                                               ▼
//!  consume: decode ▸ claim ids ▸ fold ▸ learn the shape ▸ rows and dead letters ▸ journal ▸ … checkpoint, trim the log
//!              16 partitions at once                                               │
//!                                                                                  └──▶ announce (a hint)
//!
//!  replay: dead letters ▸ decide ▸ the same steps, of a partition of their own
//! ```
//!
//! Read in that order: `http`, `accept` (and [`streams`](IngestSettings::create_streams)), [`log`], `consume`; where Kinesis is the log,
//! [`kinesis`] stands in the place of `log`. `start` puts
//! them together. [`Replayer`] stands by itself: it needs the store alone.
//!
//! **Invariants.** Nothing is acknowledged before it is durable in the log. What is refused is refused before the log.
//! The order of writes to the store is rows and dead letters, journal, checkpoint; each can be repeated with the same
//! result. A failing store is waited for, without limit in time and within a bound in memory.

mod accept;
mod admissible;
mod consume;
mod embedded;
mod http;
pub mod kinesis;
mod known;
pub mod log;
mod metrics;
mod replay;
mod settings;
mod start;
mod streams;
#[cfg(test)]
mod testing;

pub use consume::ConsumeError;
pub use known::repair;
pub use metrics::LogMetrics;
pub use replay::Replayer;
pub use settings::{IngestSettings, InvalidSetting};
pub use start::{Ingest, Lag, Source, StartError};
