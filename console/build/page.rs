//! One build of the page, kept for as long as its sources stay the same.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::{inputs, node};

/// Why there is no page.
pub(crate) struct Missing {
    /// What is missing and how to get it, in one line.
    pub(crate) text: String,
    /// What the failed command wrote first.
    pub(crate) output: Vec<String>,
}

impl Missing {
    fn new(what: &str, output: Vec<String>) -> Self {
        let text = format!(
            "the page was not built: {what}. Install Node 20.19 or later (or 22.12 or later) with npm, \
             then run `TIDEGATE_REQUIRE_CONSOLE=1 cargo build --release`"
        );
        Self { text, output }
    }
}

/// Where a finished page stands.
pub(crate) fn dist(web: &Path) -> PathBuf {
    web.join("dist")
}

/// Waits until no other build script works on the page. The lock goes with the file, also after a crash.
pub(crate) fn lock(web: &Path) -> io::Result<File> {
    let file = File::create(web.join(".build.lock"))?;
    file.lock()?;
    Ok(file)
}

/// Builds the page unless it stands there already. The caller holds the lock.
pub(crate) fn build(web: &Path) -> io::Result<Option<Missing>> {
    let fingerprint = inputs::fingerprint(web, &inputs::INPUTS)?;
    let dist = dist(web);
    if has_stamp(&dist, &fingerprint) {
        return Ok(None);
    }
    if let Some(complaint) = node::complaint() {
        return Ok(Some(Missing::new(&complaint, Vec::new())));
    }

    let packages = inputs::fingerprint(web, &inputs::PACKAGES)?;
    let modules = web.join("node_modules");
    if !has_stamp(&modules, &packages) {
        let install = ["ci", "--ignore-scripts", "--loglevel=error"];
        if let Err(output) = node::run_npm(web, &install) {
            return Ok(Some(Missing::new("`npm ci` in console/web failed", output)));
        }
        fs::write(stamp(&modules), packages)?;
    }

    let fresh = web.join("dist.new");
    let bundle = ["run", "--silent", "build", "--", "--outDir", "dist.new", "--emptyOutDir"];
    if let Err(output) = node::run_npm(web, &bundle) {
        return Ok(Some(Missing::new("`npm run build` in console/web failed", output)));
    }
    fs::write(stamp(&fresh), fingerprint)?;
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::rename(&fresh, &dist)?;
    Ok(None)
}

/// Whether a folder was finished from the inputs with this fingerprint.
fn has_stamp(folder: &Path, fingerprint: &str) -> bool {
    fs::read_to_string(stamp(folder)).is_ok_and(|stamped| stamped == fingerprint)
}

fn stamp(folder: &Path) -> PathBuf {
    folder.join(".tidegate-inputs")
}
