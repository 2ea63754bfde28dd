//! `tidegate tail`: what it prints, and how it ends.

mod cuts;

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Client, Running, Server, Setup, finish, run, tidegate, until};

/// Tails of the stream `s`, with these arguments.
fn tail(server: &Server, arguments: &[&str]) -> Running {
    let data = server.data().display().to_string();
    run(server.folder(), &[&["tail", "s", "--data", &data], arguments].concat())
}

fn publish(client: &Client, topic: &str, numbers: impl Iterator<Item = u64>) {
    let lines: Vec<String> = numbers.map(|n| format!(r#"{{"n": {n}, "of": {{"x": "ü{n}"}}}}"#)).collect();
    let path = format!("/streams/s/messages?key={topic}");
    client.post(&path, "application/x-ndjson", lines.join("\n")).expect(200);
}

/// The numbers of lines that have messages as they were sent.
fn numbers(lines: &[String]) -> Vec<u64> {
    let number = |line: &String| {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        line["data"]["n"].as_u64().unwrap_or_else(|| panic!("{line}"))
    };
    lines.iter().map(number).collect()
}

/// Waits until a tail that shows nothing yet has begun: messages of a topic of their own are sent until it shows one.
fn begun(tail: &Running, client: &Client) {
    until(
        "the tail to begin",
        || {
            publish(client, "begin", 0..1);
            std::thread::sleep(Duration::from_millis(50));
            tail.lines()
        },
        |lines| (!lines.is_empty()).then_some(()),
    );
}

/// A server whose stream `s` has 1, 2, 3 in topic `a`.
fn server() -> (Server, Client) {
    let server = Setup::empty().start();
    let client = server.client();
    publish(&client, "a", 1..4);
    client.nodes("s", "{ s { nodes { data { n of { x } } } } }", 3);
    (server, client)
}

#[test]
fn it_prints_what_comes_as_it_was_sent() {
    let (server, client) = server();
    let from_now = tail(&server, &[]);
    begun(&from_now, &client);
    client.put_record("s", "b", "{\n  \"n\": 4,\r\n \"big\": 92233720368547758079.10 }");
    let lines = until(
        "the message",
        || from_now.lines(),
        |lines| lines.last().is_some_and(|line| line.contains("\"b\"")).then(|| lines.clone()),
    );
    let last = lines.last().unwrap();
    let (time, rest) = last.split_once(",\"topic\":").unwrap();
    assert!(time.starts_with("{\"time\":\"20") && time.ends_with("Z\""), "{last}");
    assert_eq!(rest, "\"b\",\"data\":{   \"n\": 4,   \"big\": 92233720368547758079.10 }}");
    assert!(lines.iter().all(|line| !line.contains("\"a\"")), "what was there before: {lines:?}");
    assert_eq!(from_now.remarks(), "");
}

#[test]
fn history_topics_and_fields_are_chosen() {
    let (server, client) = server();
    publish(&client, "b", 4..6);
    publish(&client, "c", 6..7);
    client.nodes("s", "{ s { nodes { time } } }", 6);
    let all = tail(&server, &["--from", "now-1h"]);
    let two = tail(&server, &["--from", "now-1h", "--topic", "b", "--topic", "c"]);
    let fields = tail(&server, &["--from", "now-1h", "--topic", "a", "--fields", "n, of.x"]);
    let mut sorted = numbers(&all.wait_for(6));
    sorted.sort_unstable();
    assert_eq!(sorted, [1, 2, 3, 4, 5, 6]);
    let chosen = two.wait_for(3);
    assert_eq!(numbers(&chosen), [4, 5, 6], "{chosen:?}");
    for (n, line) in (1..).zip(fields.wait_for(3)) {
        let rest = line.split_once(",\"topic\":").unwrap().1;
        assert_eq!(rest, format!(r#""a","data":{{"n":{n},"of":{{"x":"ü{n}"}}}}}}"#), "{line}");
    }
    // And so is what follows.
    publish(&client, "a", 7..8);
    publish(&client, "b", 8..9);
    assert_eq!(numbers(&two.wait_for(4))[3], 8);
    assert_eq!(fields.wait_for(4).len(), 4);
    assert_eq!(all.wait_for(8).len(), 8);
    // Behind a cursor of a page, only what follows it.
    let page = client.graphql("{ s(topic: \"a\") { resumeCursor } }");
    let resumed = tail(&server, &["--resume", page["s"]["resumeCursor"].as_str().unwrap()]);
    publish(&client, "a", 9..12);
    assert_eq!(numbers(&resumed.wait_for(3)), [9, 10, 11]);
}

#[test]
fn what_can_not_be_followed_is_told() {
    let (server, client) = server();
    let data = server.data().display().to_string();
    let page = client.graphql("{ s(last: 1) { resumeCursor edges { cursor } } }");
    let (resume, page) = (&page["s"]["resumeCursor"], &page["s"]["edges"][0]["cursor"]);
    let (resume, page) = (resume.as_str().unwrap(), page.as_str().unwrap());
    client.put_record("t", "k", "{}");
    client.nodes("t", "{ t { nodes { time } } }", 1);
    for (arguments, code, words) in [
        (&["nope"][..], 1, "there is no stream nope: `tidegate streams` lists those that there are"),
        (&["s", "--fields", "nope"], 1, "nope"),
        (&["s", "--fields", "n.x"], 1, "must not have a selection"),
        (&["s", "--fields", "of"], 1, "of"),
        (&["s", "--fields", "n,"], 1, "--fields has \"\": expected names as the schema spells them"),
        (&["s", "--resume", "nope"], 1, "resume: the cursor is damaged"),
        (&["s", "--resume", &resume[1..]], 1, "resume: the cursor is damaged"),
        (&["s", "--resume", page], 1, "resume: this is a PageCursor"),
        (&["t", "--resume", resume], 1, "resume: the cursor belongs to another stream"),
        (&["s", "--from", "soon"], 1, "expected ISO 8601"),
        (&["s", "--from", "-1h"], 1, "expected ISO 8601"),
        (&["s", "--from", "now", "--resume", resume], 2, "cannot be used with"),
        (&["s", "--topic", ""], 1, "1 to 512 bytes"),
        (&[], 2, "<STREAM>"),
    ] {
        let done = tidegate(server.folder(), &[&["tail", "--data", &data], arguments].concat(), "");
        assert_eq!((done.code, done.stdout.as_str()), (Some(code), ""), "{arguments:?}: {done:?}");
        assert!(done.stderr.contains(words), "{arguments:?}: {words:?} is not in {done:?}");
        assert!(!done.stderr.contains("trying again"), "{arguments:?}: {done:?}");
    }
}

/// At once, and not only with the next message, which may never come.
#[test]
fn it_ends_quietly_once_nobody_reads() {
    let (server, client) = server();
    let mut shell = Command::new("sh");
    let script = "{ \"$0\" tail s --from now-1h --data \"$1\"; echo \"$?\" >&2; } | head -1";
    shell.args(["-c", script, env!("CARGO_BIN_EXE_tidegate")]).arg(server.data());
    let done = finish(shell, "");
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), "0\n"), "{done:?}");
    assert_eq!(numbers(&[done.stdout]), [1]);
    // Amid many lines it finds out by itself.
    publish(&client, "a", 4..2_000);
    client.nodes("s", "{ s(first: 10000) { nodes { time } } }", 1_999);
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_tidegate")]).arg(server.data());
    let done = finish(shell, "");
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), "0\n"), "{done:?}");
}
