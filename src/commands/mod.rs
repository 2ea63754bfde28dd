//! Commands: each talks HTTP to a node, and of a data folder reads the context file, and nothing else; `doctor` alone looks at
//! all of a folder, and at no node.

pub(crate) mod clients;
pub(crate) mod config;
pub(crate) mod dead_letters;
pub(crate) mod doctor;
pub(crate) mod issuer;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod page;
pub(crate) mod publish;
pub(crate) mod query;
pub(crate) mod ready;
pub(crate) mod revoke;
pub(crate) mod streams;
pub(crate) mod tail;
pub(crate) mod token;

mod node;
mod trust;

use std::error::Error;
use std::io::Write;

/// Why a command failed, for whoever typed it.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Prints a failure and its causes on standard error.
pub(crate) fn complain(failure: &Failure) {
    let mut text = format!("tidegate: {failure}");
    let mut cause = failure.source();
    while let Some(error) = cause {
        text += &format!(": {}", error.to_string().trim_end());
        cause = error.source();
    }
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints a result on standard output.
fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Runs one command's requests.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
