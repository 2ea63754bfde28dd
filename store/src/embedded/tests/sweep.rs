//! Sweeping: what goes, what stays, and what readers are told.

use schema::stream::{IdWindow, Retention};
use schema::{Sequence, Stream, TimeRange, Timestamp};

use super::*;
use crate::embedded::Swept;
use crate::{
    Catalog, DeadLetter, DeadLetters, IdClaim, Ids, Leases, Next, StreamRecord, TopicActivity, TopicFilter,
};

const RETENTION: i64 = 100;

/// A store that keeps what arrived in the last 100 seconds, and the epoch of its partition.
async fn keeping_100_seconds() -> (Fresh, u64) {
    let fresh = Fresh::open();
    let mut definition = Stream::with_defaults(stream());
    definition.retention = Retention::try_from(format!("{RETENTION}s")).unwrap();
    definition.id_window = IdWindow::try_from("60s".to_owned()).unwrap();
    assert!(fresh.put_stream(&StreamRecord::new(definition, &[])).await.unwrap());
    let epoch = fresh.claim_lease(&stream(), &partition()).await.unwrap().epoch;
    (fresh, epoch)
}

/// Sweeps such that what arrived before `second` goes, in steps of `rows_max`, until there is no more.
async fn sweep_before(store: &Embedded, second: i64, rows_max: usize) -> Swept {
    let mut all = Swept::default();
    for _ in 0..10_000 {
        let swept = store.sweep(Timestamp((second + RETENTION) * 1_000_000), rows_max).await.unwrap();
        all.messages += swept.messages;
        all.journal_rows += swept.journal_rows;
        all.topics += swept.topics;
        all.dead_letters += swept.dead_letters;
        all.ids += swept.ids;
        if !swept.more {
            return all;
        }
    }
    panic!("a sweep of {rows_max} rows a step never ends");
}

async fn next(store: &Embedded, consumed: u64) -> Next {
    store.next_journal(&stream(), &partition(), consumed.into()).await.unwrap()
}

async fn topics(store: &Embedded) -> Vec<(String, i64, i64)> {
    let all = TopicFilter { range: TimeRange::ALL, prefix: String::new(), after: None, limit: 999 };
    let listed = store.topics(&stream(), all).await.unwrap();
    let plain = |TopicActivity { topic, first_time, last_time }| {
        (topic.as_str().to_owned(), first_time.0 / 1_000_000, last_time.0 / 1_000_000)
    };
    listed.into_iter().map(plain).collect()
}

#[tokio::test]
async fn what_is_past_retention_goes_and_readers_are_told() {
    for rows_max in [1, 3, 1_000] {
        let (fresh, epoch) = keeping_100_seconds().await;
        append(&fresh, 0, 2, vec![message("old", 1, 10), message("both", 2, 11)]).await.unwrap();
        append(&fresh, 2, 4, vec![message("old", 3, 12), message("both", 4, 13)]).await.unwrap();
        append(&fresh, 4, 6, vec![message("both", 5, 20), message("new", 6, 30)]).await.unwrap();
        append(&fresh, 6, 7, vec![message("new", 7, 40)]).await.unwrap();
        assert!(fresh.checkpoint(&stream(), &partition(), epoch, 7.into()).await.unwrap());

        assert_eq!(sweep_before(&fresh, 10, rows_max).await, Swept::default());
        let swept = sweep_before(&fresh, 25, rows_max).await;
        // The third row stays whole: its newest message does.
        let expect = Swept { messages: 4, journal_rows: 2, topics: 1, ..Swept::default() };
        assert_eq!(swept, expect, "by {rows_max}");
        assert_eq!(topics(&fresh).await, [("both".into(), 20, 20), ("new".into(), 30, 40)]);
        assert_eq!(sequences(&fresh, "both").await, [5]);
        assert_eq!(next(&fresh, 0).await, Next::Gap { to: 4.into() });
        assert_eq!(next(&fresh, 3).await, Next::Gap { to: 4.into() });
        assert!(matches!(next(&fresh, 4).await, Next::Row(row) if row.last == 6.into()));

        let swept = sweep_before(&fresh, 99, rows_max).await;
        assert_eq!(swept, Swept { messages: 3, journal_rows: 2, topics: 2, ..Swept::default() });
        assert_eq!(topics(&fresh).await, []);
        assert_eq!(next(&fresh, 4).await, Next::Gap { to: 7.into() });
        assert_eq!(next(&fresh, 7).await, Next::Wait);
        append(&fresh, 7, 8, vec![message("old", 8, 100)]).await.unwrap();
        assert_eq!(topics(&fresh).await, [("old".into(), 100, 100)]);
        assert!(matches!(next(&fresh, 7).await, Next::Row(_)));
    }
}

