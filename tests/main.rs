//! End to end: real servers, each a process of its own on a free port with a folder of its own, spoken to over sockets
//! and by the commands. `cargo test --test e2e -- restart` runs one module.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails, and says where")]

mod e2e;
mod support;
