//! Whatever cuts a tail off, no line is missing or comes twice.

use std::time::Duration;

use super::{begun, numbers, publish, server, tail};
use crate::support::{Setup, until};

#[test]
fn a_server_that_is_killed_again_and_again_costs_no_line_and_repeats_none() {
    let (mut server, client) = server();
    let mut from_time = tail(&server, &["--from", "now-1h", "--topic", "a"]);
    let mut from_now = tail(&server, &[]);
    begun(&from_now, &client);
    let mut next = 4;
    for _ in 0..4 {
        let client = server.client();
        publish(&client, "a", next..next + 50);
        // Half of it is printed, perhaps.
        from_time.wait_for(next as usize + 10);
        publish(&client, "a", next + 50..next + 70);
        next += 70;
        server.restart();
    }
    publish(&server.client(), "a", next..next + 1);
    let lines = from_time.wait_for(next as usize);
    assert_eq!(numbers(&lines), (1..=next).collect::<Vec<_>>(), "{}", from_time.remarks());
    let of_a = |lines: &[String]| -> Vec<String> {
        lines.iter().filter(|line| line.contains("\"topic\":\"a\"")).cloned().collect()
    };
    let expect = (4..=next).count();
    let lines = until(
        "the same lines",
        || of_a(&from_now.lines()),
        |lines| (lines.len() >= expect).then(|| lines.clone()),
    );
    assert_eq!(numbers(&lines), (4..=next).collect::<Vec<_>>(), "{}", from_now.remarks());
    assert!(from_time.is_running() && from_now.is_running());
}

/// Whoever waits for a first message does not know that the server was away.
#[test]
fn a_server_that_is_restarted_before_the_first_message_is_waited_for() {
    let (mut server, _) = server();
    let mut quiet = tail(&server, &["--topic", "quiet"]);
    // Nothing tells from outside that it has begun. Were this too short, it would say that no node answers.
    std::thread::sleep(Duration::from_secs(3));
    for n in [1, 2] {
        server.kill_9();
        // Long enough for it to try in vain.
        std::thread::sleep(Duration::from_millis(700));
        assert!(quiet.is_running(), "{}", quiet.remarks());
        server.restart();
        publish(&server.client(), "quiet", n..n + 1);
        assert_eq!(numbers(&quiet.wait_for(n as usize)).last(), Some(&n));
    }
    assert_eq!(numbers(&quiet.lines()), [1, 2]);
}

/// Renewing a token is nothing to speak of.
#[test]
fn a_token_that_ends_is_renewed_without_a_word() {
    let server = Setup::configured("[embedded_issuer]\ntoken_seconds = 1\n").start();
    publish(&server.client(), "a", 1..3);
    server.client().nodes("s", "{ s { nodes { data { n } } } }", 2);
    let tail = tail(&server, &["--from", "now-1h"]);
    tail.wait_for(2);
    // A second, and the five that the verifier grants.
    std::thread::sleep(Duration::from_secs(7));
    publish(&server.client(), "a", 3..5);
    assert_eq!(numbers(&tail.wait_for(4)), [1, 2, 3, 4]);
    assert_eq!(tail.remarks(), "");
}
