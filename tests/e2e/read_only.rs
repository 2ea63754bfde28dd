//! A folder that can't be written: it is named, nothing is half made, and `tidegate doctor` says the same.

use std::path::Path;
use std::process::Command;

use crate::support::{Setup, is_left_out, tidegate};

fn mount(options: &str, from: &Path, at: &Path) -> Result<(), String> {
    let done = Command::new("mount").args(["-o", options]).arg(from).arg(at).output();
    let done = done.map_err(|error| error.to_string())?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()) }
}

/// A view of a folder through which nothing can be written, by root neither.
struct ReadOnly(tempfile::TempDir);

impl ReadOnly {
    fn of(folder: &Path) -> Result<Self, String> {
        let view = tempfile::Builder::new().prefix("tidegate-view-").tempdir().unwrap();
        mount("bind", folder, view.path())?;
        let view = Self(view);
        mount("remount,bind,ro", folder, view.0.path())?;
        Ok(view)
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_folder_that_can_not_be_written_is_named() {
    if is_left_out("tmpfs", "a read-only folder") {
        return;
    }
    let mut server = Setup::empty().start();
    let client = server.client();
    client.put_record("s", "k", r#"{"n":1}"#);
    server.kill_9();
    let view = ReadOnly::of(server.folder()).unwrap_or_else(|error| {
        panic!(
            "a folder can't be mounted here ({error}): run the tests as root, or leave those that mount out by \
             TIDEGATE_WITHOUT=tmpfs"
        )
    });
    for folder in ["data", "new"] {
        let data = view.0.path().join(folder);
        let name = data.to_str().unwrap();
        let done = tidegate(server.folder(), &["--listen", "127.0.0.1:0", "--data", name], "");
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.stderr.contains(name) && done.stderr.contains("Read-only file system"), "{done:?}");
        assert!(!done.stderr.contains("panicked"), "{done:?}");
    }
    let data = view.0.path().join("data");
    let done = tidegate(server.folder(), &["doctor", "--data", data.to_str().unwrap()], "");
    assert_eq!(done.code, Some(1), "{done:?}");
    for part in ["PROBLEM  folder", "can't be written", "mounted read-only", "healthy: 1 files"] {
        assert!(done.stdout.contains(part), "no {part} in {done:?}");
    }
    drop(view);
    server.restart();
    assert_eq!(server.client().raws("s", 1), [r#"{"n":1}"#]);
}
