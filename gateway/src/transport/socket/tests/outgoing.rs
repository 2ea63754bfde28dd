//! What waits to be sent, and how it is cut.

use tokio_tungstenite::tungstenite::Message;

use super::super::frame::Head;
use super::super::outgoing::{FRAME_BYTES_MAX, Outgoing};
use super::{INIT, Machine, Output, Payload, SUBSCRIBE};

/// A run, and the beginning of what is said about it.
fn run() -> super::Run {
    let mut machine = Machine::new(None);
    machine.step(INIT);
    match machine.step(SUBSCRIBE).pop() {
        Some(Output::Start(run, _)) => run,
        _ => panic!("it starts"),
    }
}

/// Everything that waits: `ping`, or a frame's bytes and whether a message ends with it.
fn drain(outgoing: &mut Outgoing) -> Vec<(String, bool)> {
    std::iter::from_fn(|| outgoing.frame())
        .map(|message| match message {
            Message::Ping(_) => ("ping".into(), true),
            Message::Frame(frame) => {
                (String::from_utf8(frame.payload().to_vec()).unwrap(), frame.header().is_final)
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_long_message_is_cut_and_a_ping_goes_between() {
    let mut outgoing = Outgoing::default();
    let body = "x".repeat(2 * FRAME_BYTES_MAX);
    outgoing.results(run(), Head::new("a"), Payload::One(body.clone().into_bytes()));
    outgoing.text(b"behind".to_vec());
    let first = outgoing.frame().unwrap();
    assert!(matches!(&first, Message::Frame(frame) if !frame.header().is_final), "{first:?}");
    outgoing.ping();
    let frames = drain(&mut outgoing);
    assert_eq!(frames[0].0, "ping");
    assert!(frames.iter().all(|(bytes, _)| bytes.len() <= FRAME_BYTES_MAX));
    let whole: String = frames[1..frames.len() - 1].iter().map(|(bytes, _)| bytes.as_str()).collect();
    assert!(whole.ends_with("x}") && whole.len() + FRAME_BYTES_MAX > body.len(), "{}", whole.len());
    assert_eq!(frames.iter().filter(|(_, last)| *last).count(), 3, "a ping and two messages");
    assert_eq!(frames.last().unwrap(), &("behind".into(), true));
    assert!(outgoing.is_empty());
}

#[test]
fn what_was_not_begun_of_a_stopped_operation_is_forgotten() {
    let run = run();
    let mut outgoing = Outgoing::default();
    let long = "x".repeat(FRAME_BYTES_MAX);
    outgoing.results(run, Head::new("a"), Payload::One(long.into_bytes()));
    outgoing.results(run, Head::new("a"), Payload::One(b"2".to_vec()));
    outgoing.text(b"pong".to_vec());
    assert!(outgoing.frame().is_some());
    outgoing.forget(run);
    let frames = drain(&mut outgoing);
    assert_eq!(frames.len(), 2, "the rest of what was begun, for a frame can't be taken back: {frames:?}");
    assert_eq!(frames[1], ("pong".into(), true));
}

#[test]
fn only_texts_count_as_what_a_client_heaps_up() {
    let mut outgoing = Outgoing::default();
    outgoing.results(run(), Head::new("a"), Payload::One(vec![b'1'; 1_000]));
    assert_eq!(outgoing.text_bytes(), 0);
    outgoing.text(vec![b'1'; 10]);
    assert_eq!(outgoing.text_bytes(), 10);
    drain(&mut outgoing);
    assert_eq!(outgoing.text_bytes(), 0);
    outgoing.ping();
    assert!(!outgoing.is_empty());
    outgoing.clear();
    assert!(outgoing.is_empty());
}
