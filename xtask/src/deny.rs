//! `deny`: licences, bans and sources of what we depend on, by cargo-deny and deny.toml.
//!
//! Advisories are left out: they are fetched from elsewhere than the registry.

use std::path::Path;
use std::time::Duration;

use crate::{Failure, run, workspace};

/// The version that deny.toml is written for.
const VERSION: &str = "0.20.2";
const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);
const CHECK_LIMIT: Duration = Duration::from_secs(300);

/// jsonpath-rust has the text of its licence, which is recognised, but does not name it in its manifest.
const CHECK: [&str; 7] = ["--locked", "check", "--allow", "no-license-field", "bans", "licenses", "sources"];

/// Checks, after installing cargo-deny below the target folder where that version is not there.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let tools = workspace::target(root).join("tools");
    let program = tools.join("bin/cargo-deny");
    let program = program.to_string_lossy();
    let installed = run::answer(root, &program, &["--version"]);
    if installed.is_none_or(|version| version != format!("cargo-deny {VERSION}")) {
        println!("cargo-deny {VERSION} is built first, which takes a minute or two");
        install(root, &tools)?;
    }
    run::bounded(&mut run::command(root, &program, &CHECK), CHECK_LIMIT)
}

fn install(root: &Path, tools: &Path) -> Result<(), Failure> {
    let folder = tools.to_string_lossy();
    // Unoptimized: it is built in a fraction of the time, and then runs for seconds.
    let words = ["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--root", &folder];
    let mut command = run::cargo(root, &words);
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    // Those are for our code, not for a tool's.
    command.env_remove("RUSTC_WORKSPACE_WRAPPER").env_remove("RUSTFLAGS");
    run::bounded(&mut command, INSTALL_LIMIT)
}
