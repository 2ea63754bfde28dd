//! Scripts for Node, with packages from npm, that talk with the test.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};

use super::{PATIENCE, finish, lines};

/// Sees to it that the packages of `folder` are there. `need` is the name by which what needs them can be left out.
pub(crate) fn ensure_packages(folder: &Path, need: &str) {
    // One at a time: tests that run beside one another share a folder.
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    for program in ["node", "npm"] {
        let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        assert!(
            found.is_ok_and(|status| status.success()),
            "{program} is not on the path: install Node 20 or later with npm, or leave this test out by \
             TIDEGATE_WITHOUT={need}"
        );
    }
    // npm writes it last of all.
    if !folder.join("node_modules/.package-lock.json").exists() {
        let mut install = Command::new("npm");
        install.args(["ci", "--ignore-scripts"]).current_dir(folder);
        let done = finish(install, "");
        assert_eq!(done.code, Some(0), "npm ci: {}\n{}", done.stdout, done.stderr);
    }
}

/// Runs a script to its end. A line that begins with `? ` is a question, and is answered by a line.
#[expect(clippy::print_stdout, reason = "the script's steps are the test's")]
pub(crate) fn converse(mut script: Command, mut answer: impl FnMut(&str) -> String) {
    script.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = Ended(script.spawn().unwrap_or_else(|error| panic!("{script:?}: {error}")));
    let (mut stdin, stdout) = (child.0.stdin.take().unwrap(), child.0.stdout.take().unwrap());
    let said = lines(stdout);
    loop {
        // A script has patience of its own, and says what it waited for in vain.
        match said.recv_timeout(PATIENCE * 2) {
            Ok(line) => match line.strip_prefix("? ") {
                Some(question) => writeln!(stdin, "{}", answer(question)).unwrap(),
                None => println!("{line}"),
            },
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("{script:?} says nothing"),
        }
    }
    let status = child.0.wait().unwrap();
    assert!(status.success(), "{script:?}: {status}");
}

/// A process that does not outlive the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
