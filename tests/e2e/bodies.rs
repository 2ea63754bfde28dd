//! Bodies that are held in memory share one bound: what is beyond it is refused, and nobody waits for ever.

use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::support::http::Answer;
use crate::support::{Client, Server, Setup, until};

/// Of all bodies, and of one.
const MOST: usize = 8 << 20;
const PIECE: usize = 64 << 10;
const SENTENCE: &str = "the bodies of requests under way take all of the 8388608 bytes that there are for them: try again in a moment";

fn start() -> Server {
    Setup::empty()
        .env("TIDEGATE__LIMITS__BODIES_BYTES", &MOST.to_string())
        .env("TIDEGATE__LIMITS__BODIES_WAIT_MS", "500")
        // The groups of a streamed body are held, too.
        .env("TIDEGATE__INGEST__BODY_BYTES", "65536")
        .start()
}

/// A good body of so many bytes.
fn envelope(bytes: usize) -> Vec<u8> {
    let mut body = br#"{"Data": {"n": 1}, "PartitionKey": "k"}"#.to_vec();
    body.resize(bytes, b' ');
    body
}

/// Sends `bytes`, all but the last `later` of which at once; and those once the sender that `ready` is given is dropped.
fn send_in_two(client: &Client, bytes: usize, later: usize, ready: &Sender<Sender<()>>) -> Answer {
    let request = client.request("PUT", "/streams/s/record");
    let request = request.body("application/json", envelope(bytes)).chunked(PIECE);
    request.send_in_two(client.address, later / PIECE + 1, || {
        let (go_on, told) = channel();
        ready.send(go_on).unwrap();
        let _ = told.recv();
    })
}

fn refused(client: &Client) {
    let is_refused = |answer: &Answer| (answer.status == 503).then(|| answer.clone());
    // The least that takes room: one that took more would be in the way of those who are to take all of it.
    let ask = || client.put("/streams/s/record", envelope(1 << 10));
    let answer = until("a body beyond the bound to be refused", ask, is_refused);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.json()["error"], serde_json::json!({ "code": "unavailable", "message": SENTENCE }));

    let mut query = br#"{"query": "{ streams { name } }"}"#.to_vec();
    query.resize(1 << 20, b' ');
    let answer = client.post("/graphql", "application/json", query).expect(503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    let error = &answer.json()["errors"][0];
    assert_eq!((&error["message"], &error["extensions"]["code"]), (&SENTENCE.into(), &"UNAVAILABLE".into()));
}

#[test]
fn two_bodies_that_hold_all_and_want_more_do_not_wait_for_ever() {
    let server = start();
    let client = &server.client();
    thread::scope(|scope| {
        let (ready, both) = channel();
        let half = || {
            let ready = ready.clone();
            scope.spawn(move || send_in_two(client, MOST, MOST / 2, &ready))
        };
        let senders = [half(), half()];
        let held: Vec<_> = (0..2).map(|_| both.recv().unwrap()).collect();
        refused(client);
        server.get("/healthz").expect(200);
        drop(held);
        let statuses = senders.map(|sender| sender.join().unwrap().status);
        assert!(statuses.contains(&503), "there is no room for both: {statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
    });
    client.put("/streams/s/record", envelope(MOST)).expect(200);
}

#[test]
fn a_streamed_body_takes_room_only_for_what_it_holds() {
    let server = start();
    let client = &server.client();
    thread::scope(|scope| {
        let (ready, holds) = channel();
        let holder = scope.spawn(move || send_in_two(client, MOST, 2 << 20, &ready));
        let held = holds.recv().unwrap();
        let line = format!("{{\"n\": 1, \"padding\": \"{}\"}}\n", "x".repeat(1_000));
        let lines = (6 << 20) / line.len();
        let answer = client.post("/streams/s/messages?key=k", "application/x-ndjson", line.repeat(lines));
        assert_eq!(answer.expect(200).json()["accepted"], lines);
        drop(held);
        holder.join().unwrap().expect(200);
    });
}
