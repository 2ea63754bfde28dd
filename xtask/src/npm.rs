//! Node and npm: whether they will do, and the packages that they bring.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{Failure, run};

const HOW: &str = "install Node 20.19 or later, or 22.12 or later, with npm: from nodejs.org, or by your \
                   system's packages";
/// Fetching packages over a slow line.
const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// npm, in `folder`.
pub(crate) fn npm(folder: &Path, arguments: &[&str]) -> Command {
    run::command(folder, program(), arguments)
}

/// What is wrong with the Node and npm on the path, and how to get better ones.
pub(crate) fn complaint(root: &Path) -> Option<String> {
    let Some(version) = run::answer(root, "node", &["--version"]) else {
        return Some(format!("Node is not on the path: {HOW}"));
    };
    if !suffices(&version) {
        return Some(format!("Node {version} is too old: {HOW}"));
    }
    let Some(npm) = run::answer(root, program(), &["--version"]) else {
        return Some(format!("npm is not on the path: {HOW}"));
    };
    println!("Node {version}, npm {npm}");
    None
}

/// Installs what the lock file in `folder` names, unless it is there already.
pub(crate) fn ensure_packages(folder: &Path) -> Result<(), Failure> {
    let changed = |name: &str| fs::metadata(folder.join(name)).and_then(|file| file.modified());
    // npm writes the second file last of all.
    let is_current = match (changed("package-lock.json"), changed("node_modules/.package-lock.json")) {
        (Ok(asked), Ok(installed)) => installed >= asked,
        _ => false,
    };
    if is_current {
        println!("the packages are there");
        return Ok(());
    }
    run::bounded(&mut npm(folder, &["ci", "--ignore-scripts", "--loglevel=error"]), INSTALL_LIMIT)
}

/// The range that the page's bundler asks for.
fn suffices(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(|number| number.parse::<u32>().ok());
    let (Some(Some(major)), Some(Some(minor))) = (numbers.next(), numbers.next()) else { return false };
    matches!((major, minor), (20, 19..) | (22, 12..) | (23.., _))
}

fn program() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_bundle_the_page_suffice() {
        for (version, expect) in [
            ("v20.19.0", true),
            ("v20.18.3", false),
            ("v21.7.0", false),
            ("v22.11.0", false),
            ("v22.12.0", true),
            ("v24.0.1", true),
            ("v18.20.4", false),
            ("", false),
        ] {
            assert_eq!(suffices(version), expect, "{version}");
        }
    }
}
