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
pub mod balance;
pub mod lease;
pub mod record;
pub mod shards;
#[cfg(test)]
mod simulation;