#[tokio::test]
async fn what_no_checkpoint_covers_stays() {
    let (fresh, epoch) = keeping_100_seconds().await;
    append(&fresh, 0, 1, vec![message("t", 1, 1)]).await.unwrap();
    append(&fresh, 1, 2, vec![message("t", 2, 2)]).await.unwrap();
    assert_eq!(sweep_before(&fresh, 50, 100).await, Swept::default());
    assert!(fresh.checkpoint(&stream(), &partition(), epoch, 1.into()).await.unwrap());
    assert_eq!(sweep_before(&fresh, 50, 100).await.messages, 1);
    assert_eq!(sequences(&fresh, "t").await, [2]);
}

#[tokio::test]
async fn rows_without_messages_go_with_what_follows_or_in_time() {
    let (fresh, epoch) = keeping_100_seconds().await;
    append(&fresh, 0, 1, vec![]).await.unwrap();
    append(&fresh, 1, 2, vec![message("t", 2, 10)]).await.unwrap();
    append(&fresh, 2, 3, vec![]).await.unwrap();
    append(&fresh, 3, 4, vec![]).await.unwrap();
    assert!(fresh.checkpoint(&stream(), &partition(), epoch, 4.into()).await.unwrap());
    assert_eq!(sweep_before(&fresh, 20, 1).await.journal_rows, 2);
    // The last two were seen by the sweep at second 120, and so are known to be past retention from 220 on.
    assert!(matches!(next(&fresh, 2).await, Next::Row(_)));
    assert_eq!(sweep_before(&fresh, 120, 1).await, Swept::default());
    append(&fresh, 4, 5, vec![]).await.unwrap();
    assert!(fresh.checkpoint(&stream(), &partition(), epoch, 5.into()).await.unwrap());
    assert_eq!(sweep_before(&fresh, 121, 1).await.journal_rows, 2);
    assert_eq!(next(&fresh, 2).await, Next::Gap { to: 4.into() });
    assert!(matches!(next(&fresh, 4).await, Next::Row(_)));
}

#[tokio::test]
async fn a_zombies_late_row_is_swept_again() {
    let (fresh, epoch) = keeping_100_seconds().await;
    let late = vec![message("t", 1, 1)];
    append(&fresh, 0, 1, late.clone()).await.unwrap();
    append(&fresh, 1, 2, vec![message("t", 2, 60)]).await.unwrap();
    assert!(fresh.checkpoint(&stream(), &partition(), epoch, 2.into()).await.unwrap());
    assert_eq!(sweep_before(&fresh, 50, 100).await.messages, 1);
    append(&fresh, 0, 1, late).await.unwrap();
    assert_eq!(next(&fresh, 0).await, Next::Gap { to: 1.into() });
    assert_eq!(sweep_before(&fresh, 51, 100).await.messages, 1);
    assert_eq!(sequences(&fresh, "t").await, [2]);
    assert_eq!(topics(&fresh).await, [("t".into(), 60, 60)]);
}

#[tokio::test]
async fn a_message_that_is_lost_without_a_sweep_is_a_gap_too() {
    let (fresh, epoch) = keeping_100_seconds().await;
    append(&fresh, 0, 4, (1..=4).map(|n| message("t", n, 1)).collect()).await.unwrap();
    assert!(fresh.checkpoint(&stream(), &partition(), epoch, 4.into()).await.unwrap());
    let rows = crate::embedded::keys::topic_rows(&stream(), &topic("t"));
    let lost = message("t", 2, 1);
    let key = crate::embedded::keys::message(&rows, lost.time, &lost.position);
    fresh.tables.with(|tables| tables.messages.remove(key)).unwrap();
    assert_eq!(next(&fresh, 0).await, Next::Gap { to: 2.into() });
    assert!(matches!(next(&fresh, 2).await, Next::Row(row) if row.messages.len() == 3));
}

