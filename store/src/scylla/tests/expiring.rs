//! Retention: counted from arrival, kept by the servers.

use std::time::Duration;

use schema::Stream;

use super::*;
use crate::{
    Catalog, DeadLetter, DeadLetters, IdClaim, Ids, Journal, JournalRow, Leases, Messages, Next,
    StreamRecord, TopicFilter,
};

const SECOND: i64 = 1_000_000;

async fn stream_that_keeps(store: &Scylla, retention: &str) -> StreamName {
    let name = stream("kept");
    let definition: Stream =
        serde_json::from_str(&format!(r#"{{"name":"{name}","retention":"{retention}"}}"#)).unwrap();
    assert!(store.put_stream(&StreamRecord::new(definition, &[])).await.unwrap());
    name
}

async fn write(store: &Scylla, stream: &StreamName, message: &Message) {
    store.write_messages(stream, std::slice::from_ref(message)).await.unwrap();
    let row =
        JournalRow { after: 0.into(), last: 5.into(), messages: vec![message.clone()], children: Vec::new() };
    store.append_journal(stream, &partition(), &row).await.unwrap();
    let letter = DeadLetter {
        position: message.position.clone(),
        arrived_at: message.arrived_at,
        key: "k".into(),
        reason: "r".into(),
        raw: Bytes::new(),
    };
    store.write_dead_letters(stream, &[letter]).await.unwrap();
    let claim = IdClaim {
        key: "k".into(),
        id: "i".into(),
        generation: 0,
        sequence: 1.into(),
        sub: 0,
        arrived_at: message.arrived_at,
    };
    store.claim_ids(stream, &[claim], SECOND).await.unwrap();
}

/// The times to live of all rows of a table, in seconds.
async fn ttls(store: &Scylla, table: &str, column: &str, stream: &StreamName) -> Vec<Option<i32>> {
    let text = format!("SELECT TTL({column}) FROM {table} WHERE stream = '{stream}' ALLOW FILTERING");
    let rows = store.0.calls.session.query_unpaged(text, &[]).await.unwrap().into_rows_result().unwrap();
    rows.rows::<(Option<i32>,)>().unwrap().map(|row| row.unwrap().0).collect()
}

const TABLES: [(&str, &str); 7] = [
    ("messages", "raw"),
    ("journal", "messages"),
    ("dead_letters", "raw"),
    ("ids", "arrived_at"),
    ("topics", "first_time"),
    ("topics", "last_time"),
    ("topic_buckets", "row_bytes"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_live_for_what_is_left_counted_from_arrival() {
    if left_out() {
        return;
    }
    let store = open().await;
    let stream = stream_that_keeps(&store, "3h").await;
    let mut one = message(1, 0);
    one.arrived_at = one.arrived_at.plus_micros(-3_600 * SECOND);
    write(&store, &stream, &one).await;
    let mut two = message(2, SECOND);
    two.arrived_at = one.arrived_at;
    store.write_messages(&stream, &[two]).await.unwrap();
    for (table, column) in TABLES {
        let slack = match table {
            "ids" => 3_600,
            "topics" | "topic_buckets" => 3_600 + 3 * 3_600 / 8,
            _ => 0,
        };
        let left = 7_200 + slack;
        for ttl in ttls(&store, table, column, &stream).await.into_iter().flatten() {
            assert!((left - 60..=left).contains(&ttl), "{table}.{column}: {ttl}, not about {left}");
        }
    }
    // A stream that the catalog does not know keeps everything.
    let unknown = super::stream("unknown");
    write(&store, &unknown, &message(1, 0)).await;
    for (table, column) in TABLES {
        let ttls = ttls(&store, table, column, &unknown).await;
        assert!(!ttls.is_empty() && ttls.iter().all(Option::is_none), "{table}: {ttls:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_retention_has_passed_is_gone_and_readers_are_told() {
    if left_out() {
        return;
    }
    let store = open().await;
    let stream = stream_that_keeps(&store, "1h").await;
    let epoch = store.claim_lease(&stream, &partition()).await.unwrap().epoch;
    let mut old = message(1, 0);
    old.arrived_at = old.arrived_at.plus_micros(-7_200 * SECOND);
    write(&store, &stream, &old).await;
    assert!(store.checkpoint(&stream, &partition(), epoch, 5.into()).await.unwrap());
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let rows = store.read_topic(&stream, &topic(), page(Order::Ascending, 10)).await.unwrap();
    assert_eq!(rows, []);
    assert_eq!(store.dead_letters(&stream, None, 10).await.unwrap(), []);
    let next = store.next_journal(&stream, &partition(), 0.into()).await.unwrap();
    assert_eq!(next, Next::Gap { to: 5.into() });
}

/// Another process may come to the same topic with what arrived long ago: after a crash, or as a zombie.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_is_listed_as_long_as_any_of_its_messages_stays() {
    if left_out() {
        return;
    }
    let (store, other) = (open().await, open().await);
    let stream = stream_that_keeps(&store, "72h").await;
    let arrived = |sequence, time: i64, hours_ago: i64| {
        let mut message = message(sequence, time * SECOND);
        message.arrived_at = message.arrived_at.plus_micros(-hours_ago * 3_600 * SECOND);
        message
    };
    store.write_messages(&stream, &[arrived(1, 0, 0), arrived(2, 10, 0)]).await.unwrap();
    other.write_messages(&stream, &[arrived(3, 3, 60), arrived(4, 6, 60)]).await.unwrap();
    let left = *ttls(&store, "messages", "raw", &stream).await.iter().max().unwrap();
    for (table, column) in [("topic_buckets", "row_bytes"), ("topics", "first_time"), ("topics", "last_time")]
    {
        let ttls = ttls(&store, table, column, &stream).await;
        assert!(ttls.iter().all(|ttl| *ttl >= left), "{table}.{column}: {ttls:?}, but a message {left:?}");
    }
}

/// The first and the last time of a topic go with the messages that had them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_is_listed_as_long_as_any_of_its_messages_stays() {
    if left_out() {
        return;
    }
    let (store, other) = (open().await, open().await);
    let stream = stream_that_keeps(&store, "8h").await;
    // What says where they are has three seconds left: 8 hours of retention, an hour and an eighth of it have passed.
    let mut ends = [message(1, 0), message(2, 10 * SECOND)];
    for end in &mut ends {
        end.arrived_at = end.arrived_at.plus_micros(-(8 + 1 + 1) * 3_600 * SECOND + 3 * SECOND);
    }
    store.write_messages(&stream, &ends).await.unwrap();
    other.write_messages(&stream, &[message(3, 5 * SECOND)]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let filter = TopicFilter { range: schema::TimeRange::ALL, prefix: String::new(), after: None, limit: 10 };
    let listed = store.topics(&stream, filter).await.unwrap();
    assert_eq!(listed.iter().map(|activity| activity.topic.clone()).collect::<Vec<_>>(), [topic()]);
    let rows = store.read_topic(&stream, &topic(), page(Order::Ascending, 10)).await.unwrap();
    assert_eq!(rows.len(), 1);
}

/// As after days without the store: a batch may bring what the batch before has brought already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_of_an_id_outlives_its_window_though_its_record_comes_past_retention() {
    if left_out() {
        return;
    }
    let store = open().await;
    let stream = stream_that_keeps(&store, "1h").await;
    let mut old = message(1, 0);
    old.arrived_at = old.arrived_at.plus_micros(-100 * 3_600 * SECOND);
    write(&store, &stream, &old).await;
    let ttls = ttls(&store, "ids", "arrived_at", &stream).await;
    assert!(ttls.iter().all(|ttl| ttl.is_some_and(|ttl| ttl > 3_000)), "{ttls:?}");
}

/// Or it would be there again, once nothing says any more that it was removed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_a_letter_was_removed_is_known_longer_than_the_letter_stays() {
    if left_out() {
        return;
    }
    let store = open().await;
    let stream = stream_that_keeps(&store, "72h").await;
    let one = message(1, 0);
    write(&store, &stream, &one).await;
    let letter = store.dead_letter(&stream, &one.position).await.unwrap().unwrap();
    // By another process, which knows of a shorter retention.
    let record = store.streams().await.unwrap().into_iter().find(|record| *record.name() == stream).unwrap();
    let shorter: Stream =
        serde_json::from_str(&format!(r#"{{"name":"{stream}","retention":"1h"}}"#)).unwrap();
    assert!(store.put_stream(&record.redefined(shorter, crate::testing::cql::now()).unwrap()).await.unwrap());
    let other = open().await;
    other.remove_dead_letters(&stream, std::slice::from_ref(&one.position)).await.unwrap();
    let known = ttls(&store, "dead_letters", "removed", &stream).await;
    let would_stay = ttls(&store, "dead_letters", "arrived_at", &stream).await;
    assert!(known[0] > would_stay[0] && would_stay[0] > Some(71 * 3_600), "{known:?}, {would_stay:?}");
    assert_eq!(ttls(&store, "dead_letters", "raw", &stream).await, [None]);
    store.write_dead_letters(&stream, &[letter]).await.unwrap();
    assert_eq!(store.dead_letter(&stream, &one.position).await.unwrap(), None);
    // Where a letter stays for ever, so does that.
    let unknown = super::stream("unknown");
    write(&store, &unknown, &one).await;
    store.remove_dead_letters(&unknown, std::slice::from_ref(&one.position)).await.unwrap();
    assert_eq!(ttls(&store, "dead_letters", "removed", &unknown).await, [None]);
    assert_eq!(store.dead_letters(&unknown, None, 9).await.unwrap(), []);
}
