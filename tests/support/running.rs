//! A command that runs until it is ended, and what it prints meanwhile.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::command::bare;
use super::until;

/// A running command, ended with the test.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    folder: TempDir,
}

/// The program, with these arguments, in the folder `here`.
pub(crate) fn run(here: &Path, arguments: &[&str]) -> Running {
    let mut command = bare();
    command.args(arguments).current_dir(here).stdin(Stdio::null());
    Running::start(command)
}

impl Running {
    fn start(mut command: Command) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-e2e-").tempdir().unwrap();
        command.stdout(File::create(folder.path().join("out")).unwrap());
        command.stderr(File::create(folder.path().join("err")).unwrap());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, folder }
    }

    /// The lines that it has printed, each whole.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = read(self.folder.path().join("out"));
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(ToOwned::to_owned).collect()
    }

    /// What it has said on standard error.
    pub(crate) fn remarks(&self) -> String {
        read(self.folder.path().join("err"))
    }

    /// Waits until it has printed so many lines, and gives them.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<String> {
        until(
            &format!("{count} lines"),
            || (self.lines(), self.remarks()),
            |(lines, _)| (lines.len() >= count).then(|| lines.clone()),
        )
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

fn read(file: PathBuf) -> String {
    String::from_utf8(std::fs::read(file).unwrap()).unwrap()
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
