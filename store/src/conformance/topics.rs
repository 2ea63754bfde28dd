//! Topics: listed once a message is there.

use std::collections::BTreeMap;

use schema::{TimeRange, Timestamp, Topic};

use super::Outcome;
use super::fixture::{Turns, fresh_stream, message, position, seeds, topic};
use super::model::Model;
use crate::{Store, TopicActivity, TopicFilter};

const NAMES: [&str; 9] = ["a", "a/b", "a/b/c", "ab", "b", "b!", "b/a", "é", "éé"];

/// Range, prefix, start and limit, in any combination. All topics that have a message in the range are there, in byte
/// order; further ones may be.
pub async fn lists_agree_with_a_model<S: Store>(store: &S) -> Outcome {
    for seed in seeds(20) {
        let mut turns = Turns::new(seed);
        let stream = fresh_stream("topics");
        let count = 1 + turns.below(40);
        let model = Model::random(&mut turns, &NAMES, count);
        for batch in model.messages().chunks(1 + turns.below(10) as usize) {
            store.write_messages(&stream, batch).await?;
        }
        let mut spans: BTreeMap<Topic, TopicActivity> = BTreeMap::new();
        for message in model.messages() {
            let (topic, first_time, last_time) = (message.topic.clone(), message.time, message.time);
            let span = spans.entry(topic.clone()).or_insert(TopicActivity { topic, first_time, last_time });
            span.first_time = span.first_time.min(message.time);
            span.last_time = span.last_time.max(message.time);
        }
        for _ in 0..20 {
            let mut filter = all();
            if turns.one_in(2) {
                filter.prefix = (turns.pick(&["a", "a/", "b", "é", "c"])).into();
            }
            filter.after = turns.one_in(2).then(|| topic(turns.pick(&NAMES)));
            if turns.one_in(2) {
                let time = model.any(&mut turns).time;
                filter.range = TimeRange { from: time, to: time.plus_micros(1 + turns.below(3) as i64) };
            }
            let listed = store.topics(&stream, filter.clone()).await?;
            assert!(listed.is_sorted_by(|a, b| a.topic < b.topic), "seed {seed}: {listed:?}");
            for activity in &listed {
                assert_eq!(spans.get(&activity.topic), Some(activity), "seed {seed}");
                let wanted = activity.topic.as_str().starts_with(&filter.prefix)
                    && filter.after.as_ref().is_none_or(|after| activity.topic > *after);
                assert!(wanted, "seed {seed}: {filter:?} gives {activity:?}");
            }
            let must = model.messages().iter().filter(|message| {
                filter.range.contains(message.time)
                    && message.topic.as_str().starts_with(&filter.prefix)
                    && filter.after.as_ref().is_none_or(|after| message.topic > *after)
            });
            for message in must {
                let there = listed.iter().any(|activity| activity.topic == message.topic);
                assert!(there, "seed {seed}: {filter:?} lacks {}", message.topic);
            }
        }
    }
    Ok(())
}

/// A list is read piece by piece, each after the last topic of the one before.
pub async fn a_list_is_read_in_pieces<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("pieces");
    let messages: Vec<_> =
        (0..250u64).map(|n| message(&format!("sensor/{n:03}"), n as i64, position(0, n + 1))).collect();
    store.write_messages(&stream, &messages).await?;
    for limit in [1, 7, 250, 1_000] {
        let mut filter = TopicFilter { limit, ..all() };
        let mut names = Vec::new();
        loop {
            let piece = store.topics(&stream, filter.clone()).await?;
            assert!(piece.len() <= limit);
            let Some(last) = piece.last() else { break };
            assert!(filter.after.as_ref().is_none_or(|after| last.topic > *after), "a list that never ends");
            filter.after = Some(last.topic.clone());
            names.extend(piece.into_iter().map(|activity| activity.topic));
        }
        assert!(names.iter().eq(messages.iter().map(|message| &message.topic)), "by {limit}");
    }
    let unknown = fresh_stream("pieces");
    assert_eq!(store.topics(&unknown, all()).await?, []);
    let empty = TopicFilter { range: TimeRange { from: Timestamp(300), to: Timestamp(300) }, ..all() };
    store.topics(&stream, empty).await?;
    Ok(())
}

fn all() -> TopicFilter {
    TopicFilter { range: TimeRange::ALL, prefix: String::new(), after: None, limit: 1_000 }
}
