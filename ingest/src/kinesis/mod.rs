//! What is known of Kinesis. All of it are pure functions: whoever calls them asks Kinesis, the store and the clock.

pub mod aggregated;
pub mod record;
