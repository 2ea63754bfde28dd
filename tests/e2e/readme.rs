//! The README's sessions, run as a person would: what it says is what is printed.
//!
//! Blocks marked `console` hold commands behind `$ ` (`\` at a line's end continues one) and what they print. There `…`
//! stands for anything within a line, and a line of it alone for any lines.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::kinesis::Emulator;
use crate::support::{Server, Setup, finish, is_left_out, repository};

/// The README's node.
const ADDRESS: &str = "http://127.0.0.1:4000";
/// The data folder of its node that reads from Kinesis: what names it is a session of its own.
const FROM_KINESIS: &str = "./from-kinesis";
/// How that is started, which the test does itself.
const START: &str = "tidegate --config kinesis.toml --data ./from-kinesis";
/// The emulator that its settings name.
const EMULATOR: &str = "# endpoint = \"http://127.0.0.1:4568\"";
/// What is run elsewhere: the start by this test itself, the tests by whoever runs this one.
const CARGO: [&str; 2] = ["cargo run --release -- --demo", "cargo xtask test"];
/// Between the outputs of two commands.
const MARK: &str = "-- the end of a command of the README --";

#[derive(Clone, Debug)]
struct Step {
    command: String,
    expect: String,
}

/// The steps of each block.
fn blocks(text: &str) -> Vec<Vec<Step>> {
    let mut blocks: Vec<Vec<Step>> = Vec::new();
    let (mut inside, mut continued) = (false, false);
    for line in text.lines() {
        let steps = blocks.last_mut().filter(|_| inside);
        match (steps, line) {
            (None, "```console") => {
                blocks.push(Vec::new());
                inside = true;
            }
            (None, _) => {}
            (Some(_), "```") => inside = false,
            (Some(steps), _) if continued => {
                let step = steps.last_mut().expect("what is continued");
                step.command += &format!("\n{line}");
                continued = line.ends_with('\\');
            }
            (Some(steps), _) => match line.strip_prefix("$ ") {
                Some(command) => {
                    steps.push(Step { command: command.to_owned(), expect: String::new() });
                    continued = line.ends_with('\\');
                }
                None => {
                    let step = steps.last_mut().unwrap_or_else(|| panic!("{line:?} before any command"));
                    step.expect += &format!("{line}\n");
                }
            },
        }
    }
    blocks
}

/// Whether `got` is what was expected, line by line.
fn fits(expect: &[&str], got: &[&str]) -> bool {
    match expect.split_first() {
        None => got.is_empty(),
        Some((&"…", rest)) => (0..=got.len()).any(|skip| fits(rest, &got[skip..])),
        Some((first, rest)) => {
            got.split_first().is_some_and(|(line, got)| line_fits(first, line) && fits(rest, got))
        }
    }
}

fn line_fits(expect: &str, got: &str) -> bool {
    let mut parts = expect.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = got.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// The program under the name that the README calls it by, on the test's own data.
fn wrapper(server: &Server) -> String {
    let bin = server.folder().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let (program, data) = (env!("CARGO_BIN_EXE_tidegate"), server.data());
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\npublish|query|tail|token|page|streams) exec '{program}' \"$@\" --data '{}' ;;\n\
         esac\nexec '{program}' \"$@\"\n",
        data.display()
    );
    let file = bin.join("tidegate");
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    bin.display().to_string()
}

/// What each command prints, run one after the other in one shell.
fn run(commands: &[String], bin: &str, folder: &Path) -> Vec<String> {
    let mut script = format!("exec 2>&1\nexport PATH='{bin}':\"$PATH\"\n");
    for command in commands {
        script += &format!("{command}\nprintf '%s\\n' '{MARK}'\n");
    }
    let file = folder.join("session.sh");
    std::fs::write(&file, script).unwrap();
    let mut bash = Command::new("bash");
    bash.arg(file).current_dir(repository());
    let done = finish(bash, "");
    let outputs: Vec<String> = done.stdout.split(&format!("{MARK}\n")).map(str::to_owned).collect();
    assert_eq!(outputs.len(), commands.len() + 1, "the session broke off: {done:?}");
    outputs
}

/// The README.
fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).unwrap()
}