#[tokio::test]
async fn dead_letters_go_by_arrival() {
    let (fresh, _) = keeping_100_seconds().await;
    let letters: Vec<_> = (1..=6u64)
        .map(|n| DeadLetter {
            position: Position { partition: PartitionId::embedded(n as u32 % 2), sequence: n.into(), sub: 0 },
            arrived_at: Timestamp(n as i64 * 10_000_000),
            key: "k".into(),
            reason: "not JSON".into(),
            raw: Bytes::new(),
        })
        .collect();
    fresh.write_dead_letters(&stream(), &letters).await.unwrap();
    // Of one that was removed, that goes as it would have gone itself.
    let removed = [1, 5].map(|n: usize| letters[n - 1].position.clone());
    fresh.remove_dead_letters(&stream(), &removed).await.unwrap();
    assert_eq!(sweep_before(&fresh, 40, 1).await.dead_letters, 3);
    let left = fresh.dead_letters(&stream(), None, 9).await.unwrap();
    assert_eq!(left.iter().map(|letter| letter.arrived_at.0).collect::<Vec<_>>(), [40_000_000, 60_000_000]);
    assert_eq!(sweep_before(&fresh, 60, 9).await.dead_letters, 2);
    fresh.write_dead_letters(&stream(), &letters[4..5]).await.unwrap();
    assert_eq!(fresh.dead_letters(&stream(), None, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn claims_go_once_every_partition_is_past_them() {
    let (fresh, epoch) = keeping_100_seconds().await;
    const HOUR: i64 = 3_600;
    let claims: Vec<_> = (0..10i64)
        .map(|n| IdClaim {
            key: "k".into(),
            id: n.to_string(),
            generation: 0,
            sequence: (n as u64 + 1).into(),
            sub: 0,
            arrived_at: Timestamp(n * 100_000_000),
        })
        .collect();
    fresh.claim_ids(&stream(), &claims, 60_000_000).await.unwrap();
    // However late it is: nothing says that the records around them were decided.
    assert_eq!(sweep_before(&fresh, 100 * HOUR, 3).await.ids, 0);
    append(&fresh, 0, 1, vec![message("t", 1, HOUR + 60 + 450)]).await.unwrap();
    // Without a checkpoint it is decided again after a crash, by the same claims.
    assert_eq!(sweep_before(&fresh, 0, 3).await.ids, 0);
    assert!(fresh.checkpoint(&stream(), &partition(), epoch, 1.into()).await.unwrap());
    assert_eq!(sweep_before(&fresh, 0, 3).await.ids, 5);
    // Another partition that is behind holds the rest back.
    let mut behind = message("t", 2, 1);
    let other = PartitionId::embedded(1);
    behind.position.partition = other.clone();
    let row =
        JournalRow { after: Sequence::ZERO, last: 2.into(), messages: vec![behind], children: Vec::new() };
    fresh.append_journal(&stream(), &other, &row).await.unwrap();
    let others_epoch = fresh.claim_lease(&stream(), &other).await.unwrap().epoch;
    assert!(fresh.checkpoint(&stream(), &other, others_epoch, 2.into()).await.unwrap());
    append(&fresh, 1, 3, vec![message("t", 3, 9 * HOUR)]).await.unwrap();
    assert!(fresh.checkpoint(&stream(), &partition(), epoch, 3.into()).await.unwrap());
    assert_eq!(sweep_before(&fresh, 0, 3).await.ids, 0);
    let row = JournalRow {
        after: 2.into(),
        last: 4.into(),
        messages: vec![message("t", 4, 9 * HOUR)],
        children: Vec::new(),
    };
    fresh.append_journal(&stream(), &other, &row).await.unwrap();
    assert!(fresh.checkpoint(&stream(), &other, others_epoch, 4.into()).await.unwrap());
    // What was a dead letter arrived at any time.
    let (replays, mut old) = (PartitionId::replays(), message("t", 1, 1));
    old.position.partition = replays.clone();
    let row = JournalRow { after: Sequence::ZERO, last: 1.into(), messages: vec![old], children: Vec::new() };
    fresh.append_journal(&stream(), &replays, &row).await.unwrap();
    assert_eq!(sweep_before(&fresh, 0, 3).await.ids, 5);
}

/// A claim that stays is found also when the one that was written first has gone, however small the steps.
#[tokio::test]
async fn claims_that_stay_are_found() {
    for rows_max in [1, 2, 100] {
        let (fresh, epoch) = keeping_100_seconds().await;
        let claim = |id: &str, sequence: u64, second: i64| IdClaim {
            key: "k".into(),
            id: id.into(),
            generation: 0,
            sequence: sequence.into(),
            sub: 0,
            arrived_at: Timestamp(second * 1_000_000),
        };
        let window = 60_000_000;
        let claims =
            [claim("a", 1, 0), claim("a", 2, 1), claim("a", 3, 500), claim("b", 4, 0), claim("b", 5, 1)];
        fresh.claim_ids(&stream(), &claims, window).await.unwrap();
        append(&fresh, 0, 1, vec![message("t", 1, 3_600 + 60 + 400)]).await.unwrap();
        assert!(fresh.checkpoint(&stream(), &partition(), epoch, 1.into()).await.unwrap());
        let swept = sweep_before(&fresh, 0, rows_max).await.ids;
        assert!(swept >= 2, "by {rows_max}: {swept}");
        let again =
            fresh.claim_ids(&stream(), &[claim("a", 9, 501), claim("b", 9, 501)], window).await.unwrap();
        assert_eq!(again, [true, false], "by {rows_max}");
    }
}

/// Batches cut at random, late messages, sweeps of any size between them: everything that is not past retention stays, is
/// listed and is read, and no gap hides any of it.
#[tokio::test]
async fn sweeps_at_random_lose_nothing_that_stays() {
    for seed in 0..12u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |n: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % n
        };
        let (fresh, epoch) = keeping_100_seconds().await;
        let (mut log, mut at): (Vec<Message>, u64) = (Vec::new(), 0);
        let mut cutoff = 0;
        for second in 0..60i64 {
            let count = below(6);
            for _ in 0..count {
                let sequence = log.len() as u64 + 1;
                let mut one = message(["a", "b", "c"][below(3) as usize], sequence, second * 10);
                one.time = one.time.plus_micros(-(below(200) as i64) * 1_000_000);
                log.push(one);
            }
            // A worker may die after the row: the next cuts from the checkpoint anew.
            let end = log.len() as u64;
            for last in [at + (end - at) / 2, end] {
                append(&fresh, at, last, log[at as usize..last as usize].to_vec()).await.unwrap();
                if below(3) == 0 {
                    assert!(fresh.checkpoint(&stream(), &partition(), epoch, last.into()).await.unwrap());
                    at = last;
                }
            }
            if below(4) == 0 {
                cutoff = second * 10 - 50;
                fresh
                    .sweep(Timestamp((cutoff + RETENTION) * 1_000_000), 1 + below(40) as usize)
                    .await
                    .unwrap();
            }
        }
        let stays = |message: &&Message| message.arrived_at.0 >= cutoff * 1_000_000;
        for name in ["a", "b", "c"] {
            let left = sequences(&fresh, name).await;
            for message in log.iter().filter(stays).filter(|message| message.topic.as_str() == name) {
                assert!(
                    left.iter().any(|n| message.position.sequence == (*n).into()),
                    "seed {seed}: {message:?}"
                );
            }
            let times: Vec<i64> = left.iter().map(|n| log[*n as usize - 1].time.0 / 1_000_000).collect();
            let span = topics(&fresh).await.into_iter().find(|topic| topic.0 == name);
            assert_eq!(span.as_ref().map(|span| span.1), times.first().copied(), "seed {seed}: {name}");
            assert!(span.map(|span| span.2) >= times.last().copied(), "seed {seed}: {name}");
        }
        let (mut consumed, mut got) = (0, Vec::new());
        loop {
            match next(&fresh, consumed).await {
                Next::Wait => break,
                Next::Gap { to } => consumed = to.as_u64().unwrap(),
                Next::Row(row) => {
                    got.extend(row.messages.into_iter().filter(|m| m.position.sequence > consumed.into()));
                    consumed = row.last.as_u64().unwrap();
                }
            }
        }
        assert!(got.is_sorted_by(|a, b| a.position < b.position), "seed {seed}");
        let got: Vec<&Message> = got.iter().filter(stays).collect();
        assert_eq!(got, log.iter().filter(stays).collect::<Vec<_>>(), "seed {seed}");
    }
}
