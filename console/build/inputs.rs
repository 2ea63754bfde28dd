//! What the page is made of, and a fingerprint of it.

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Files and folders below `web/` that decide what the built page is.
pub(crate) const INPUTS: [&str; 8] = [
    "index.html",
    "src",
    "build",
    "vite.config.ts",
    "tsconfig.json",
    "package.json",
    "package-lock.json",
    ".npmrc",
];

/// Those of them that decide what `npm ci` installs.
pub(crate) const PACKAGES: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// A hash over names and contents. It changes with a new Rust at worst, which costs one build of the page.
pub(crate) fn fingerprint(web: &Path, inputs: &[&str]) -> io::Result<String> {
    let mut files = Vec::new();
    for input in inputs {
        collect(&web.join(input), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        let contents = fs::read(&file)?;
        let name = file.strip_prefix(web).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        for part in [name.as_bytes(), contents.as_slice()] {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Adds the file at `path`, or every file below the folder at `path`.
pub(crate) fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}
