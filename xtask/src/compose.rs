//! The compose file, checked by a program in Go: Compose's own loader is a package of Go, and needs no container engine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Failure, run, workspace};

/// A first time fetches Compose's loader and what it needs, and compiles it.
const LIMIT: Duration = Duration::from_secs(600);

/// Checks the program, then by it the compose file and what that names.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let folder = folder(root);
    match run::answer(&folder, "gofmt", &["-l", "."]) {
        None => return Err("`gofmt`, which comes with Go, does not run".into()),
        Some(file) if !file.is_empty() => {
            return Err(format!("tests/compose/{file} is not as gofmt writes it").into());
        }
        Some(_) => {}
    }
    for arguments in [&["vet", "./..."][..], &["test", "./..."], &["run", "-buildvcs=false", "."]] {
        run::bounded(&mut go(&folder, arguments), LIMIT)?;
    }
    Ok(())
}

/// What is wrong with the Go on the path, and what to do; `None` also where there is none.
pub(crate) fn complaint(root: &Path) -> Result<Option<String>, Failure> {
    // Not in its folder: there a Go may stand in for another.
    let Some(found) = run::answer(root, "go", &["env", "GOVERSION"]) else { return Ok(None) };
    let module = workspace::read(&folder(root).join("go.mod"))?;
    let needed = module.lines().find_map(|line| line.strip_prefix("go ")).unwrap_or_default().trim();
    if suffices(&found, needed) {
        println!("Go {}", found.trim_start_matches("go"));
        return Ok(None);
    }
    Ok(Some(format!(
        "the Go on the path is {found}, and the check of the compose file needs {needed}: install a newer one, from \
         go.dev or by your system's packages, or leave the check out: `cargo xtask test --without compose`"
    )))
}

fn folder(root: &Path) -> PathBuf {
    root.join("tests/compose")
}

/// Go, which fetches no other Go than itself.
fn go(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = run::command(folder, "go", arguments);
    command.env("GOTOOLCHAIN", "local");
    command
}

/// Whether a Go such as `go1.24.3` is at least `1.24`.
fn suffices(found: &str, needed: &str) -> bool {
    match (numbers(found.trim_start_matches("go")), numbers(needed)) {
        (Some(found), Some(needed)) => found >= needed,
        _ => false,
    }
}

/// The first two numbers of a version; what follows, a release candidate's number say, does not count.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(|sign: char| !sign.is_ascii_digit()).map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_from_the_one_of_the_module_on_suffice() {
        for (found, needed, expect) in [
            ("go1.24", "1.24", true),
            ("go1.24.3", "1.24", true),
            ("go1.24rc1", "1.24", true),
            ("go1.26.8", "1.24.0", true),
            ("go2.0", "1.24", true),
            ("go1.23.9", "1.24", false),
            ("go1.19", "1.24", false),
            ("go1.9", "1.24", false),
            ("devel", "1.24", false),
            ("go1.24", "", false),
            ("", "1.24", false),
        ] {
            assert_eq!(suffices(found, needed), expect, "{found}, {needed}");
        }
    }
}
