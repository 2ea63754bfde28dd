//! What is known of Kinesis: what its records carry, which of a stream's shards may be consumed when, and by whom. All of it
//! are pure functions and machines: whoever calls them asks Kinesis, the store and the clock.
//!
//! ```text
//!  ListShards ──┐                                       GetRecords · SubscribeToShard
//!               ├─▶ shards ─▶ what may be consumed ─┐         │
//!  leases ──────┤                                   ▼         ▼
//!               └─▶ balance: expired? ─▶ what this worker claims, steals, gives up
//!                                                             │
//!                                                   record ─▶ Span ─▶ the consumer's core
//!                                                     └ aggregated
//! ```

pub mod aggregated;
mod api;
pub mod balance;
mod held;
#[cfg(test)]
mod histories;
pub mod lease;
mod look;
mod pace;
mod put;
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
