//! Kinesis as the log: what is known of it as pure functions and machines, and the shell around them.
//!
//! ```text
//!  put ◀── accept                            api: the only place that knows Kinesis's client
//!   │ those of one key one after another      │
//!   ▼                                         ▼
//!  Kinesis ─── ListShards ──▶ look ─▶ shards: what may be registered, consumed ─┐
//!     │                        ▲                                                ▼
//!     │        leases ─────────┘        balance: what this worker claims, steals, gives up
//!     │           ▲ held: renewals                                              ▼
//!     │           └──────────────────────────────── worker: a run for each shard that it has
//!     │                                                                         │
//!     └─ GetRecords ──▶ reader ── one piece ahead ──▶ run ─▶ record ─▶ Span ─▶ the consumer's core, checkpoints
//!                                                              └ aggregated
//! ```

pub mod aggregated;
mod api;
pub mod balance;
mod board;
mod held;
#[cfg(test)]
mod histories;
mod look;
mod metrics;
mod pace;
mod put;
mod rate;
mod reader;
pub mod record;
mod retained;
mod run;
mod running;
mod settings;
pub mod shards;
#[cfg(test)]
mod simulation;
mod status;
mod worker;

pub use running::KinesisSource;
pub(crate) use running::Running;
pub use settings::{KinesisSettings, Start};
