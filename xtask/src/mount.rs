//! Whether file systems can be mounted, as the tests of a full disk and of one that is read-only do.

use std::path::Path;
use std::{env, fs, process};

use crate::run;

/// What to do where it is not allowed.
pub(crate) const ADVICE: &str = "file systems in memory can't be mounted here, which tests of a full disk do: run this as root, or \
     leave them out: `cargo xtask test --without tmpfs`";

/// Tries it.
pub(crate) fn is_allowed(root: &Path) -> bool {
    let folder = env::temp_dir().join(format!("tidegate-xtask-{}", process::id()));
    if fs::create_dir(&folder).is_err() {
        return false;
    }
    let at = folder.to_string_lossy();
    let mounted = run::answer(root, "mount", &["-t", "tmpfs", "-o", "size=64k", "tidegate-test", &at]);
    if mounted.is_some() {
        run::answer(root, "umount", &[&at]);
    }
    let _ = fs::remove_dir(&folder);
    mounted.is_some()
}