/// Runs the steps, and holds what they print against what is said of them.
fn hold(steps: &[Step], bin: &str, folder: &Path) {
    assert!(!steps.is_empty(), "the README has no session");
    let commands: Vec<String> = steps.iter().map(|step| step.command.clone()).collect();
    let outputs = run(&commands, bin, folder);
    for (Step { command, expect }, got) in steps.iter().zip(outputs) {
        let (wanted, came): (Vec<&str>, Vec<&str>) = (expect.lines().collect(), got.lines().collect());
        let fit = fits(&wanted, &came);
        assert!(fit, "$ {command}\n\nexpected:\n{}\n\ngot:\n{}\n", wanted.join("\n"), came.join("\n"));
    }
}

/// The steps of blocks, in which these texts stand for others here.
fn steps(blocks: Vec<Vec<Step>>, here: impl Fn(&str) -> String) -> Vec<Step> {
    let here = |step: Step| Step { command: here(&step.command), expect: here(&step.expect) };
    blocks.into_iter().flatten().map(here).collect()
}

fn is_of_kinesis(block: &[Step]) -> bool {
    block.iter().any(|step| step.command.contains(FROM_KINESIS))
}

#[test]
fn its_session_prints_what_it_says() {
    if is_left_out("curl", "the README's session") {
        return;
    }
    let is_cargo = |block: &Vec<Step>| block.first().is_some_and(|step| step.command.starts_with("cargo "));
    let blocks = blocks(&readme()).into_iter().filter(|block| !is_of_kinesis(block));
    let (cargo, session): (Vec<_>, Vec<_>) = blocks.partition(is_cargo);
    for step in cargo.iter().flatten() {
        assert!(CARGO.contains(&step.command.as_str()), "{} is none of {CARGO:?}", step.command);
    }
    let named: Vec<_> = cargo.iter().flatten().map(|step| step.command.as_str()).collect();
    assert!(CARGO.iter().all(|command| named.contains(command)), "{CARGO:?} are not all in {named:?}");

    let server = Setup::demo().start();
    let bin = wrapper(&server);
    let steps = steps(session, |text| {
        let text = text.replace(ADDRESS, &server.url()).replace("./target/release/tidegate", "tidegate");
        text.replace("$PWD/target/release", &bin)
    });
    hold(&steps, &bin, server.folder());
}

#[test]
fn its_session_with_kinesis_prints_what_it_says() {
    let text = readme();
    let (start, session): (Vec<_>, Vec<_>) = blocks(&text)
        .into_iter()
        .filter(|block| is_of_kinesis(block))
        .partition(|block| block.iter().any(|step| step.command == START));
    let [export, _] = start.concat().try_into().expect("credentials, and the start");
    // What a person exports.
    let exported = export.command.strip_prefix("export ").expect("credentials");
    let credentials = exported.split(' ').map(|word| word.split_once('=').expect("NAME=VALUE"));

    let emulator = Emulator::start();
    emulator.create("user-events", 2);
    let settings = text.split("```toml\n").find(|block| block.starts_with("# kinesis.toml"));
    let settings = settings.and_then(|block| block.split("```").next()).expect("its settings");
    assert!(settings.contains(EMULATOR), "{settings}");
    let settings = settings.replace(EMULATOR, &format!("endpoint = \"{}\"", emulator.endpoint()));
    let setup = credentials.fold(Setup::configured(&settings), |setup, (name, value)| setup.env(name, value));
    let server = setup.start();

    let bin = Path::new(env!("CARGO_BIN_EXE_tidegate")).parent().expect("a folder").display().to_string();
    let data = server.data().display().to_string();
    hold(&steps(session, |text| text.replace(FROM_KINESIS, &data)), &bin, server.folder());
}

#[test]
fn an_ellipsis_stands_for_anything() {
    for (expect, got, same) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a…", "abc", true),
        ("…c", "abc", true),
        ("a…c…e", "abcde", true),
        ("a…c…e", "abde", false),
        ("a…a", "a", false),
        ("a\n…\nb", "a\nx\ny\nb", true),
        ("a\n…\nb", "a\nb", true),
        ("a…b", "a\nb", false),
        ("", "a", false),
    ] {
        let lines = |text: &'static str| text.lines().collect::<Vec<_>>();
        assert_eq!(fits(&lines(expect), &lines(got)), same, "{expect:?} {got:?}");
    }
}
