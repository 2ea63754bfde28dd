//! Much of something: topics, bytes, writers. Nothing here says how fast.

use std::thread;

use crate::support::{Server, Setup};

const NDJSON: &str = "application/x-ndjson";

/// Memory that the process holds, in MiB.
fn resident_mib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

/// Topics are rows, not objects in memory.
#[test]
fn a_hundred_thousand_topics_take_bounded_memory() {
    const TOPICS: usize = 100_000;
    const BATCH: usize = 5_000;
    let server = Setup::configured("[[stream]]\nname = \"s\"\ntopic = \"/t\"\n").start();
    let client = server.client();
    client.post("/streams/s/messages?key=k", NDJSON, r#"{"t":"first","n":0}"#).expect(200);
    server.catch_up();
    let before = resident_mib(&server);
    for batch in 0..TOPICS / BATCH {
        let line = |n: usize| format!(r#"{{"t":"device/{n:06}/temperature","n":{n}}}"#);
        let lines: Vec<String> = (batch * BATCH..(batch + 1) * BATCH).map(line).collect();
        let path = format!("/streams/s/messages?key=k{batch}");
        let answer = client.post(&path, NDJSON, lines.join("\n")).expect(200).json();
        assert_eq!(answer["accepted"], BATCH, "{answer}");
    }
    server.catch_up();
    let after = resident_mib(&server);
    println!("{before} MiB before, {after} MiB after {TOPICS} topics");
    assert!(after < before + 400, "from {before} to {after} MiB");
    for n in [0, 54_321, TOPICS - 1] {
        let document =
            format!("{{ s(topic: \"device/{n:06}/temperature\", last: 2) {{ nodes {{ data {{ n }} }} }} }}");
        assert_eq!(client.nodes("s", &document, 1), [serde_json::json!({ "data": { "n": n } })]);
    }
    let topics = client.graphql("{ topics(stream: \"s\", prefix: \"device/0999\", first: 1000) { topic } }");
    assert_eq!(topics["topics"].as_array().map(Vec::len), Some(100), "{}", topics["topics"][0]);
}

/// The largest message that is accepted comes back byte for byte; one byte more is refused.
#[test]
fn a_message_of_one_mebibyte_comes_back() {
    const MEBIBYTE: usize = 1 << 20;
    let mut server = Setup::empty().start();
    let message = |bytes: usize| {
        let (head, tail) = (r#"{"n": 9007199254740993, "text":"é"#, "\"}");
        format!("{head}{}{tail}", "x".repeat(bytes - head.len() - tail.len()))
    };
    let (largest, too_large) = (message(MEBIBYTE), message(MEBIBYTE + 1));
    assert_eq!(largest.len(), MEBIBYTE);
    let client = server.client();
    client.put_record("s", "k", &largest);
    let answer = client.post("/streams/s/messages?key=k", NDJSON, largest.as_str()).expect(200).json();
    assert_eq!(answer["accepted"], 1, "{answer}");
    let refused = client.put("/streams/s/record", format!(r#"{{"Data":{too_large},"PartitionKey":"k"}}"#));
    assert!(refused.status >= 400 && refused.text().contains("1048576"), "{}", refused.text());
    for _ in 0..2 {
        let raws = server.client().raws("s", 2);
        assert!(raws.len() == 2 && raws.iter().all(|raw| *raw == largest), "{:?}", raws.len());
        server.restart();
    }
}

/// Writers of one topic share syncs, and each has its messages in the order in which it sent them.
#[test]
fn sixty_four_writers_of_one_topic_share_syncs() {
    const WRITERS: usize = 64;
    const EACH: usize = 20;
    let server = Setup::empty().start();
    let client = server.client();
    client.put_record("s", "k", r#"{"writer":-1,"n":0}"#);
    let syncs = || server.metric("tidegate_ingest_log_syncs_total") as u64;
    let before = syncs();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let client = &client;
            scope.spawn(move || {
                for n in 0..EACH {
                    client.put_record("s", "k", &format!(r#"{{"writer":{writer},"n":{n}}}"#));
                }
            });
        }
    });
    let syncs = syncs() - before;
    println!("{syncs} syncs for {} messages of {WRITERS} writers", WRITERS * EACH);
    assert!(syncs < (WRITERS * EACH) as u64, "{syncs} syncs");
    let document = "{ s(topic: \"k\", last: 10000) { nodes { data { writer n } } } }";
    let nodes = client.nodes("s", document, WRITERS * EACH + 1);
    for writer in 0..WRITERS {
        let mine = nodes.iter().filter(|node| node["data"]["writer"] == writer);
        let numbers: Vec<u64> = mine.map(|node| node["data"]["n"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (0..EACH as u64).collect::<Vec<_>>(), "of writer {writer}");
    }
}
