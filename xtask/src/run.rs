//! Commands with a limit on their time.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::{Failure, processes};

/// Between two looks at a running command.
const POLL: Duration = Duration::from_millis(50);

/// Cargo, at the root of the workspace: the one that runs us.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    command(root, &env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
}

/// A program, in `folder`, with nothing to read.
pub(crate) fn command(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs a command and shows what it prints. Beyond `limit` it is ended, with all that it started.
pub(crate) fn bounded(command: &mut Command, limit: Duration) -> Result<(), Failure> {
    let line = spelled(command);
    println!("$ {line}");
    let mut child = command.spawn().map_err(|error| format!("`{line}` does not start: {error}"))?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return if status.success() { Ok(()) } else { Err(format!("`{line}` failed ({status})").into()) };
        }
        if started.elapsed() > limit {
            end(&mut child);
            return Err(format!("`{line}` took longer than {} s and was ended", limit.as_secs()).into());
        }
        thread::sleep(POLL);
    }
}

/// The first line that a short command prints, if it succeeds.
pub(crate) fn answer(folder: &Path, program: &str, arguments: &[&str]) -> Option<String> {
    let output = command(folder, program, arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

fn end(child: &mut Child) {
    processes::end_with_descendants(child.id());
    // Where processes cannot be listed, at least the command itself goes.
    let _ = child.kill();
    let _ = child.wait();
}

fn spelled(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, limit: Duration, expect: Result<(), &str>) {
        let found = bounded(&mut command(Path::new("."), "sh", &["-c", script]), limit);
        assert_eq!(found.map_err(|failure| failure.to_string()), expect.map_err(str::to_owned));
    }

    #[test]
    fn a_command_succeeds_fails_or_overruns() {
        check("true", Duration::from_secs(60), Ok(()));
        check("exit 3", Duration::from_secs(60), Err("`sh -c exit 3` failed (exit status: 3)"));
        check("sleep 60", Duration::ZERO, Err("`sh -c sleep 60` took longer than 0 s and was ended"));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let mut missing = command(Path::new("."), "tidegate-no-such-program", &[]);
        let failure =
            bounded(&mut missing, Duration::from_secs(60)).expect_err("it cannot start").to_string();
        assert!(failure.starts_with("`tidegate-no-such-program` does not start: "), "{failure}");
    }
}
