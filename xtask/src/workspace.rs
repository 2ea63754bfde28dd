//! The workspace's own files.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;

/// Folders that hold what is made or fetched, never what is written by hand.
const MADE: [&str; 8] =
    [".git", "target", "node_modules", "dist", "dist.new", "out", "tidegate-data", "tidegate-demo"];

/// The folder of the workspace's Cargo.toml.
pub(crate) fn root() -> Result<PathBuf, Failure> {
    let own = env::var_os("CARGO_MANIFEST_DIR").ok_or("run me through Cargo: `cargo xtask`")?;
    let root = Path::new(&own).parent().ok_or("xtask stands outside of a workspace")?;
    Ok(root.to_owned())
}

/// Where Cargo puts what it makes, and we what we fetch.
pub(crate) fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// A file's text; a failure names the file.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()).into())
}

/// Every file below `folder` that is written by hand, in the order of their names.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    collect(folder, &mut files)
        .map_err(|error| format!("the files below {} cannot be listed: {error}", folder.display()))?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        } else if entry.file_type()?.is_dir() && !MADE.iter().any(|made| name == *made) {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}
