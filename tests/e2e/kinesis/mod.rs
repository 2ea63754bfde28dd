//! Nodes whose log is Kinesis: an emulator in the process of the tests, and boto3 as the producer.
//!
//! Faults last some seconds, and kills are few, so that all of it stays short; `TIDEGATE_FAULT_SECONDS=60` and
//! `TIDEGATE_KILLS=50` ask for more of both.

mod changes;
mod check;
mod cluster;
mod emulator;
mod faults;
mod http_in;
mod kills;
mod retention;
mod sharing;
mod single;
mod starting;
mod watch;
mod workers;

use std::time::Duration;

/// How long a fault lasts: so many seconds, unless more is asked for.
fn lasting(seconds: u64) -> Duration {
    Duration::from_secs(asked("TIDEGATE_FAULT_SECONDS").unwrap_or(seconds))
}

/// The number in a variable.
fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
