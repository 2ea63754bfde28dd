//! `lint`: all that can be said of the code without running it. What is quick comes first.

use std::path::Path;
use std::time::Duration;

use crate::arguments::Arguments;
use crate::report::Report;
use crate::{Failure, layers, run, tidy};

/// For the whole of one tool's work, dependencies included.
const LIMIT: Duration = Duration::from_secs(30 * 60);

const FORMAT: [&str; 3] = ["fmt", "--all", "--check"];
const CLIPPY: [&str; 6] = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
const DOCS: [&str; 3] = ["doc", "--workspace", "--no-deps"];

/// Runs every check and prints how long each took; fails if any failed.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let mut report = Report::default();
    report.step("format", || run::bounded(&mut run::cargo(root, &FORMAT), LIMIT));
    report.step("layers", || layers::run(root));
    report.step("tidy", || tidy::run(root));
    if arguments.leaves_out("clippy") {
        report.left_out("clippy", "by --without clippy");
    } else {
        report.step("clippy", || run::bounded(&mut run::cargo(root, &CLIPPY), LIMIT));
    }
    if arguments.leaves_out("docs") {
        report.left_out("docs", "by --without docs");
    } else {
        let mut docs = run::cargo(root, &DOCS);
        report.step("docs", || run::bounded(docs.env("RUSTDOCFLAGS", "-D warnings"), LIMIT));
    }
    report.finish()
}
