//! Slots of the journal: rolled with a checkpoint, found by whoever owns the partition next, and by readers.

use super::*;
use crate::{Journal, JournalRow, Leases, Next};

pub(super) async fn append(store: &Scylla, stream: &StreamName, after: u64, last: u64) -> JournalRow {
    let messages = (after + 1..=last).map(|number| message(number, 0)).collect();
    let row = JournalRow { after: after.into(), last: last.into(), messages, children: Vec::new() };
    store.append_journal(stream, &partition(), &row).await.unwrap();
    row
}

/// Lets the newest slot be full.
pub(super) async fn fill(store: &Scylla, stream: &StreamName) {
    let held = store.0.partitions.held.partition(stream, &partition());
    held.lock().await.as_mut().unwrap().lease.filled = (i64::MAX / 2, 0);
}

pub(super) async fn starts(store: &Scylla, stream: &StreamName) -> Vec<u64> {
    let lease = store.lease(stream, &partition()).await.unwrap().unwrap();
    lease.slots.iter().filter_map(|(start, _)| start.as_u64()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_follows_from_slot_to_slot() {
    if left_out() {
        return;
    }
    let (store, stream) = (open().await, stream("slots"));
    let p = partition();
    let mut owner = store.clone();
    let mut epoch = owner.claim_lease(&stream, &p).await.unwrap().epoch;
    let (mut rows, mut at) = (Vec::new(), 0);
    for round in 0..6 {
        for _ in 0..3 {
            rows.push(append(&owner, &stream, at, at + 4).await);
            at += 4;
        }
        fill(&owner, &stream).await;
        assert!(owner.checkpoint(&stream, &p, epoch, at.into()).await.unwrap());
        if round == 3 {
            // Another process takes over, and writes on into the newest slot.
            owner = open().await;
            let lease = owner.claim_lease(&stream, &p).await.unwrap();
            assert_eq!(lease.checkpoint, at.into());
            epoch = lease.epoch;
        }
    }
    assert_eq!(starts(&store, &stream).await, [0, 12, 24, 36, 48, 60, 72]);
    // A zombie writes where nobody looks, and can't move anything.
    append(&store, &stream, at, at + 9).await;
    assert_eq!(store.next_journal(&stream, &p, at.into()).await.unwrap(), Next::Wait);
    assert!(!store.checkpoint(&stream, &p, epoch - 1, (at + 9).into()).await.unwrap());
    rows.push(append(&owner, &stream, at, at + 2).await);
    for row in &rows {
        for consumed in [row.after, row.last.before()] {
            assert_eq!(store.next_journal(&stream, &p, consumed).await.unwrap(), Next::Row(row.clone()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_is_not_rolled_over_rows_beyond_the_checkpoint() {
    if left_out() {
        return;
    }
    let (store, stream) = (open().await, stream("slots"));
    let p = partition();
    let epoch = store.claim_lease(&stream, &p).await.unwrap().epoch;
    append(&store, &stream, 0, 5).await;
    let beyond = append(&store, &stream, 5, 9).await;
    fill(&store, &stream).await;
    assert!(store.checkpoint(&stream, &p, epoch, 5.into()).await.unwrap());
    assert_eq!(starts(&store, &stream).await, [0]);
    assert_eq!(store.next_journal(&stream, &p, 5.into()).await.unwrap(), Next::Row(beyond));
    assert!(store.checkpoint(&stream, &p, epoch, 9.into()).await.unwrap());
    assert_eq!(starts(&store, &stream).await, [0, 9]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_gone_from_an_older_slot_is_a_gap_up_to_what_follows() {
    if left_out() {
        return;
    }
    let (store, stream) = (open().await, stream("slots"));
    let p = partition();
    let epoch = store.claim_lease(&stream, &p).await.unwrap().epoch;
    append(&store, &stream, 0, 5).await;
    fill(&store, &stream).await;
    assert!(store.checkpoint(&stream, &p, epoch, 8.into()).await.unwrap());
    let next = append(&store, &stream, 8, 12).await;
    assert!(store.checkpoint(&stream, &p, epoch, 12.into()).await.unwrap());
    assert_eq!(starts(&store, &stream).await, [0, 8]);
    assert_eq!(store.next_journal(&stream, &p, 5.into()).await.unwrap(), Next::Gap { to: 8.into() });
    assert_eq!(store.next_journal(&stream, &p, 8.into()).await.unwrap(), Next::Row(next));
}
