//! The way in and the embedded store, together and from outside: a damaged log, and a clock that jumps.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails, and says where")]

mod clock;
mod repair;
mod rig;
