//! What subscriptions deliver as server-sent events.

use gateway::LiveSettings;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::deliveries::wrong_cursors;
use crate::hand::{ALL, Hand, assert_numbers, behind, cursor};
use crate::rig::Rig;

const POST: &str = "POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nAccept: text/event-stream";

fn body(query: &str) -> String {
    json!({ "query": query }).to_string()
}

/// The execution results among events, each with its id.
fn events(answer: &str) -> Vec<(Option<String>, Value)> {
    let field = |event: &str, name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name).map(ToOwned::to_owned))
    };
    // The chunks of HTTP lie between; an event does not cross the last line that was read.
    let whole = answer.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
    let events = whole.split("\n\n").filter(|event| event.contains("event: next\n"));
    events
        .map(|event| {
            let data = field(event, "data: ").unwrap_or_else(|| panic!("no data: {event}"));
            (field(event, "id: "), serde_json::from_str(&data).unwrap())
        })
        .collect()
}

/// Follows until `count` results have come.
async fn follow(rig: &Rig, head: &str, query: &str, count: usize) -> Vec<(Option<String>, Value)> {
    let enough =
        |answer: &str| answer.matches("event: next\n").count() >= count && answer.ends_with("\n\n\r\n");
    let got = events(&rig.http(head, &body(query), enough).await);
    assert_eq!(got.len(), count, "{got:?}");
    got
}

fn results(events: &[(Option<String>, Value)]) -> Vec<Value> {
    events.iter().map(|(_, result)| result.clone()).collect()
}

#[tokio::test]
async fn an_id_is_the_cursor_and_resumes() {
    let mut hand = Hand::new().await;
    hand.write(0..5, 0).await;
    let from = "subscription { s(from: \"now-1h\") { cursor message { raw } } }";
    let history = follow(&hand.rig, POST, from, 5).await;
    assert_numbers(&results(&history), 0..5);
    for (id, result) in &history {
        assert_eq!(id.as_ref(), Some(&cursor(result)));
    }
    hand.write(5..9, 0).await;
    // A client repeats its request, and so its arguments, with the header besides.
    let last = format!("{POST}\r\nLast-Event-ID: {}", cursor(&history[2].1));
    for query in [ALL, from, &behind(&cursor(&history[0].1))] {
        assert_numbers(&results(&follow(&hand.rig, &last, query, 6).await), 3..9);
    }
    let empty = format!("{POST}\r\nLast-Event-ID: ");
    assert_numbers(&results(&follow(&hand.rig, &empty, from, 9).await), 0..9);
    // Without the field there is no cursor to read, and the id is there all the same.
    let bare = follow(&hand.rig, &last, "subscription { s { message { topic } } }", 6).await;
    let last = format!("{POST}\r\nLast-Event-ID: {}", bare[4].0.as_ref().unwrap());
    assert_numbers(&results(&follow(&hand.rig, &last, ALL, 1).await), 8..9);
}

/// In several pieces, of one step and of many.
#[tokio::test]
async fn many_come_whole_and_in_order() {
    for batch_bytes in [10_000, 1 << 20] {
        let mut hand = Hand::with(LiveSettings { batch_bytes, ..Default::default() }).await;
        hand.write(0..1, 0).await;
        let start =
            follow(&hand.rig, POST, "subscription { s(from: \"now-1h\") { cursor message { raw } } }", 1);
        let start = start.await;
        hand.write(1..1_001, 300).await;
        hand.write(1_001..1_002, 200_000).await;
        let got = follow(&hand.rig, POST, &behind(&cursor(&start[0].1)), 1_001).await;
        assert_numbers(&results(&got), 1..1_002);
    }
}

#[tokio::test]
async fn who_reads_late_gets_everything_once_and_holds_up_nobody() {
    let live = LiveSettings { ring_bytes: 100_000, behind_bytes: 100_000, ..Default::default() };
    let mut hand = Hand::with(live).await;
    let (address, bearer, body) = (hand.rig.address, hand.rig.bearer(), body(ALL));
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{POST}\r\nHost: {address}\r\nAuthorization: {bearer}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    hand.running(1).await;
    let quick = {
        let mut socket = hand.rig.connect().await;
        socket.subscribe("a", ALL).await;
        hand.running(2).await;
        for start in (0..4_000).step_by(100) {
            hand.write(start..start + 100, 1_000).await;
            crate::hand::take(&mut socket, "a", 100).await;
        }
        socket
    };
    let mut read = Vec::new();
    let reading = async {
        // The last message, whole.
        while !String::from_utf8_lossy(&read[read.len().saturating_sub(2_000)..]).contains("\"3999 ") {
            assert!(slow.read_buf(&mut read).await.unwrap() > 0, "it has ended");
        }
        while !read.ends_with(b"\n\n\r\n") {
            slow.read_buf(&mut read).await.unwrap();
        }
    };
    tokio::time::timeout(crate::rig::PATIENCE, reading).await.unwrap();
    let got = events(&String::from_utf8(read).unwrap());
    assert_numbers(&results(&got), 0..4_000);
    drop(quick);
}

#[tokio::test]
async fn a_node_that_stops_sends_its_followers_elsewhere() {
    let mut hand = Hand::new().await;
    hand.write(0..2, 0).await;
    let from = body("subscription { s(from: \"now-1h\") { cursor message { raw } } }");
    let stopping = async {
        hand.running(1).await;
        hand.rig.stop.send(true).unwrap();
    };
    let (answer, ()) = tokio::join!(hand.rig.http(POST, &from, |_| false), stopping);
    assert!(!answer.contains("event: complete") && answer.ends_with("0\r\n\r\n"), "{answer}");
    let got = events(&answer);
    assert_numbers(&results(&got), 0..2);
    hand.write(2..4, 0).await;
    let elsewhere = hand.rig.another().await;
    let last = format!("{POST}\r\nLast-Event-ID: {}", got[1].0.as_ref().unwrap());
    assert_numbers(&results(&follow(&elsewhere, &last, ALL, 2).await), 2..4);
}

#[tokio::test]
async fn a_cursor_that_is_none_is_an_event_with_errors() {
    let mut hand = Hand::new().await;
    hand.write(0..1, 0).await;
    let never = |_: &str| false;
    let query = body("{ s { edges { cursor } resumeCursor } other { resumeCursor } }");
    let page = events(&hand.rig.http(POST, &query, never).await).remove(0).1;
    for (resume, part) in wrong_cursors(&page["data"]) {
        let by_argument = hand.rig.http(POST, &body(&behind(&resume)), never).await;
        let header = format!("{POST}\r\nLast-Event-ID: {resume}");
        let by_header = hand.rig.http(&header, &body(ALL), never).await;
        for answer in [by_argument, by_header] {
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            let (id, told) = events(&answer).remove(0);
            assert_eq!(id, None, "{answer}");
            assert!(told["errors"][0]["message"].as_str().unwrap().contains(part), "{part}: {told}");
            assert_eq!(told["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{told}");
            assert!(answer.contains("event: complete"), "it will be no better the next time: {answer}");
        }
    }
}
