//! `test`: every test, on a machine that has little more than Rust and Node.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::arguments::Arguments;
use crate::cassandra::{self, Answers, Node};
use crate::report::Report;
use crate::{Failure, compose, needs, npm, run};

/// A cold build of everything on a slow machine.
const BUILD_LIMIT: Duration = Duration::from_secs(45 * 60);
/// All tests together: those with real servers take most of it.
const TESTS_LIMIT: Duration = Duration::from_secs(20 * 60);
/// Each of the page's own checks.
const PAGE_LIMIT: Duration = Duration::from_secs(300);

/// Runs the tests and prints how long each part took; fails if any part failed.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let with_browser = !arguments.leaves_out("page");
    let mut report = Report::default();
    let mut found = None;
    let is_ready = report.step("what the tests need", || {
        found = Some(needs::ensure(root, arguments)?);
        Ok(())
    });
    if !is_ready {
        return report.finish();
    }

    let cargo = |words: &[&str]| {
        let mut command = run::cargo(root, words);
        // A binary without the page would be a test of something else.
        command.env("TIDEGATE_REQUIRE_CONSOLE", "1").env_remove("TIDEGATE_WITHOUT");
        if let Some(chromium) = found.as_ref().and_then(|found| found.chromium.as_ref()) {
            command.env("CHROMIUM", chromium);
        }
        if let Some(python) = found.as_ref().and_then(|found| found.python.as_ref()) {
            command.env("TIDEGATE_TEST_PYTHON", python);
        }
        if !arguments.left_out().is_empty() {
            command.env("TIDEGATE_WITHOUT", arguments.left_out().join(","));
        }
        command
    };
    // Goes first: it builds the page too, and so brings the packages that the page's own checks need.
    let mut build = cargo(&["test", "--workspace", "--no-run"]);
    if !report.step("build", || run::bounded(&mut build, BUILD_LIMIT)) {
        return report.finish();
    }

    if with_browser {
        report.step("packages of the browser's driver", || npm::ensure_packages(&root.join("tests/page")));
    } else {
        report.left_out("the page in a browser", "by --without page");
    }
    if !arguments.leaves_out("clients") {
        report.step("packages of live clients", || npm::ensure_packages(&root.join("tests/live")));
    }
    if !arguments.leaves_out("issuer") {
        report.step("packages of an issuer elsewhere", || npm::ensure_packages(&root.join("tests/oidc")));
    }
    for need in arguments.left_out().iter().filter(|need| !["page", "compose"].contains(&need.as_str())) {
        report.left_out(&format!("tests that need {need}"), &format!("by --without {need}"));
    }
    if arguments.filters.is_empty() {
        report.step("the page's own tests", || check_page(&root.join("console/web")));
    } else {
        report.left_out("the page's own tests", "a filter is for Rust tests");
    }
    if arguments.leaves_out("compose") {
        report.left_out("the compose file", "by --without compose");
    } else if arguments.filters.is_empty() {
        report.step("the compose file", || compose::check(root));
    } else {
        report.left_out("the compose file", "a filter is for Rust tests");
    }
    let mut node = None;
    if !arguments.leaves_out("cql") && cassandra::named().is_none() {
        let started = report.step("a CQL server", || {
            node = Some(Node::start(root, Answers::AtOnce)?);
            Ok(())
        });
        if !started {
            return report.finish();
        }
    }
    let tests = |words: &[&str]| {
        let mut command = cargo(words);
        if let Some(node) = &node {
            command.envs(node.variables());
        }
        command
    };
    report.step("tests", || run::bounded(filtered(&mut tests(&TESTS), &[], arguments), TESTS_LIMIT));
    if arguments.leaves_out("cql") {
        return report.finish();
    }
    report.step("end to end, on the CQL store", || {
        let mut again = tests(&["test", "--test", "e2e", "--no-fail-fast"]);
        again.env("TIDEGATE_TEST_STORE", "cql");
        run::bounded(filtered(&mut again, &OWN_STORE, arguments), TESTS_LIMIT)
    });
    report.finish()
}

/// All failures in one run.
const TESTS: [&str; 3] = ["test", "--workspace", "--no-fail-fast"];
/// End-to-end tests that name a store themselves, or to which it is nothing: once is enough.
const OWN_STORE: [&str; 6] = ["--skip", "e2e::cql", "--skip", "e2e::kinesis", "--skip", "e2e::issuers"];

fn filtered<'a>(command: &'a mut Command, more: &[&str], arguments: &Arguments) -> &'a mut Command {
    command.arg("--").args(more).args(&arguments.filters)
}

fn check_page(web: &Path) -> Result<(), Failure> {
    run::bounded(&mut npm::npm(web, &["run", "--silent", "check"]), PAGE_LIMIT)?;
    run::bounded(&mut npm::npm(web, &["test", "--silent"]), PAGE_LIMIT)
}
