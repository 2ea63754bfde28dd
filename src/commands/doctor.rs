//! `tidegate doctor`: says whether a data folder is well, and if not, what that means and what to do.
//!
//! It talks to no node, and reads the folder itself. Without `--repair` nothing is changed that a start would not change:
//! opening the store replays the store's own write-ahead log. A store on CQL is asked over the network, and needs no folder
//! to be looked at.

mod checks;
mod cql;
mod repair;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::node::newest_first;
use super::{Failure, block_on, say};
use crate::cli::DoctorArgs;
use crate::config::{Config, load};

/// What was found, line by line.
#[derive(Debug, Default)]
struct Report {
    text: String,
    problems: usize,
}

impl Report {
    fn fine(&mut self, what: &str, how: &str) {
        self.line("ok", what, how);
    }

    /// Something is wrong, which means something, and asks for something.
    fn problem(&mut self, what: &str, how: &str, means: &str, remedy: &str) {
        self.problems += 1;
        self.line("PROBLEM", what, how);
        self.line("", "means", means);
        self.line("", "do", remedy);
    }

    fn line(&mut self, verdict: &str, what: &str, text: &str) {
        let _ = writeln!(self.text, "  {verdict:<8} {what:<8} {text}");
    }
}

/// Looks at the folder, and with `--repair` mends it first.
pub(crate) fn run(args: &DoctorArgs, config: Option<&Path>) -> Result<(), Failure> {
    let config = load(config, std::env::vars())?;
    let data = folder(args, &config);
    if !data.is_dir() && (args.repair || config.store.is_embedded()) {
        return Err(format!(
            "there is no data folder at {}: a node makes it at its first start; name another by --data",
            data.display()
        )
        .into());
    }
    if args.repair {
        say(&block_on(repair::run(&data, &config))?)?;
    }
    let mut report = Report { text: format!("\n{}\n\n", data.display()), problems: 0 };
    block_on(checks::run(&data, &config, &mut report))?;
    say(&report.text)?;
    match report.problems {
        0 => say("  It is well.\n"),
        1 => Err("1 problem was found".into()),
        several => Err(format!("{several} problems were found").into()),
    }
}

/// The folder that is meant: by `--data`, or the one that ran last of those that a node takes by itself.
fn folder(args: &DoctorArgs, config: &Config) -> PathBuf {
    let asked = args.data.clone();
    asked.unwrap_or_else(|| {
        let [first, ..] = &newest_first([config.server.data.clone(), crate::demo::DATA.into()])[..] else {
            return config.server.data.clone();
        };
        first.clone()
    })
}
