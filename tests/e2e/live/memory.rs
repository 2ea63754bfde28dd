//! Clients that ask for everything and read nothing: what the server keeps for them is bounded.

use std::time::Instant;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Client, MEMORY_MAX, PATIENCE, Setup, Socket};

const CONFIGURATION: &str = "
[live]
ring_bytes = 1048576
behind_bytes = 1048576

# What the store gathers is not what is looked at here.
[store]
block_cache_bytes = 8388608
write_buffer_bytes = 2097152
";

/// So many do not read.
const SLOW: usize = 60;
/// So much is sent: for all of the slow ones together several gigabytes.
const MESSAGES: usize = 1_200;
const BYTES: usize = 50_000;
const AT_ONCE: usize = 50;

/// A socket that follows all of `s`.
async fn follow(client: &Client) -> Socket {
    let mut socket = Socket::connect(client).await.unwrap();
    let query = "subscription($resume: ResumeCursor) { s(resume: $resume) { message { raw } } }";
    let page = client.graphql("{ s(from: \"now\", to: \"now\") { resumeCursor } }");
    let resume = &page["s"]["resumeCursor"];
    socket.subscribe("1", query, json!({ "resume": resume })).await.unwrap();
    socket
}

/// The number of the message in a delivery.
fn number(text: &str) -> usize {
    let (_, rest) = text.split_once("\"raw\":\"{\\\"n\\\":").unwrap_or_else(|| panic!("{text:.300}"));
    rest.split(',').next().unwrap().parse().unwrap()
}

#[test]
fn sixty_that_do_not_read_take_little_and_hold_up_nobody() {
    let server = Setup::configured(CONFIGURATION).start();
    let client = server.client();
    client.put_record("s", "k", "{}");
    client.nodes("s", "{ s { nodes { time } } }", 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut slow = join_all((0..SLOW).map(|_| follow(&client))).await;
        let mut quick = follow(&client).await;
        let before = server.resident_bytes();
        let mut most = before;
        for start in (0..MESSAGES).step_by(AT_ONCE) {
            let padding = "x".repeat(BYTES);
            let lines: Vec<String> =
                (start..start + AT_ONCE).map(|n| format!(r#"{{"n":{n},"x":"{padding}"}}"#)).collect();
            client.post("/streams/s/messages?key=k", "application/x-ndjson", lines.join("\n")).expect(200);
            // Nobody waits for those who do not read.
            let began = Instant::now();
            for n in start..start + AT_ONCE {
                let heard = tokio::time::timeout(PATIENCE, quick.hear()).await.unwrap().unwrap();
                assert_eq!(number(&heard), n, "after {:?}", began.elapsed());
            }
            most = most.max(server.resident_bytes());
        }
        let sent = MESSAGES * BYTES;
        println!("{before} bytes became {most} at most, while {sent} were sent {} times", SLOW + 1);
        assert!(most < MEMORY_MAX, "{before} bytes became {most}");
        // Whoever reads after all has not missed any.
        for n in 0..200 {
            let heard = tokio::time::timeout(PATIENCE, slow[0].hear()).await.unwrap().unwrap();
            assert_eq!(number(&heard), n);
        }
    });
}
