//! What Kinesis has forgotten before anybody read it is missing: whoever follows the stream is told so, and it goes on.

use std::thread;
use std::time::Duration;

use super::cluster::{STREAM, partitions, put_first, settings};
use super::watch::{Watch, cursor};
use crate::support::kinesis::Emulator;
use crate::support::{Setup, until};

fn numbered(n: usize) -> Vec<u8> {
    format!(r#"{{"id":"{n}","key":"k","n":{n}}}"#).into_bytes()
}

#[test]
fn what_kinesis_has_forgotten_is_told_as_a_gap() {
    let emulator = Emulator::start();
    emulator.create(STREAM, 1);
    let mut node = Setup::configured(&settings(&emulator, "")).with_credentials().start();
    put_first(&emulator, &node.client());
    let position = emulator.put(STREAM, "k", &numbered(0));
    let known = || partitions(&node.client());
    until("the first, and its checkpoint", known, |known| {
        known.iter().any(|(id, known)| position == format!("{id}:{}", known.checkpoint)).then_some(())
    });
    let cursor = cursor(&node.client());
    node.kill_9();

    (1..4).for_each(|n| drop(emulator.put(STREAM, "k", &numbered(n))));
    let shard = &emulator.shards(STREAM)[0].id;
    thread::sleep(Duration::from_millis(1_100));
    emulator.keep_nothing(STREAM);
    assert_eq!(emulator.trim(STREAM, shard, 100), 5);
    node.restart();
    let (watch, mut next) = (Watch::from_cursor(&node.client(), &cursor), 4);
    // Some of these are forgotten, too, before they are read.
    let got = until(
        "something to come",
        || {
            emulator.put(STREAM, "k", &numbered(next));
            next += 1;
            watch.got(|got| got.iter().map(|seen| seen.n).collect::<Vec<_>>())
        },
        |got| (!got.is_empty()).then(|| got.clone()),
    );
    assert!(got[0] >= 4, "{got:?}");
    assert!(!watch.gaps().is_empty(), "{got:?} came, and no gap");
    assert!(node.log().contains("gap"), "{}", node.log());
}
