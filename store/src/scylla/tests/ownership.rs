//! Who owns a partition, where answers are lost, come late, or cross each other: no journal row may lie where no reader looks.

use std::time::{Duration, Instant};

use crate::testing::errors;

use super::slots::{append, fill, starts};
use super::*;
use crate::{Journal, JournalRow, Leases, Next};

/// Polls until `holds`.
pub(super) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(60), "it never was so: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A reader finds the rows one after the other, from the beginning, and then waits.
async fn follow(store: &Scylla, stream: &StreamName, rows: &[JournalRow]) {
    let mut at = 0.into();
    for row in rows {
        let next = store.next_journal(stream, &partition(), at).await.unwrap();
        assert_eq!(next, Next::Row(row.clone()), "after {at}");
        at = row.last;
    }
    assert_eq!(store.next_journal(stream, &partition(), at).await.unwrap(), Next::Wait);
}

/// A checkpoint at `to` that `store` gives up, and that the server gets long after; what is asked from then on comes through.
async fn give_up(proxy: &mut Proxy, store: &Scylla, stream: &StreamName, epoch: u64, to: u64) {
    let late = Trouble::Late(Duration::from_millis(2_500));
    proxy.trouble(store.0.statements.checkpoint.get_id(), 10, &late);
    let given_up = store.checkpoint(stream, &partition(), epoch, to.into()).await;
    assert!(given_up.is_err(), "{given_up:?}");
    proxy.peace();
}

/// The owner rolls a slot between the two steps of a claim: reading the lease, and taking it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_is_overtaken_by_a_checkpoint_begins_where_that_ends() {
    if left_out() {
        return;
    }
    let mut proxy = Proxy::start(server()).await;
    let (owner, next, stream) =
        (open().await, open_through(&proxy, 5_000, 15_000).await, stream("overtaken"));
    let p = partition();
    let epoch = owner.claim_lease(&stream, &p).await.unwrap().epoch;
    let mut rows = vec![append(&owner, &stream, 0, 3).await, append(&owner, &stream, 3, 6).await];
    fill(&owner, &stream).await;
    let claim = next.0.statements.claim_lease.get_id();
    proxy.trouble(claim, 1, &Trouble::Late(Duration::from_millis(1_500)));
    let claims = tokio::spawn({
        let (next, stream, p) = (next.clone(), stream.clone(), p.clone());
        async move { next.claim_lease(&stream, &p).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(owner.checkpoint(&stream, &p, epoch, 6.into()).await.unwrap(), "the claim was there first");
    assert_eq!(starts(&owner, &stream).await, [0, 6]);

    let lease = claims.await.unwrap();
    assert_eq!((lease.epoch, lease.checkpoint), (epoch + 1, 6.into()));
    rows.push(append(&next, &stream, 6, 9).await);
    assert!(next.checkpoint(&stream, &p, lease.epoch, 9.into()).await.unwrap());
    assert!(!owner.checkpoint(&stream, &p, epoch, 9.into()).await.unwrap());
    follow(&owner, &stream, &rows).await;
}

/// The checkpoint that rolls a slot is written, and the answer says that nobody knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_was_rolled_without_an_answer_is_written_on() {
    if left_out() {
        return;
    }
    let mut proxy = Proxy::start(server()).await;
    let (store, stream) = (open_through(&proxy, 5_000, 15_000).await, stream("unanswered"));
    let p = partition();
    let epoch = store.claim_lease(&stream, &p).await.unwrap().epoch;
    let mut rows = vec![append(&store, &stream, 0, 3).await];
    fill(&store, &stream).await;
    let timeout = Trouble::DoneBut(errors::write_timeout());
    proxy.trouble(store.0.statements.checkpoint.get_id(), 1, &timeout);
    assert!(store.checkpoint(&stream, &p, epoch, 3.into()).await.unwrap());
    assert_eq!(starts(&store, &stream).await, [0, 3]);
    rows.push(append(&store, &stream, 3, 6).await);
    assert!(store.checkpoint(&stream, &p, epoch, 6.into()).await.unwrap());
    follow(&store, &stream, &rows).await;
}

/// The checkpoint that rolls a slot is given up, and the server does it later, while its sender goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_is_rolled_late_holds_what_its_owner_writes_meanwhile() {
    if left_out() {
        return;
    }
    let mut proxy = Proxy::start(server()).await;
    let (store, other, stream) = (open_through(&proxy, 300, 500).await, open().await, stream("late"));
    let p = partition();
    let epoch = store.claim_lease(&stream, &p).await.unwrap().epoch;
    let mut rows = vec![append(&store, &stream, 0, 3).await];
    fill(&store, &stream).await;
    give_up(&mut proxy, &store, &stream, epoch, 3).await;
    rows.push(append(&store, &stream, 3, 6).await);
    until("the slot is rolled", async || starts(&other, &stream).await == [0, 3]).await;
    // Until all that is late has come.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(store.checkpoint(&stream, &p, epoch, 6.into()).await.unwrap());
    follow(&store, &stream, &rows).await;
}

