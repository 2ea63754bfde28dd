//! Messages: what is written is read, in order, from either end.

use bytes::Bytes;
use schema::{TimeSource, Timestamp};

use super::Outcome;
use super::fixture::{Turns, fresh_stream, message, position, seeds, topic, whole};
use super::model::Model;
use crate::{Order, RowMark, Store, TopicPage};

/// All of a message comes back, its JSON byte for byte.
pub async fn what_is_written_comes_back_byte_for_byte<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("bytes");
    let topics = ["t", "t t", "t/1", "é", &"long".repeat(128)];
    let raws: [&[u8]; 5] = [
        b"{}",
        b" {\"a\" : 1.0e2 , \"b\":\t9007199254740993}\n",
        b"null",
        "\"\u{1F30A}\"".as_bytes(),
        &[b'1'; 300_000],
    ];
    let mut messages = Vec::new();
    for (number, (name, raw)) in topics.iter().zip(raws).enumerate() {
        for source in [TimeSource::Message, TimeSource::Arrival, TimeSource::Unreadable, TimeSource::Ahead] {
            let mut one = message(name, -5, position(7, number as u64 * 10 + u64::from(source.to_byte())));
            one.position.sub = 3;
            one.time_source = source;
            one.arrived_at = Timestamp::MAX;
            one.key = if number == 0 { "".into() } else { "a key: é".into() };
            one.raw = Bytes::copy_from_slice(raw);
            messages.push(one);
        }
    }
    store.write_messages(&stream, &messages).await?;
    for name in topics {
        let expect: Vec<_> =
            messages.iter().filter(|message| message.topic.as_str() == name).cloned().collect();
        assert_eq!(store.read_topic(&stream, &topic(name), whole(Order::Ascending)).await?, expect, "{name}");
    }
    let other = fresh_stream("bytes");
    assert_eq!(store.read_topic(&other, &topic("t"), whole(Order::Ascending)).await?, []);
    assert_eq!(store.read_topic(&stream, &topic("unknown"), whole(Order::Descending)).await?, []);
    store.write_messages(&stream, &[]).await
}

/// Ranges, marks, limits and both orders, in any combination.
pub async fn pages_agree_with_a_model<S: Store>(store: &S) -> Outcome {
    for seed in seeds(30) {
        let mut turns = Turns::new(seed);
        let stream = fresh_stream("pages");
        let names = ["a", "a/", "a/b", "b"];
        let count = 1 + turns.below(300);
        let model = Model::random(&mut turns, &names, count);
        for batch in model.messages().chunks(1 + turns.below(100) as usize) {
            store.write_messages(&stream, batch).await?;
        }
        for _ in 0..30 {
            let topic = topic(turns.pick(&names));
            let page = model.random_page(&mut turns);
            let rows = store.read_topic(&stream, &topic, page.clone()).await?;
            assert_eq!(
                rows,
                model.read(std::slice::from_ref(&topic), &page),
                "seed {seed}: {topic} {page:?}"
            );
        }
        for order in [Order::Ascending, Order::Descending] {
            page_through(store, &stream, &model, order, 1 + turns.below(40) as usize, seed).await?;
        }
    }
    Ok(())
}

/// Page by page, each after the last, gives what one read gives.
async fn page_through<S: Store>(
    store: &S,
    stream: &schema::StreamName,
    model: &Model,
    order: Order,
    rows_max: usize,
    seed: u64,
) -> Outcome {
    let mut page = TopicPage { rows_max, ..whole(order) };
    let mut rows = Vec::new();
    loop {
        let next = store.read_topic(stream, &topic("a"), page.clone()).await?;
        let Some(last) = next.last() else { break };
        assert_ne!(page.after, Some(RowMark::of(last)), "seed {seed}: pages that never end");
        page.after = Some(RowMark::of(last));
        rows.extend(next);
    }
    assert_eq!(rows, model.read(&[topic("a")], &whole(order)), "seed {seed}: {order:?} by {rows_max}");
    Ok(())
}

/// A batch may be written again, whole or in other pieces, as after a crash.
pub async fn rows_written_again_change_nothing<S: Store>(store: &S) -> Outcome {
    for seed in seeds(5) {
        let mut turns = Turns::new(seed);
        let stream = fresh_stream("again");
        let model = Model::random(&mut turns, &["a", "b"], 60);
        for _ in 0..3 {
            let from = turns.below(60) as usize;
            store.write_messages(&stream, &model.messages()[from..]).await?;
            store.write_messages(&stream, model.messages()).await?;
        }
        for name in ["a", "b"] {
            let rows = store.read_topic(&stream, &topic(name), whole(Order::Descending)).await?;
            assert_eq!(rows, model.read(&[topic(name)], &whole(Order::Descending)), "seed {seed}: {name}");
        }
    }
    Ok(())
}

/// Bytes bound a page, but never keep a reader from going on.
pub async fn a_page_ends_by_bytes_but_gives_a_row<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("page-bytes");
    let mut messages: Vec<_> = (0..10i64).map(|n| message("t", n, position(0, n as u64 + 1))).collect();
    for message in &mut messages {
        message.raw = Bytes::from(vec![b'7'; 1_000]);
    }
    store.write_messages(&stream, &messages).await?;
    for (bytes_max, expect) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (2_999, 3), (3_000, 3), (1 << 20, 10)]
    {
        for order in [Order::Ascending, Order::Descending] {
            let rows =
                store.read_topic(&stream, &topic("t"), TopicPage { bytes_max, ..whole(order) }).await?;
            assert_eq!(rows.len(), expect, "{bytes_max} bytes, {order:?}");
        }
    }
    Ok(())
}

/// Partitions are written by tasks of their own, into the same topics.
pub async fn writers_at_once_lose_nothing<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("at-once");
    let write = |partition: u64| {
        let stream = &stream;
        async move {
            for number in 0..20u64 {
                // Times wander both ways, so that every write widens the span of the topic.
                let time = (number * 4 + partition) as i64 * if partition < 2 { 1 } else { -1 };
                store.write_messages(stream, &[message("t", time, position(partition, number + 1))]).await?;
            }
            Outcome::Ok(())
        }
    };
    let outcomes = tokio::join!(write(0), write(1), write(2), write(3));
    outcomes.0.and(outcomes.1).and(outcomes.2).and(outcomes.3)?;
    let rows = store.read_topic(&stream, &topic("t"), whole(Order::Ascending)).await?;
    assert_eq!(rows.len(), 80);
    let filter =
        crate::TopicFilter { range: schema::TimeRange::ALL, prefix: String::new(), after: None, limit: 9 };
    let topics = store.topics(&stream, filter).await?;
    assert_eq!((topics[0].first_time, topics[0].last_time), (Timestamp(-79), Timestamp(77)));
    Ok(())
}
