//! Node and npm: whether they will do, and how they are run.

use std::path::Path;
use std::process::Command;

/// How many lines of a failed command are shown: the first ones say what went wrong.
const LINES_SHOWN: usize = 6;

/// What is wrong with the Node on the path, if anything.
pub(crate) fn complaint() -> Option<String> {
    let Ok(output) = Command::new("node").arg("--version").output() else {
        return Some("Node is not on the path".to_owned());
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !suffices(&version) {
        return Some(format!("Node {version} is too old"));
    }
    Command::new(npm()).arg("--version").output().err().map(|_| "npm is not on the path".to_owned())
}

/// Runs npm quietly; `Err` holds the first lines of what it wrote.
pub(crate) fn run_npm(web: &Path, arguments: &[&str]) -> Result<(), Vec<String>> {
    let output = match Command::new(npm()).args(arguments).current_dir(web).output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => [output.stderr, output.stdout].concat(),
        Err(error) => error.to_string().into_bytes(),
    };
    let text = String::from_utf8_lossy(&output);
    Err(text.lines().filter(|line| !line.trim().is_empty()).take(LINES_SHOWN).map(str::to_owned).collect())
}

/// The range that the page's bundler asks for.
fn suffices(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(|number| number.parse::<u32>().ok());
    let (Some(Some(major)), Some(Some(minor))) = (numbers.next(), numbers.next()) else { return false };
    matches!((major, minor), (20, 19..) | (22, 12..) | (23.., _))
}

fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}