/// A checkpoint is given up, and the server gets it when its sender has gone on long since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_comes_late_takes_nothing_back() {
    if left_out() {
        return;
    }
    let mut proxy = Proxy::start(server()).await;
    let (store, other, stream) = (open_through(&proxy, 300, 500).await, open().await, stream("late"));
    let p = partition();
    let epoch = store.claim_lease(&stream, &p).await.unwrap().epoch;
    let mut rows = vec![append(&store, &stream, 0, 3).await];
    give_up(&mut proxy, &store, &stream, epoch, 3).await;
    rows.push(append(&store, &stream, 3, 6).await);
    fill(&store, &stream).await;
    assert!(store.checkpoint(&stream, &p, epoch, 6.into()).await.unwrap());
    // Until all that is late has come.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(other.lease(&stream, &p).await.unwrap().unwrap().checkpoint, 6.into());
    assert_eq!(starts(&other, &stream).await, [0, 6]);
    rows.push(append(&store, &stream, 6, 9).await);
    assert!(store.checkpoint(&stream, &p, epoch, 9.into()).await.unwrap());
    follow(&other, &stream, &rows).await;
}

/// A claim whose answer is lost is made again, and nobody else bears its epoch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_is_answered_twice_has_one_owner() {
    if left_out() {
        return;
    }
    let mut proxy = Proxy::start(server()).await;
    let (store, other, stream) = (open_through(&proxy, 5_000, 15_000).await, open().await, stream("claims"));
    let p = partition();
    let timeout = Trouble::DoneBut(errors::write_timeout());
    proxy.trouble(store.0.statements.first_lease.get_id(), 1, &timeout);
    let first = store.claim_lease(&stream, &p).await.unwrap();
    assert_eq!(first.epoch, 2, "the first of the two took it");
    proxy.trouble(store.0.statements.claim_lease.get_id(), 1, &timeout);
    let second = store.claim_lease(&stream, &p).await.unwrap();
    assert_eq!(second.epoch, 4);
    let row = append(&store, &stream, 0, 3).await;
    for epoch in [1, 2, 3] {
        assert!(!other.checkpoint(&stream, &p, epoch, 3.into()).await.unwrap(), "{epoch}");
    }
    assert!(store.checkpoint(&stream, &p, second.epoch, 3.into()).await.unwrap());
    follow(&other, &stream, &[row]).await;
}

/// What a process knows of a partition is of no use once another has had it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_comes_back_writes_on_where_the_other_has_stopped() {
    if left_out() {
        return;
    }
    let (one, other, stream) = (open().await, open().await, stream("back"));
    let p = partition();
    let (mut rows, mut at) = (Vec::new(), 0);
    for _ in 0..3 {
        for store in [&one, &other] {
            let lease = store.claim_lease(&stream, &p).await.unwrap();
            assert_eq!(lease.checkpoint, at.into());
            rows.push(append(store, &stream, at, at + 3).await);
            fill(store, &stream).await;
            at += 3;
            assert!(store.checkpoint(&stream, &p, lease.epoch, at.into()).await.unwrap());
        }
    }
    assert_eq!(starts(&one, &stream).await, [0, 3, 6, 9, 12, 15, 18]);
    follow(&one, &stream, &rows).await;
}
