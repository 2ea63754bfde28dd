//! A Python with boto3, which is the producer in the tests of Kinesis.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Failure, run, workspace};

/// As Debian calls what makes an environment of one's own: Python comes with it.
pub(crate) const PACKAGE: &str = "python3-venv";

/// Fetching packages over a slow line.
const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// A Python that has boto3: the one that `TIDEGATE_TEST_PYTHON` names, or the system's, or that of our own environment.
pub(crate) fn find(root: &Path) -> Option<PathBuf> {
    let candidates = asked().map_or_else(|| vec![PathBuf::from("python3"), own(root)], |asked| vec![asked]);
    candidates.into_iter().find(|python| has(root, python, "boto3"))
}

/// Whether there is one, or an environment can be made.
pub(crate) fn can_be(root: &Path) -> bool {
    asked().is_some() || find(root).is_some() || has(root, Path::new("python3"), "venv, ensurepip")
}

/// Finds one, else makes an environment and installs boto3 into it.
pub(crate) fn ensure(root: &Path) -> Result<PathBuf, Failure> {
    if let Some(python) = find(root) {
        println!("Python with boto3: {}", python.display());
        return Ok(python);
    }
    if let Some(asked) = asked() {
        return Err(format!("TIDEGATE_TEST_PYTHON names {}, which has no boto3", asked.display()).into());
    }
    let folder = folder(root).to_string_lossy().into_owned();
    let own = own(root);
    run::bounded(&mut run::command(root, "python3", &["-m", "venv", "--clear", &folder]), INSTALL_LIMIT)?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        "tests/kinesis/requirements.txt",
    ];
    run::bounded(&mut run::command(root, &own.to_string_lossy(), &install), INSTALL_LIMIT)?;
    find(root).ok_or_else(|| "boto3 was installed, but Python does not find it".into())
}

fn asked() -> Option<PathBuf> {
    env::var_os("TIDEGATE_TEST_PYTHON").filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn has(root: &Path, python: &Path, modules: &str) -> bool {
    let script = format!("import {modules}; print('yes')");
    run::answer(root, &python.to_string_lossy(), &["-c", &script]).is_some_and(|answer| answer == "yes")
}

fn own(root: &Path) -> PathBuf {
    folder(root).join("bin/python")
}

fn folder(root: &Path) -> PathBuf {
    workspace::target(root).join("tools/python")
}
