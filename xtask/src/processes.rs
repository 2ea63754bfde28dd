//! Ending a command together with what it started: a test binary has servers, a server has threads, a
//! browser has renderers, and none of them may outlive a test run that took too long.

use std::fs;
use std::process::Command;

/// A process and its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
}

/// Ends the process `id` and all below it, each by its own number. Does nothing where there is no `/proc`.
pub(crate) fn end_with_descendants(id: u32) {
    let doomed = descendants(&processes(), id);
    if doomed.is_empty() {
        return;
    }
    // The shell's own `kill`: a slim machine has no other.
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -KILL \"$@\" 2>/dev/null", "kill"]).args(doomed.iter().map(u32::to_string));
    let _ = kill.status();
}

fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| parse(&fs::read_to_string(entry.path().join("stat")).ok()?)).collect()
}

/// Reads `id (name) state parent …`; a name may hold spaces and parentheses.
fn parse(stat: &str) -> Option<Process> {
    let (id, _) = stat.split_once(' ')?;
    let (_, rest) = stat.rsplit_once(')')?;
    let parent = rest.split_whitespace().nth(1)?;
    Some(Process { id: id.parse().ok()?, parent: parent.parse().ok()? })
}

/// `root` and all below it, parents first, so that none is left to start another; empty where it has gone.
fn descendants(processes: &[Process], root: u32) -> Vec<u32> {
    let mut found: Vec<u32> =
        processes.iter().filter(|process| process.id == root).map(|root| root.id).collect();
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        let children = processes.iter().filter(|process| process.parent == parent && process.id != parent);
        found.extend(children.map(|child| child.id));
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_line_is_read_whatever_its_name() {
        check("42 (cargo) S 7 42 7 0 -1", Some(Process { id: 42, parent: 7 }));
        check("42 (a) b (c) R 7 42 7", Some(Process { id: 42, parent: 7 }));
        check("", None);
        check("42 (cargo)", None);

        #[track_caller]
        fn check(stat: &str, expect: Option<Process>) {
            assert_eq!(parse(stat), expect);
        }
    }

    #[test]
    fn descendants_are_all_below_and_nothing_beside() {
        let tree = [(1, 0), (10, 1), (11, 10), (12, 11), (13, 10), (20, 1)];
        let tree = tree.map(|(id, parent)| Process { id, parent });
        assert_eq!(descendants(&tree, 10), [10, 11, 13, 12]);
        assert_eq!(descendants(&tree, 12), [12]);
        assert_eq!(descendants(&tree, 99), [0_u32; 0]);
    }

    /// The shell is ended, and with it the `sleep` that it waits for.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_command_started_ends_with_it() {
        use std::io::{BufRead as _, BufReader};
        use std::process::Stdio;
        use std::thread;
        use std::time::{Duration, Instant};

        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 60 & echo $!; wait"]).stdout(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let sleep: u32 = line.trim().parse().unwrap();

        end_with_descendants(shell.id());
        assert!(!shell.wait().unwrap().success());
        // A signal takes a moment to arrive, and the system another to collect what has ended.
        let is_gone = || {
            let stat = fs::read_to_string(format!("/proc/{sleep}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        let started = Instant::now();
        while !is_gone() {
            assert!(started.elapsed() < Duration::from_secs(10), "{sleep} lives on");
            thread::sleep(Duration::from_millis(5));
        }
    }
}
