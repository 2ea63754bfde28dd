//! Clients that do not read what they asked for.

use std::time::Duration;

use futures_util::StreamExt;
use gateway::LiveSettings;
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::client::Socket;
use crate::hand::{ALL, Hand, assert_numbers, behind, cursor, take};
use crate::rig::{PATIENCE, until};

/// Far more than the buffers of a connection hold, and the ring, in rows of fifty.
const MESSAGES: u64 = 4_000;
const BYTES: usize = 1_000;

/// Little is kept, so that who is slow must go to the journal.
fn little() -> LiveSettings {
    LiveSettings { ring_bytes: 100_000, behind_bytes: 100_000, batch_bytes: 10_000, ..Default::default() }
}

/// Two sockets that follow everything.
async fn two(hand: &Hand) -> (Socket, Socket) {
    let (mut slow, mut quick) = (hand.rig.connect().await, hand.rig.connect().await);
    slow.subscribe("a", ALL).await;
    quick.subscribe("a", ALL).await;
    hand.running(2).await;
    (slow, quick)
}

/// Writes everything while `quick` reads, and nobody else.
async fn write_all(hand: &mut Hand, quick: &mut Socket) {
    let write = async {
        for start in (0..MESSAGES).step_by(50) {
            hand.write(start..start + 50, BYTES).await;
        }
    };
    let ((), got) = tokio::join!(write, take(quick, "a", MESSAGES));
    assert_numbers(&got, 0..MESSAGES);
}

#[tokio::test]
async fn who_reads_late_gets_everything_once_and_holds_up_nobody() {
    let mut hand = Hand::with(little()).await;
    let (mut slow, mut quick) = two(&hand).await;
    write_all(&mut hand, &mut quick).await;
    assert_numbers(&take(&mut slow, "a", MESSAGES).await, 0..MESSAGES);
    // It has caught up with the others.
    hand.write(MESSAGES..MESSAGES + 2, 0).await;
    assert_numbers(&take(&mut slow, "a", 2).await, MESSAGES..MESSAGES + 2);
    assert_numbers(&take(&mut quick, "a", 2).await, MESSAGES..MESSAGES + 2);
}

#[tokio::test]
async fn who_does_not_read_in_time_is_told_to_come_back_and_misses_nothing() {
    let mut hand = Hand::with(LiveSettings { unread_ms: 1_000, ..little() }).await;
    let (mut slow, mut quick) = two(&hand).await;
    let gateway = hand.rig.gateway.clone();
    let coming_back = async {
        until("it to be given up", || gateway.live_operations() == 1).await;
        // It hears why only if it comes soon: a goodbye that nobody takes is not waited for long.
        rest(&mut slow).await
    };
    let ((), (mut got, code)) = tokio::join!(write_all(&mut hand, &mut quick), coming_back);
    assert_eq!(code, 1013);
    let count = got.len() as u64;
    assert!(count > 0 && count < MESSAGES, "{count}");
    let mut again = hand.rig.connect().await;
    again.subscribe("a", &behind(&cursor(got.last().unwrap()))).await;
    got.extend(take(&mut again, "a", MESSAGES - count).await);
    assert_numbers(&got, 0..MESSAGES);
    until("it to be gone", || hand.rig.gateway.sockets() == 2).await;
    hand.write(MESSAGES..MESSAGES + 1, 0).await;
    assert_numbers(&take(&mut quick, "a", 1).await, MESSAGES..MESSAGES + 1);
}

/// Slowness is no silence: who takes something now and then stays.
#[tokio::test]
async fn who_reads_slowly_is_not_given_up() {
    let mut hand = Hand::with(LiveSettings { unread_ms: 2_000, ping_ms: 2_000, ..little() }).await;
    let (mut slow, mut quick) = two(&hand).await;
    let reading = async {
        let mut got = Vec::new();
        // Twice as long as nothing may be taken, and each time more than is buffered, so that the server feels it.
        for _ in 0..40 {
            got.extend(take(&mut slow, "a", MESSAGES / 40).await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        got
    };
    let ((), got) = tokio::join!(write_all(&mut hand, &mut quick), reading);
    assert_numbers(&got, 0..MESSAGES);
}

/// Everything that comes up to the close, and its code.
async fn rest(socket: &mut Socket) -> (Vec<Value>, u16) {
    let mut got = Vec::new();
    loop {
        match timeout(PATIENCE, socket.0.next()).await.unwrap().unwrap().unwrap() {
            Message::Text(text) => {
                got.push(serde_json::from_str::<Value>(&text).unwrap()["payload"].clone());
            }
            Message::Close(frame) => return (got, frame.unwrap().code.into()),
            _ => {}
        }
    }
}
