//! `cargo xtask`: the one entry point for Tidegate's checks, on a developer's machine and in CI.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command's output is what it is for")]

mod arguments;
mod cassandra;
mod compose;
mod deny;
mod layers;
mod lint;
mod mount;
mod needs;
mod npm;
mod processes;
mod python;
mod report;
mod run;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;
use std::{env, error};

use arguments::Arguments;
use cassandra::Answers;

/// What went wrong, in words for the person who ran the command.
type Failure = Box<dyn error::Error>;

const HELP: &str = "\
The one entry point for Tidegate's checks.

Usage: cargo xtask <COMMAND>

Commands:
  test [FILTER…]   Run every test, on a machine that has Rust, Node and npm; what else they need is
                   installed first where that can be done, or named. A FILTER runs only the Rust tests
                   whose names contain it
      --without NEED   leave out the tests that need it; may be given several times:
                         page     Chromium, which opens the page
                         clients  packages from npm: the clients that follow streams
                         issuer   a package from npm: an issuer elsewhere, whose tokens are accepted
                         cql      a CQL server: Cassandra, which needs Java and Maven, is fetched and
                                  started, unless TIDEGATE_TEST_CQL=HOST:PORT names another
                         boto3    a Python with boto3, which is installed: the producer in the tests of Kinesis
                         compose  Go, in which the check of the compose file is written
                         curl     which the README's session calls
                         strace   which shows the sync before the answer
                         tmpfs    the right to mount, for a full disk and for one that is read-only
  cql              Start a CQL server as the tests have one, for trying things; it ends with Ctrl-C. One that
                   is killed is started again, with all that it has acknowledged
      --without sync     let it acknowledge before it writes to disk, as for benches
  lint             Format, layers, tidiness, clippy and documentation; warnings are errors
      --without clippy   leave out clippy; `--without docs` leaves out the documentation
  layers           Fail when a dependency between folders runs back up:
                   schema < store < access < { ingest, gateway } < src
  tidy             Fail on long files, files without a heading, marks of unfinished work, stray spaces
  deny             Check licences, banned crates and sources against deny.toml (installs cargo-deny)
  help             Print this

Examples:
  cargo xtask test                  everything, as CI does
  cargo xtask test --without page   everything but the browser
  cargo xtask test --without tmpfs  everything that needs no rights of root
  TIDEGATE_TEST_CQL=127.0.0.1:9042 cargo xtask test scylla
                                    the CQL store's tests, on a server that is there
  cargo xtask test cursor           the Rust tests about cursors
  cargo xtask lint                  before you hand in a change";

fn main() -> ExitCode {
    let mut words = env::args().skip(1);
    let command = words.next().unwrap_or_default();
    match dispatch(&command, words.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &str, words: Vec<String>) -> Result<(), Failure> {
    let asks_for_help = |word: &String| word == "--help" || word == "-h";
    if matches!(command, "" | "help" | "--help" | "-h") || words.iter().any(asks_for_help) {
        println!("{HELP}");
        return Ok(());
    }
    let parts: &[&str] = match command {
        "test" => &needs::NAMES,
        "lint" => &["clippy", "docs"],
        "cql" => &["sync"],
        "layers" | "tidy" | "deny" => &[],
        _ => return Err(format!("there is no command `{command}`; `cargo xtask help` lists them").into()),
    };
    let arguments = Arguments::parse(command, words, parts)?;
    if command != "test" {
        arguments.refuse_filters(command)?;
    }
    let root = workspace::root()?;
    match command {
        "test" => test::run(&root, &arguments),
        "cql" if arguments.leaves_out("sync") => cassandra::run(&root, Answers::AtOnce),
        "cql" => cassandra::run(&root, Answers::WhenSynced),
        "lint" => lint::run(&root, &arguments),
        "layers" => layers::run(&root),
        "tidy" => tidy::run(&root),
        _ => deny::run(&root),
    }
}
