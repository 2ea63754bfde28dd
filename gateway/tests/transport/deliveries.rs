//! What subscriptions deliver on sockets.

use std::time::Duration;

use gateway::LiveSettings;
use serde_json::{Value, json};

use crate::hand::{ALL, Hand, assert_numbers, behind, cursor, number, take};
use crate::rig::until;

#[tokio::test]
async fn each_subscription_of_a_socket_gets_its_own() {
    let mut hand = Hand::new().await;
    let mut socket = hand.rig.connect().await;
    for (id, arguments) in [("even", "(topic: \"a\")"), ("odd", "(topic: \"b\")"), ("all", ""), ("same", "")]
    {
        socket.subscribe(id, &ALL.replace("{ s {", &format!("{{ s{arguments} {{"))).await;
    }
    hand.running(4).await;
    hand.write(0..5, 0).await;
    hand.write(5..20, 0).await;
    let mut got: std::collections::BTreeMap<String, Vec<Value>> = Default::default();
    for _ in 0..10 + 10 + 20 + 20 {
        let message = socket.hear().await;
        assert_eq!(message["type"], "next", "{message}");
        let id = message["id"].as_str().unwrap().to_owned();
        got.entry(id).or_default().push(message["payload"].clone());
    }
    assert_numbers(&got["even"], (0..20).step_by(2));
    assert_numbers(&got["odd"], (1..20).step_by(2));
    assert_numbers(&got["all"], 0..20);
    assert_eq!(got["same"], got["all"]);
    assert!(socket.is_quiet().await);
}

/// More than a buffer holds, and more than a step makes.
#[tokio::test]
async fn a_row_of_many_messages_comes_in_order() {
    let mut hand = Hand::new().await;
    let (mut one, mut other) = (hand.rig.connect().await, hand.rig.connect().await);
    one.subscribe("x", ALL).await;
    other.subscribe("y", ALL).await;
    hand.running(2).await;
    hand.write(0..3_000, 200).await;
    hand.write(3_000..3_001, 20_000).await;
    let (of_one, of_other) = tokio::join!(take(&mut one, "x", 3_001), take(&mut other, "y", 3_001));
    assert_numbers(&of_one, 0..3_001);
    assert_eq!(of_one, of_other);
    // Any of the cursors resumes behind its message, also from amid the row.
    one.subscribe("z", &behind(&cursor(&of_one[1_234]))).await;
    assert_numbers(&take(&mut one, "z", 3_001 - 1_235).await, 1_235..3_001);
}

#[tokio::test]
async fn what_is_completed_stops_and_its_id_is_free() {
    let mut hand = Hand::new().await;
    let mut socket = hand.rig.connect().await;
    socket.subscribe("a", ALL).await;
    hand.running(1).await;
    hand.write(0..2, 0).await;
    assert_numbers(&take(&mut socket, "a", 2).await, 0..2);
    socket.say(json!({"id": "a", "type": "complete"})).await;
    until("it to end", || hand.rig.gateway.live_operations() == 0).await;
    hand.write(2..4, 0).await;
    assert!(socket.is_quiet().await, "nothing more is said of it");
    socket.subscribe("a", ALL).await;
    hand.running(1).await;
    hand.write(4..6, 0).await;
    assert_numbers(&take(&mut socket, "a", 2).await, 4..6);
}

/// What was made and not sent yet is dropped, and so never comes under an id that means something else by then.
#[tokio::test]
async fn what_is_completed_amid_a_batch_does_not_come_later() {
    // All of it is one step's.
    let mut hand = Hand::with(LiveSettings { batch_bytes: 8 << 20, ..Default::default() }).await;
    let mut socket = hand.rig.connect().await;
    socket.subscribe("a", ALL).await;
    hand.running(1).await;
    hand.write(0..1_000, 500).await;
    socket.result("a").await;
    socket.say(json!({"id": "a", "type": "complete"})).await;
    socket.subscribe("a", "subscription { s(topic: \"b\") { again: cursor message { raw } } }").await;
    let reading = async {
        let mut last_of_old = 0;
        loop {
            // What was on its way is met until the server has read so far.
            let result = socket.result("a").await;
            if !result["data"]["s"]["again"].is_null() {
                return (last_of_old, number(&result), socket.result("a").await);
            }
            last_of_old = number(&result);
        }
    };
    let writing = async {
        for start in (1_000..).step_by(2) {
            hand.write(start..start + 2, 0).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (last_of_old, first, then) = tokio::select! {
        read = reading => read,
        () = writing => unreachable!("it does not end"),
    };
    assert!(last_of_old < 999, "it was stopped before it was through");
    assert!(first > 1_000 && first % 2 == 1, "{first}");
    assert_eq!(then["data"]["s"]["message"]["raw"], (first + 2).to_string(), "{then}");
}

#[tokio::test]
async fn a_node_that_stops_sends_its_subscribers_elsewhere() {
    let mut hand = Hand::new().await;
    let mut socket = hand.rig.connect().await;
    socket.subscribe("a", ALL).await;
    hand.running(1).await;
    hand.write(0..3, 0).await;
    let got = take(&mut socket, "a", 3).await;
    hand.rig.stop.send(true).unwrap();
    assert_eq!(socket.closed().await.0, 1001);
    hand.write(3..6, 0).await;
    let elsewhere = hand.rig.another().await;
    let mut socket = elsewhere.connect().await;
    socket.subscribe("a", &behind(&cursor(&got[2]))).await;
    assert_numbers(&take(&mut socket, "a", 3).await, 3..6);
    assert!(socket.is_quiet().await);
}

/// Each ends its operation, and nothing else on the socket.
#[tokio::test]
async fn a_cursor_that_is_none_is_an_error_message() {
    let mut hand = Hand::new().await;
    hand.write(0..1, 0).await;
    let mut socket = hand.rig.connect().await;
    let page = "{ s { edges { cursor } resumeCursor } other { resumeCursor } }";
    socket.subscribe("page", page).await;
    let page = socket.result("page").await;
    assert_eq!(socket.hear().await["type"], "complete");
    for (resume, part) in wrong_cursors(&page["data"]) {
        socket.subscribe("a", &behind(&resume)).await;
        let message = socket.hear().await;
        assert_eq!((&message["id"], &message["type"]), (&json!("a"), &json!("error")), "{message}");
        let error = &message["payload"][0];
        assert!(error["message"].as_str().unwrap().contains(part), "{part}: {error}");
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{error}");
    }
    socket.subscribe("a", &behind(page["data"]["s"]["resumeCursor"].as_str().unwrap())).await;
    hand.running(1).await;
    hand.write(1..2, 0).await;
    assert_numbers(&take(&mut socket, "a", 1).await, 1..2);
}

/// What is no resume cursor of the stream `s`, and what is said of it.
pub(crate) fn wrong_cursors(page: &Value) -> Vec<(String, &'static str)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let resume = text(&page["s"]["resumeCursor"]);
    vec![
        (resume[..resume.len() - 1].to_owned(), "resume: the cursor is damaged"),
        (resume[1..].to_owned(), "resume: the cursor is damaged"),
        (format!("{resume}A"), "resume: the cursor is damaged"),
        ("A".repeat(100 << 10), "resume: the cursor is damaged"),
        ("ü 😀".to_owned(), "resume: the cursor is damaged"),
        (text(&page["other"]["resumeCursor"]), "resume: the cursor belongs to another stream"),
        (text(&page["s"]["edges"][0]["cursor"]), "resume: this is a PageCursor"),
    ]
}
