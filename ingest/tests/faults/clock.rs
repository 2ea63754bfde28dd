//! A clock that jumps an hour either way, while it runs and while it does not: nothing is lost, folded or swept wrongly, and
//! arrival never goes back.

use std::sync::atomic::Ordering;

use schema::{TimeSource, Timestamp};

use crate::rig::{HOUR, Rig, SECOND, START};

#[tokio::test]
async fn an_hour_either_way_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut expect = Vec::new();
    // Each start is at another time, and each run jumps.
    let mut number = 0;
    for (start, jumps) in [(0, [HOUR, -HOUR]), (-HOUR, [2 * HOUR, 0]), (HOUR / 2, [-2 * HOUR, HOUR])] {
        let rig = Rig::start(folder.path(), START + start).await.unwrap();
        for jump in [0, jumps[0], jumps[1]] {
            rig.now.fetch_add(jump, Ordering::SeqCst);
            for _ in 0..3 {
                number += 1;
                rig.now.fetch_add(SECOND, Ordering::SeqCst);
                let position = rig.publish(&format!(r#"{{"n":{number}}}"#)).await.position;
                assert_eq!(position.sequence, number.into());
                expect.push(format!(r#"{{"n":{number}}}"#));
            }
        }
        rig.caught_up().await;
        // A day's retention has passed for nothing, whatever of these the clock says.
        for now in [rig.now.load(Ordering::SeqCst), START - HOUR, START + 3 * HOUR] {
            assert_eq!(rig.store.sweep(Timestamp(now), 1_000).await.unwrap().messages, 0);
        }
        let rows = rig.rows().await;
        let raw: Vec<&[u8]> = rows.iter().map(|row| &row.raw[..]).collect();
        assert_eq!(raw, expect.iter().map(String::as_bytes).collect::<Vec<_>>(), "in the order of the log");
        assert!(rows.is_sorted_by(|a, b| a.arrived_at <= b.arrived_at && a.position < b.position));
        rig.stop().await;
    }
}

#[tokio::test]
async fn ids_are_folded_by_arrival_whatever_the_clock_does() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::start(folder.path(), START).await.unwrap();
    rig.publish(r#"{"id":"a"}"#).await;
    // An hour on is within the window of an hour, and an hour back is no time back.
    rig.now.store(START + HOUR, Ordering::SeqCst);
    rig.publish(r#"{"id":"a","again":1}"#).await;
    rig.now.store(START, Ordering::SeqCst);
    rig.publish(r#"{"id":"a","again":2}"#).await;
    rig.publish(r#"{"id":"b"}"#).await;
    rig.stop().await;
    let rig = Rig::start(folder.path(), START - HOUR).await.unwrap();
    rig.publish(r#"{"id":"b","again":1}"#).await;
    rig.caught_up().await;
    let raw: Vec<_> = rig.rows().await.into_iter().map(|row| row.raw).collect();
    assert_eq!(raw, [r#"{"id":"a"}"#, r#"{"id":"b"}"#]);
    rig.stop().await;
}

/// A message's own time is measured against its arrival, which does not go back with the clock.
#[tokio::test]
async fn a_message_keeps_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::start(folder.path(), START + HOUR).await.unwrap();
    rig.publish("{}").await;
    rig.now.store(START, Ordering::SeqCst);
    let at = (START + HOUR) / SECOND;
    rig.publish(&format!(r#"{{"at":{at}}}"#)).await;
    rig.caught_up().await;
    let rows = rig.rows().await;
    let own = rows.iter().find(|row| row.time_source == TimeSource::Message).unwrap();
    assert_eq!(own.time, Timestamp(START + HOUR), "{own:?}");
    rig.stop().await;
}
