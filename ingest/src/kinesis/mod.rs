//! What is known of Kinesis: what its records carry, and which of a stream's shards may be consumed when. All of it are pure
//! functions: whoever calls them asks Kinesis, the store and the clock.

pub mod aggregated;
pub mod lease;
pub mod record;
pub mod shards;
