//! The program as a person calls it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc;

use super::{PATIENCE, cql, store};

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Done {
    /// Its exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program, unimpressed by settings that whoever runs the tests has made.
pub(crate) fn bare() -> Command {
    bare_within(&[])
}

/// As [`bare`], run by another program, given with its arguments; empty: by none.
pub(crate) fn bare_within(program: &[String]) -> Command {
    let words: Vec<&str> =
        program.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_tidegate")]).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TIDEGATE_") && name != cql::PASSWORD {
            command.env_remove(name);
        }
    }
    command
}

/// What a process prints, line by line, as it comes.
pub(crate) fn lines(out: ChildStdout) -> mpsc::Receiver<String> {
    let (say, said) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let _ = say.send(line);
        }
    });
    said
}

/// Runs the program in the folder `here` with `stdin`; the data folder of a node of the tests goes with that node's store.
pub(crate) fn tidegate(here: &Path, arguments: &[&str], stdin: &str) -> Done {
    let mut command = bare();
    command.args(arguments).current_dir(here);
    if let Some(at) = arguments.iter().position(|&word| word == "--data") {
        let data = arguments.get(at + 1).map(|data| here.join(data));
        command.envs(data.map(|data| store::known(&data)).unwrap_or_default());
    }
    finish(command, stdin)
}

/// Runs a command to its end, for which the tests' patience is the limit.
pub(crate) fn finish(mut command: Command, stdin: &str) -> Done {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let id = child.id().to_string();
    let mut input = child.stdin.take().expect("it is piped");
    // Who does not want it has closed it.
    let _ = input.write_all(stdin.as_bytes());
    drop(input);
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    let Ok(output) = ended.recv_timeout(PATIENCE * 5) else {
        let _ = Command::new("sh").args(["-c", "kill -KILL \"$0\"", &id]).status();
        panic!("{command:?} did not end");
    };
    let output = output.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Done { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}
