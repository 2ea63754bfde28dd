//! The order of system calls: a message is written to the log, the log is synced, and only then is the answer sent. A killed
//! process keeps its page cache, so no kill can show that; a trace does. It needs `strace`; `TIDEGATE_WITHOUT=strace`
//! leaves it out.

use std::path::Path;
use std::process::Command;

use crate::support::{Client, Server, Setup, is_left_out, until};

/// Calls that write, and those that make durable.
const CALLS: &str =
    "trace=write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,fdatasync,fsync,sync_file_range,msync";

/// One system call that has returned.
#[derive(Debug)]
struct Call {
    name: String,
    /// Its arguments, file descriptors with what they are of.
    arguments: String,
    result: String,
    /// The trace's line on which it began.
    began: usize,
    /// And that on which it returned.
    returned: usize,
}

/// Reads a trace of several threads, in which calls that overlap are told in two lines.
fn calls(trace: &str) -> Vec<Call> {
    let mut open: Vec<(&str, usize, String)> = Vec::new();
    let mut calls = Vec::new();
    for (number, line) in trace.lines().enumerate() {
        // Short numbers of threads are padded.
        let Some((thread, rest)) = line.trim_start().split_once(' ') else { continue };
        let Some((_time, rest)) = rest.trim_start().split_once(' ') else { continue };
        let (began, whole) = match rest.strip_suffix("<unfinished ...>") {
            Some(beginning) => {
                open.push((thread, number, beginning.trim_end().to_owned()));
                continue;
            }
            None if rest.starts_with("<... ") => {
                let Some(at) = open.iter().position(|(other, ..)| *other == thread) else { continue };
                let (_, began, beginning) = open.remove(at);
                let Some((_, end)) = rest.split_once("resumed>") else { continue };
                (began, beginning + end)
            }
            None => (number, rest.to_owned()),
        };
        let Some((name, rest)) = whole.split_once('(') else { continue };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else { continue };
        let (arguments, result) = (arguments.to_owned(), result.to_owned());
        calls.push(Call { name: name.to_owned(), arguments, result, began, returned: number });
    }
    calls
}

/// What the first argument's descriptor is of, as `-y` shows it: `7</path>` or `9<socket:[…]>`.
fn of(call: &Call) -> &str {
    let start = call.arguments.find('<').map_or(0, |at| at + 1);
    let end = call.arguments.find(">,").or_else(|| call.arguments.find(">)")).unwrap_or(call.arguments.len());
    call.arguments.get(start..end).unwrap_or_default().trim_end_matches('>')
}

fn is_log(call: &Call, data: &Path) -> bool {
    let file = Path::new(of(call));
    file.starts_with(data.join("log")) && file.extension().is_some_and(|extension| extension == "log")
}

/// Sends one message that bears `mark`.
type Send = fn(&Client, &str);

const WAYS: [(&str, Send); 5] = [
    ("PUT record", |client, mark| {
        client.put_record("s", "k", &format!(r#"{{"mark":"{mark}"}}"#));
    }),
    ("PUT records", |client, mark| {
        let body = format!(r#"{{"Records":[{{"Data":{{"mark":"{mark}"}},"PartitionKey":"k"}}]}}"#);
        client.put("/streams/s/records", body).expect(200);
    }),
    ("POST messages", |client, mark| {
        client
            .post("/streams/s/messages?key=k", "application/x-ndjson", format!(r#"{{"mark":"{mark}"}}"#))
            .expect(200);
    }),
    ("POST /data", |client, mark| {
        client.post("/data", "application/json", format!(r#"{{"mark":"{mark}"}}"#)).expect(200);
    }),
    ("publish", |client, mark| {
        let document =
            r#"mutation($data: JSON!) { publish(stream: "s", key: "k", data: $data) { position } }"#;
        let variables = serde_json::json!({ "data": { "mark": mark } });
        client.graphql_answer(document, &variables).expect(200);
    }),
];

/// Waits until nothing is written that the messages before have caused.
fn idle(server: &Server) {
    server.catch_up();
    let age = || server.metric("tidegate_ingest_checkpoint_age_seconds");
    until("a checkpoint of all of it", age, |age| (*age == 0.0).then_some(()));
}

fn has_strace() -> bool {
    Command::new("strace").arg("--version").output().is_ok_and(|done| done.status.success())
}

#[test]
fn the_sync_returns_before_the_answer_is_sent() {
    if is_left_out("strace", "the order of system calls") {
        return;
    }
    assert!(
        has_strace(),
        "strace is missing: install it by your system's packages, on Debian: `sudo apt-get install strace`, or leave this \
         test out by TIDEGATE_WITHOUT=strace"
    );
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.txt");
    let file = trace.to_str().unwrap();
    // -D: the process that is started is the server, and strace its child, so that killing the one ends both.
    let strace = ["strace", "-D", "-f", "-y", "-ttt", "-s", "2048", "-o", file, "-e", CALLS, "--"];
    let server = Setup::empty().within(&strace).start();
    let client = server.client();
    // The first of a stream writes more than itself.
    for (_, send) in WAYS {
        send(&client, "warm up");
    }
    for (n, (name, send)) in WAYS.into_iter().enumerate() {
        idle(&server);
        let mark = format!("traced-{n}");
        send(&client, &mark);
        let text = until(
            "the trace to show the answer",
            || std::fs::read_to_string(&trace).unwrap(),
            |text| {
                let (_, after) = text.split_once(&format!("{mark}\\\""))?;
                after.contains("HTTP/1.1 200").then(|| text.clone())
            },
        );
        println!("{name}: {}", check(name, &calls(&text), &mark, &server));
    }
}

/// The frame's write, then the sync of the same file, then the answer, and no answer before; gives on which lines.
fn check(name: &str, calls: &[Call], mark: &str, server: &Server) -> String {
    let data = server.data();
    let frame = calls
        .iter()
        .find(|call| is_log(call, &data) && call.name.starts_with("pwrite") && call.arguments.contains(mark))
        .unwrap_or_else(|| panic!("{name}: nothing with {mark} was written to the log"));
    assert!(!frame.result.starts_with('-'), "{name}: {frame:?}");
    let sync = calls
        .iter()
        .find(|call| {
            matches!(call.name.as_str(), "fdatasync" | "fsync")
                && call.began > frame.returned
                && of(call) == of(frame)
        })
        .unwrap_or_else(|| panic!("{name}: the log was not synced after {frame:?}"));
    assert_eq!(sync.result.trim(), "0", "{name}: {sync:?}");
    let answer = calls
        .iter()
        .find(|call| {
            call.began > frame.began
                && ["socket:", "TCP"].iter().any(|kind| of(call).starts_with(kind))
                && call.arguments.contains("HTTP/1.1 200")
        })
        .unwrap_or_else(|| panic!("{name}: no answer after {frame:?}"));
    assert!(
        answer.began > sync.returned,
        "{name}: the answer was sent before the sync had returned:\n{frame:?}\n{sync:?}\n{answer:?}"
    );
    format!(
        "{} on line {}, {} = 0 on line {}, {} of the answer on line {}",
        frame.name,
        frame.began + 1,
        sync.name,
        sync.returned + 1,
        answer.name,
        answer.began + 1
    )
}
