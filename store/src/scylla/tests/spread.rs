//! Reading, however messages are spread over buckets: more of them than one look shows, that overlap, in parts, with
//! messages that lie in two.

use std::collections::BTreeSet;

use super::*;
use crate::scylla::buckets::{Bucket, WIDTHS};
use crate::{Messages, RowMark};

const START: i64 = 1_700_000_000_000_000;
const SECOND: i64 = 1_000_000;

/// Random turns (xorshift64*).
struct Turns(u64);

impl Turns {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }
}

/// Puts messages there, and says so as a writer does.
async fn put(store: &Scylla, stream: &StreamName, messages: &[&Message], bucket: Bucket) {
    let row = (stream.as_str(), "t", bucket.end(), bucket.width, bucket.part, None::<i32>, 0, -1i64);
    store.0.calls.run("test", &store.0.statements.insert_bucket, row).await.unwrap();
    let rule = store.expiry(stream).await.unwrap();
    store.write_rows(stream, &topic(), bucket, messages, &rule).await.unwrap();
}

async fn check(seed: u64, span_seconds: u64, parts: u64, pages: &[usize]) {
    let (store, stream) = (open().await, stream("spread"));
    let mut turns = Turns(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut expect: Vec<Message> =
        (1..=500).map(|number| message(number, START + turns.below(span_seconds) as i64 * SECOND)).collect();
    let mut used = BTreeSet::new();
    for message in &expect {
        for _ in 0..1 + turns.below(2) {
            let width = WIDTHS[[0, 0, 0, 1, 2][turns.below(5) as usize]];
            let mut bucket = Bucket::around(message.time.0, width);
            bucket.part = turns.below(parts) as i32;
            used.insert((bucket.width, bucket.start, bucket.part));
            put(&store, &stream, &[message], bucket).await;
        }
    }
    assert!(used.len() > 200, "one look shows all: {}", used.len());
    expect.sort_by_key(RowMark::of);
    for order in [Order::Ascending, Order::Descending] {
        for &rows_max in pages {
            let mut ask = page(order, rows_max);
            let mut read = Vec::new();
            loop {
                let rows = store.read_topic(&stream, &topic(), ask.clone()).await.unwrap();
                let Some(last) = rows.last() else { break };
                ask.after = Some(RowMark::of(last));
                read.extend(rows);
                assert!(read.len() <= expect.len(), "seed {seed}: {order:?} by {rows_max}");
            }
            if order == Order::Descending {
                read.reverse();
            }
            assert_eq!(read, expect, "seed {seed}: {order:?} by {rows_max}");
        }
    }
    for _ in 0..30 {
        let (a, b) = (turns.below(span_seconds) as i64, turns.below(span_seconds) as i64);
        let mut ask = page(Order::Descending, 10_000);
        ask.range = TimeRange { from: Timestamp(START + a * SECOND), to: Timestamp(START + b * SECOND) };
        let mut rows = store.read_topic(&stream, &topic(), ask.clone()).await.unwrap();
        rows.reverse();
        assert!(rows.iter().eq(expect.iter().filter(|row| ask.range.contains(row.time))), "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_buckets_that_overlap_are_read_as_one() {
    if left_out() {
        return;
    }
    check(1, 3_600, 2, &[1, 7, 100, 1_000]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_parts_of_the_same_time_are_read_as_one() {
    if left_out() {
        return;
    }
    check(2, 20, 150, &[50, 1_000]).await;
}

/// The newest are one list and one bucket away, and one more where another covers their time, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_hundred_of_many_buckets_take_as_many_requests_as_those_of_one() {
    if left_out() {
        return;
    }
    let store = open().await;
    for (name, count, is_covered) in [("one", 1, false), ("many", 320, false), ("covered", 320, true)] {
        let stream = stream(name);
        let newest = Bucket::around(START, WIDTHS[0]);
        let mut expect: Vec<Message> =
            (0..100).map(|n| message(9_000 + n, newest.start + n as i64)).collect();
        put(&store, &stream, &expect.iter().collect::<Vec<_>>(), newest).await;
        for number in 1..count {
            let bucket = Bucket::around(newest.start - number * newest.width, newest.width);
            let message = message(9_000 - number as u64, bucket.start);
            put(&store, &stream, &[&message], bucket).await;
            expect.push(message);
        }
        if is_covered {
            // As of a topic whose first message came alone.
            let wide = Bucket::around(START, WIDTHS[4]);
            let message = message(1, wide.start);
            put(&store, &stream, &[&message], wide).await;
            expect.push(message);
        }
        expect.sort_by_key(|message| std::cmp::Reverse(RowMark::of(message)));
        for rows in [1, 100] {
            let ask = page(Order::Descending, rows);
            let (sent, read) = requests(&store, store.read_topic(&stream, &topic(), ask)).await;
            assert_eq!(read.unwrap(), expect[..rows], "{name}");
            assert_eq!(sent, if is_covered { 3 } else { 2 }, "{name}: the newest {rows}");
        }
        for order in [Order::Ascending, Order::Descending] {
            // Three looks at the list at most, and a bucket or two.
            let mut ask = page(order, 1);
            let middle = expect.len() / 2;
            (ask.range.from, ask.range.to) = match order {
                Order::Ascending => (expect[middle].time, TimeRange::ALL.to),
                Order::Descending => (TimeRange::ALL.from, expect[middle].time.plus_micros(1)),
            };
            let (sent, read) = requests(&store, store.read_topic(&stream, &topic(), ask)).await;
            assert_eq!(read.unwrap(), expect[middle..=middle], "{name}: {order:?}");
            assert!(sent <= 5, "{name}: {sent} requests from the middle, {order:?}");
        }
    }
}
