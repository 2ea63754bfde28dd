//! Buckets as a writer fills them: bounded, found again after a restart, and few to look into.

use super::*;
use crate::Messages;
use crate::scylla::buckets::{Bucket, ROWS_MAX, TopicBuckets, WIDTHS};

const MINUTE: i64 = 60_000_000;
const START: i64 = 1_700_000_000_000_000;

/// The rows of each bucket of a topic, by width, start and part; the last to end first, and of these the newest part.
async fn buckets(store: &Scylla, stream: &StreamName) -> Vec<((i64, i64, i32), i64)> {
    let (calls, statements) = (&store.0.calls, &store.0.statements);
    let mut buckets = Vec::new();
    for listed in (TopicBuckets { store, stream, topic: &topic() }).all().await.unwrap() {
        let Bucket { width, start, part } = listed.bucket;
        let key = (stream.as_str(), "t", width, start, part);
        let count = calls.query("test", &statements.count_messages, key).await.unwrap();
        buckets.push(((width, start, part), count.first_row::<(i64,)>().unwrap().0));
    }
    buckets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_times_fill_one_part_after_the_other() {
    if left_out() {
        return;
    }
    let (store, stream) = (open().await, stream("equal"));
    let count = ROWS_MAX + 10_000;
    let messages: Vec<Message> = (1..=count).map(|number| message(number, START)).collect();
    for batch in messages.chunks(4_000) {
        store.write_messages(&stream, batch).await.unwrap();
    }
    let filled = buckets(&store, &stream).await;
    assert!(filled.iter().all(|(_, rows)| *rows <= ROWS_MAX as i64), "{filled:?}");
    assert_eq!(filled.iter().map(|(_, rows)| *rows).sum::<i64>(), count as i64);
    assert_eq!(filled.len(), 2, "{filled:?}");

    // Another process goes on in the part that has room, and not in the one that is full.
    let other = open().await;
    other.write_messages(&stream, &[message(count + 1, START)]).await.unwrap();
    let filled = buckets(&store, &stream).await;
    assert_eq!((filled.len(), filled[0].1), (2, 10_001), "{filled:?}");

    let newest = other.read_topic(&stream, &topic(), page(Order::Descending, 100)).await.unwrap();
    let sequences: Vec<u64> = newest.iter().filter_map(|row| row.position.sequence.as_u64()).collect();
    assert!(sequences.iter().copied().eq((count - 98..=count + 1).rev()), "{sequences:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_of_one_message_a_minute_reads_its_last_hundred_with_few_look_ups() {
    if left_out() {
        return;
    }
    let (store, stream) = (open().await, stream("minute"));
    let messages: Vec<Message> =
        (0..10_000).map(|number| message(number as u64 + 1, START + number * MINUTE)).collect();
    for batch in messages.chunks(10) {
        store.write_messages(&stream, batch).await.unwrap();
    }
    for store in [&store, &open().await] {
        let topic = topic();
        let read = store.read_topic(&stream, &topic, page(Order::Descending, 100));
        let (sent, rows) = requests(store, read).await;
        assert!(rows.unwrap().iter().eq(messages.iter().rev().take(100)));
        assert!(sent <= 4, "{sent} requests");
    }
    let filled = buckets(&store, &stream).await;
    assert!(filled.len() < 10, "{filled:?}");
}

/// As a topic that is written often: its buckets are narrow, and no more of them are looked into when there are many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fast_topic_has_narrow_buckets() {
    if left_out() {
        return;
    }
    let (store, stream) = (open().await, stream("fast"));
    let messages: Vec<Message> = (0..90_000).map(|n| message(n as u64 + 1, START + n * 500)).collect();
    for batch in messages.chunks(4_000) {
        store.write_messages(&stream, batch).await.unwrap();
    }
    let filled = buckets(&store, &stream).await;
    assert!(filled.iter().all(|(_, rows)| *rows <= ROWS_MAX as i64), "{filled:?}");
    assert!(filled.iter().any(|((width, ..), _)| *width == WIDTHS[0]), "{filled:?}");
    let (sent, rows) =
        requests(&store, store.read_topic(&stream, &topic(), page(Order::Descending, 100))).await;
    assert!(rows.unwrap().iter().eq(messages.iter().rev().take(100)));
    assert!(sent <= 4, "{sent} requests");
}

/// Two that write the same topic, as a zombie and its successor do, know nothing of each other's buckets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_processes_write_is_read_once() {
    if left_out() {
        return;
    }
    let (first, second, stream) = (open().await, open().await, stream("two"));
    let messages: Vec<Message> = (0..3_000).map(|n| message(n as u64 + 1, START + n * 1_000)).collect();
    // The second knows the topic to be slow.
    let slow = message(9_999, START - 100 * MINUTE);
    second.write_messages(&stream, std::slice::from_ref(&slow)).await.unwrap();
    for (number, batch) in messages.chunks(100).enumerate() {
        let (one, other) = if number % 2 == 0 { (&first, &second) } else { (&second, &first) };
        one.write_messages(&stream, batch).await.unwrap();
        other.write_messages(&stream, &batch[..50]).await.unwrap();
    }
    for order in [Order::Ascending, Order::Descending] {
        let rows = first.read_topic(&stream, &topic(), page(order, 10_000)).await.unwrap();
        let expect = std::iter::once(&slow).chain(&messages);
        match order {
            Order::Ascending => assert!(rows.iter().eq(expect)),
            Order::Descending => assert!(rows.iter().rev().eq(expect)),
        }
    }
}
