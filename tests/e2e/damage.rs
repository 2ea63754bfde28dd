//! A log that is torn or damaged: what a start does, what `tidegate doctor` says, and what `--repair` saves.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Client, Done, Server, Setup, tidegate, until};

fn doctor(data: &Path, more: &[&str]) -> Done {
    let words = [&["doctor", "--data", data.to_str().unwrap()], more].concat();
    tidegate(data.parent().unwrap(), &words, "")
}

/// The log's files, oldest first.
fn files(data: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(data.join("log")).unwrap().map(|entry| entry.unwrap().path());
    let mut logs: Vec<PathBuf> = all
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with("damaged"))
        .collect();
    logs.sort();
    logs
}

/// All of the log's folder, byte for byte.
fn content(data: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = fs::read_dir(data.join("log")).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    all.sort();
    all
}

/// Where `text` lies in the log: file and offset.
fn find(data: &Path, text: &str) -> (PathBuf, usize) {
    let mut all = files(data).into_iter().filter_map(|path| {
        let bytes = fs::read(&path).unwrap();
        let at = bytes.windows(text.len()).position(|window| window == text.as_bytes())?;
        Some((path, at))
    });
    all.next_back().unwrap_or_else(|| panic!("no file of the log has {text}"))
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

/// A server that was killed with messages 1 to `count` of one key in its log, of which the store may have any: the
/// consumer's checkpoint is far away.
fn killed_after(count: usize) -> Server {
    let mut server = Setup::configured("[ingest]\ncheckpoint_interval_ms = 3600000\n").start();
    let client = server.client();
    for n in 1..=count {
        client.put_record("s", "k", &format!(r#"{{"n":{n},"mark":"<{n}>"}}"#));
    }
    server.kill_9();
    server
}

fn numbers(client: &Client, count: usize) -> Vec<i64> {
    let document = "{ s(topic: \"k\", last: 1000) { nodes { data { n } } } }";
    let nodes = client.nodes("s", document, count);
    nodes.iter().map(|node| node["data"]["n"].as_i64().unwrap()).collect()
}

fn starts(server: &Server) -> Done {
    let data = server.data();
    tidegate(server.folder(), &["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()], "")
}

#[test]
fn a_torn_tail_is_cut_and_told() {
    let mut server = killed_after(5);
    let data = server.data();
    let last = files(&data).pop().unwrap();
    let whole = fs::metadata(&last).unwrap().len();
    // The beginning of a frame, and then what a disk may put behind it.
    fs::File::options()
        .append(true)
        .open(&last)
        .unwrap()
        .write_all(&[60, 0, 0, 0, 7, 7, 7, 7, 1, 1, 9])
        .unwrap();
    let before = content(&data);
    let done = doctor(&data, &[]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let expect = format!("torn: {} ends in 11 bytes, from byte {whole} on", last.display());
    assert!(done.stdout.contains(&expect), "{done:?}");
    assert!(done.stdout.contains("before it was acknowledged"), "{done:?}");
    assert!(content(&data) == before, "a doctor that only looks changes nothing");
    // Nor is there anything to repair.
    let done = doctor(&data, &["--repair"]);
    assert!(done.stdout.contains("Nothing is damaged, so nothing was changed"), "{done:?}");
    assert!(content(&data) == before);

    server.restart();
    let log = server.log();
    let line = log.lines().find(|line| line.contains("torn tail")).unwrap_or_else(|| panic!("{log}"));
    for part in [
        &*last.display().to_string(),
        &format!("offset_bytes={whole}"),
        "size_bytes=11",
        "never acknowledged",
    ] {
        assert!(line.contains(part), "{line}");
    }
    assert_eq!(numbers(&server.client(), 5), [1, 2, 3, 4, 5]);
    server.kill_9();
    let done = doctor(&data, &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("healthy") && done.stdout.contains("It is well"), "{done:?}");
}

#[test]
fn damage_refuses_to_start_is_explained_and_set_aside() {
    let mut server = killed_after(9);
    let data = server.data();
    // As if the store had never come to it: the log alone has the messages.
    server.lose_store();
    let (file, at) = find(&data, "<4>");
    flip(&file, at);
    let before = content(&data);

    let refused = starts(&server);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let name = file.display().to_string();
    assert!(refused.stderr.contains("the log is damaged") && refused.stderr.contains(&name), "{refused:?}");
    assert!(refused.stderr.contains("at byte") && refused.stderr.contains("tidegate doctor"), "{refused:?}");
    assert!(content(&data) == before, "what refuses to start changes nothing");

    let done = doctor(&data, &[]);
    assert_eq!(done.code, Some(1), "{done:?}");
    for part in [&*format!("damaged: {name} at byte"), "means", "--repair", "a node does not start"] {
        assert!(done.stdout.contains(part), "no {part} in {done:?}");
    }
    assert!(content(&data) == before);

    let done = doctor(&data, &["--repair"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let client_partition = "Missing: stream s, partition shardId-";
    for part in
        [client_partition, "sequences 4 to 4.", "8 records of the log were kept", "told of it as a gap"]
    {
        assert!(done.stdout.contains(part), "no {part} in {done:?}");
    }
    assert!(!done.stdout.contains("Perhaps"), "{done:?}");
    let kept = data.join("log").join(format!("damaged-{}", file.file_name().unwrap().to_str().unwrap()));
    let original = before.iter().find(|(path, _)| *path == file).map(|(_, bytes)| bytes);
    assert_eq!(Some(&fs::read(&kept).unwrap()), original, "the damaged file is kept as it was");
    assert!(done.stdout.contains(&kept.display().to_string()), "{done:?}");

    server.restart();
    let client = server.client();
    assert_eq!(numbers(&client, 8), [1, 2, 3, 5, 6, 7, 8, 9]);
    assert!(server.log().contains("readers are told of a gap"), "{}", server.log());
    let put = client.put_record("s", "k", r#"{"n":10}"#);
    assert_eq!(put["SequenceNumber"], "10", "no sequence is given again: {put}");
    assert_eq!(numbers(&client, 9), [1, 2, 3, 5, 6, 7, 8, 9, 10]);
}

/// Where nothing tells how far a partition went, it goes on behind all that may have been.
#[test]
fn the_last_record_damaged_is_not_replaced_by_another() {
    let mut server = killed_after(6);
    let data = server.data();
    let client = |server: &Server| server.client();
    let (file, at) = find(&data, "<6>");
    // The other stream's message is what proves that this one was acknowledged.
    server.restart();
    client(&server).put_record("other", "k", r#"{"n":1}"#);
    server.kill_9();
    server.lose_store();
    flip(&file, at);
    // The store is made anew by a start that the log refuses.
    assert_eq!(starts(&server).code, Some(1));
    let done = doctor(&data, &["--repair"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    server.restart();
    assert_eq!(numbers(&client(&server), 5), [1, 2, 3, 4, 5]);
    let put = client(&server).put_record("s", "k", r#"{"n":7}"#);
    let sequence: u64 = put["SequenceNumber"].as_str().unwrap().parse().unwrap();
    assert!(sequence > 6, "{put}");
    assert_eq!(numbers(&client(&server), 6), [1, 2, 3, 4, 5, 7]);
}

#[test]
fn a_doctor_says_what_is_wrong_with_a_folder() {
    let mut server = Setup::empty().start();
    let client = server.client();
    client.put_record("s", "k", r#"{"n":1}"#);
    let data = server.data();
    let done = doctor(&data, &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("one is running here"), "{done:?}");
    let done = doctor(&data, &["--repair"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("in use by another process"), "{done:?}");
    client.put_record("s", "k", r#"{"n":2}"#);
    until(
        "both",
        || client.graphql_answer("{ s(last: 9) { nodes { id } } }", &json!({})).json(),
        |answer: &Value| (answer["data"]["s"]["nodes"].as_array()?.len() == 2).then_some(()),
    );
    server.kill_9();
    let done = doctor(&data, &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    for part in [
        "none is running here",
        "healthy: 1 files",
        "knows 1 streams",
        "commands find the node at",
        "MiB are free",
    ] {
        assert!(done.stdout.contains(part), "no {part} in {done:?}");
    }
    // Several things at once.
    fs::write(data.join("context.json"), "{").unwrap();
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(data.join("issuer.pk8"), everybody).unwrap();
    let done = doctor(&data, &[]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("2 problems were found"), "{done:?}");
    for part in ["is not a context file", "issuer.pk8", "chmod 600"] {
        assert!(done.stdout.contains(part), "no {part} in {done:?}");
    }
    let nowhere = doctor(&data.join("nowhere"), &[]);
    assert_eq!(nowhere.code, Some(1), "{nowhere:?}");
    assert!(nowhere.stderr.contains("there is no data folder at"), "{nowhere:?}");
}
