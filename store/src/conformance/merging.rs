//! Several topics as one: what [`merge`](crate::merge) makes of the store's pages.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use schema::{Message, StreamName, Topic};

use super::Outcome;
use super::fixture::{Turns, fresh_stream, message, position, seeds, topic, whole};
use super::model::Model;
use crate::merge::read_topics;
use crate::{Messages, Order, Store, StoreError, TopicActivity, TopicFilter, TopicPage};

/// Any page over any topics.
pub async fn merged_topics_agree_with_a_model<S: Store>(store: &S) -> Outcome {
    for seed in seeds(20) {
        let mut turns = Turns::new(seed);
        let stream = fresh_stream("merged");
        let names = ["a", "b", "c", "d", "e"];
        let count = 1 + turns.below(200);
        let model = Model::random(&mut turns, &names, count);
        store.write_messages(&stream, model.messages()).await?;
        for _ in 0..20 {
            let mut topics: Vec<Topic> = names.iter().chain(&["none"]).map(|name| topic(name)).collect();
            turns.shuffle(&mut topics);
            topics.truncate(turns.below(7) as usize);
            let page = model.random_page(&mut turns);
            let rows = read_topics(store, &stream, &topics, &page).await?;
            assert_eq!(rows, model.read(&topics, &page), "seed {seed}: {topics:?} {page:?}");
        }
    }
    Ok(())
}

/// Of T topics and a page of N rows, at most T + 2·N rows are loaded, also where all rows lie in one topic.
pub async fn a_merge_loads_little_more_than_it_gives<S: Store>(store: &S) -> Outcome {
    for seed in seeds(20) {
        let mut turns = Turns::new(seed);
        let stream = fresh_stream("loads");
        let names: Vec<String> = (0..1 + turns.below(40)).map(|n| format!("t{n:02}")).collect();
        let even = turns.one_in(2);
        let mut messages = Vec::new();
        for number in 0..600u64 {
            // Either each in turn, or runs: the latter make one topic give nearly all of a page.
            let run = if even { number } else { number / (1 + seed * 30) };
            let name = &names[(run % names.len() as u64) as usize];
            messages.push(message(name, number as i64, position(0, number + 1)));
        }
        store.write_messages(&stream, &messages).await?;
        let topics: Vec<Topic> = names.iter().map(|name| topic(name)).collect();
        for rows_max in [1, 2, 10, 100, 500] {
            for order in [Order::Ascending, Order::Descending] {
                let counting = Counting { store, rows: AtomicUsize::new(0) };
                let page = TopicPage { rows_max, ..whole(order) };
                let rows = read_topics(&counting, &stream, &topics, &page).await?;
                assert_eq!(rows.len(), rows_max, "seed {seed}");
                let (loaded, most) = (counting.rows.into_inner(), topics.len() + 2 * rows_max);
                assert!(loaded <= most, "seed {seed}: loaded {loaded} of at most {most} for {rows_max}");
            }
        }
    }
    Ok(())
}

/// The bytes of a page bound the whole merge, not each topic of it.
pub async fn a_merge_keeps_to_its_bytes<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("merge-bytes");
    let mut messages = Vec::new();
    for number in 0..200u64 {
        let mut one = message(&format!("t{}", number % 10), number as i64, position(0, number + 1));
        one.raw = Bytes::from(vec![b'7'; 1_000]);
        messages.push(one);
    }
    store.write_messages(&stream, &messages).await?;
    let topics: Vec<Topic> = (0..10).map(|n| topic(&format!("t{n}"))).collect();
    for (bytes_max, expect) in [(0, 1), (5_000, 5), (20_000, 20), (1 << 30, 200)] {
        let counting = Counting { store, rows: AtomicUsize::new(0) };
        let page = TopicPage { bytes_max, rows_max: 200, ..whole(Order::Ascending) };
        let rows = read_topics(&counting, &stream, &topics, &page).await?;
        assert_eq!(rows, messages[..expect], "{bytes_max} bytes");
        let loaded = counting.rows.into_inner();
        assert!(loaded <= 2 * expect + 10, "loaded {loaded} rows for {bytes_max} bytes");
    }
    Ok(())
}

/// Counts the rows that a store gives.
struct Counting<'s, S> {
    store: &'s S,
    rows: AtomicUsize,
}

#[async_trait]
impl<S: Store> Messages for Counting<'_, S> {
    async fn write_messages(&self, stream: &StreamName, messages: &[Message]) -> Result<(), StoreError> {
        self.store.write_messages(stream, messages).await
    }

    async fn read_topic(
        &self,
        stream: &StreamName,
        topic: &Topic,
        page: TopicPage,
    ) -> Result<Vec<Message>, StoreError> {
        let rows = self.store.read_topic(stream, topic, page).await?;
        self.rows.fetch_add(rows.len(), Ordering::Relaxed);
        Ok(rows)
    }

    async fn topics(
        &self,
        stream: &StreamName,
        filter: TopicFilter,
    ) -> Result<Vec<TopicActivity>, StoreError> {
        self.store.topics(stream, filter).await
    }
}
