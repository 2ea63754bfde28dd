//! What the tests stand on: servers, clients, commands, and patience.

mod client;
mod command;
mod consumer;
pub(crate) mod cql;
pub(crate) mod http;
pub(crate) mod kinesis;
mod memory;
mod npm;
mod oidc;
pub(crate) mod relay;
mod running;
mod server;
mod socket;
pub(crate) mod store;
pub(crate) mod tls;
mod turns;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) use client::{Client, ask_for_token};
pub(crate) use command::{Done, bare, finish, lines, tidegate};
pub(crate) use memory::MEMORY_MAX;
pub(crate) use npm::{converse, ensure_packages};
pub(crate) use oidc::{Issuer, SECRET as ISSUER_SECRET};
pub(crate) use running::{Running, run};
pub(crate) use server::{Server, Setup};
pub(crate) use socket::{End as SocketEnd, Socket};
pub(crate) use turns::Turns;

/// How long anything may take before the test gives up on it. Never how long it should take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether `TIDEGATE_WITHOUT` names what a test needs; then says that the test is left out, and what it is of.
pub(crate) fn is_left_out(need: &str, what: &str) -> bool {
    let without = std::env::var("TIDEGATE_WITHOUT").unwrap_or_default();
    let is_named = without.split([',', ' ']).any(|name| name == need);
    if is_named {
        // Past the harness, which keeps what tests that pass print to itself.
        let _ = writeln!(std::io::stderr(), "\nLEFT OUT: {what}, by TIDEGATE_WITHOUT={without}\n");
    }
    is_named
}

/// A sample payload, as producers send it.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    let path: PathBuf = repository().join("tests/samples").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Asks until `found` finds something in the answer, and gives that; fails with the last answer.
pub(crate) fn until<A: std::fmt::Debug, T>(
    what: &str,
    mut ask: impl FnMut() -> A,
    found: impl Fn(&A) -> Option<T>,
) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        if let Some(found) = found(&answer) {
            return found;
        }
        // The head of it: some answers are whole pages.
        assert!(
            Instant::now() < end,
            "waited {PATIENCE:?} for {what}; the last answer: {:.3000}",
            format!("{answer:?}")
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
