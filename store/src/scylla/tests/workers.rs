//! Leases of several workers, where answers are lost or come late, and where an end meets a slot that is full.

use std::time::Duration;

use crate::testing::errors;
use schema::Sequence;

use super::ownership::until;
use super::slots::{append, fill};
use super::*;
use crate::{Journal, JournalRow, Leases, Next, Registration, Report};

/// A worker that made a claim is told so, and no other is, though the answer says that nobody knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_knows_its_own_claim_again() {
    if left_out() {
        return;
    }
    let mut proxy = Proxy::start(server()).await;
    let (store, other, stream) = (open_through(&proxy, 5_000, 15_000).await, open().await, stream("own"));
    let p = partition();
    let timeout = Trouble::DoneBut(errors::write_timeout());
    proxy.trouble(store.0.statements.first_lease.get_id(), 1, &timeout);
    store.register_partition(&stream, &Registration::new(&p, &[])).await.unwrap();
    proxy.trouble(store.0.statements.claim_lease.get_id(), 1, &timeout);
    let lease = store.claim_lease_if(&stream, &p, "a", 0).await.unwrap().unwrap();
    assert_eq!(lease.epoch, 1);
    assert_eq!(other.claim_lease_if(&stream, &p, "b", 0).await.unwrap(), None);
    let row = append(&store, &stream, 0, 3).await;
    assert!(store.checkpoint(&stream, &p, 1, 3.into()).await.unwrap());
    proxy.trouble(store.0.statements.release_lease.get_id(), 1, &timeout);
    assert!(store.release_lease(&stream, &p, 1).await.unwrap());
    let state = other.leases(&stream).await.unwrap().remove(0);
    assert_eq!((state.epoch, state.owner, state.checkpoint), (1, None, 3.into()));
    assert_eq!(other.next_journal(&stream, &p, 0.into()).await.unwrap(), Next::Row(row));
}

/// A claim is given up, and the server does it later: the partition has an owner then that the worker finds by its own name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_comes_late_is_found_by_its_owners_name() {
    if left_out() {
        return;
    }
    let mut proxy = Proxy::start(server()).await;
    let (store, other, stream) = (open_through(&proxy, 1_500, 2_500).await, open().await, stream("late"));
    let p = partition();
    other.register_partition(&stream, &Registration::new(&p, &[])).await.unwrap();
    let late = Trouble::Late(Duration::from_secs(6));
    proxy.trouble(store.0.statements.claim_lease.get_id(), 10, &late);
    let given_up = store.claim_lease_if(&stream, &p, "a", 0).await;
    assert!(given_up.is_err(), "{given_up:?}");
    proxy.peace();
    until("the claim is made", async || other.leases(&stream).await.unwrap()[0].epoch == 1).await;
    let state = other.leases(&stream).await.unwrap().remove(0);
    assert_eq!((state.owner.as_deref(), state.heartbeat), (Some("a"), 0));
    // The worker goes on as whoever has more patience.
    assert_eq!(other.claim_lease_if(&stream, &p, "a", 0).await.unwrap(), None, "that epoch is over");
    let lease = other.claim_lease_if(&stream, &p, "a", 1).await.unwrap().unwrap();
    assert_eq!(lease.epoch, 2);
    assert!(!other.checkpoint(&stream, &p, 1, 3.into()).await.unwrap());
    append(&other, &stream, 0, 3).await;
    assert!(other.checkpoint(&stream, &p, 2, 3.into()).await.unwrap());
}

/// An end opens no slot that nothing would ever be written to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_rolls_no_slot() {
    if left_out() {
        return;
    }
    let (store, stream) = (open().await, stream("end"));
    let (p, children) = (partition(), vec![PartitionId::embedded(1), PartitionId::embedded(2)]);
    let epoch = store.claim_lease(&stream, &p).await.unwrap().epoch;
    let row = append(&store, &stream, 0, 3).await;
    let end = JournalRow { after: 3.into(), last: Sequence::END, messages: Vec::new(), children };
    store.append_journal(&stream, &p, &end).await.unwrap();
    fill(&store, &stream).await;
    assert!(store.checkpoint(&stream, &p, epoch, Sequence::END).await.unwrap());
    let lease = store.lease(&stream, &p).await.unwrap().unwrap();
    assert_eq!((lease.slots.len(), lease.checkpoint), (1, Sequence::END));
    for (consumed, expect) in
        [(0.into(), Next::Row(row)), (3.into(), Next::Row(end)), (Sequence::END, Next::Wait)]
    {
        assert_eq!(open().await.next_journal(&stream, &p, consumed).await.unwrap(), expect, "{consumed}");
    }
}

/// Renewals are writes that read nothing, and a reader of leases that nobody renews asks for no heartbeat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_is_one_request() {
    if left_out() {
        return;
    }
    let (store, stream) = (open().await, stream("cheap"));
    let p = partition();
    store.claim_lease(&stream, &p).await.unwrap();
    let (nameless, _) = requests(&store, store.leases(&stream)).await;
    assert_eq!(nameless, 2, "the partitions, and the lease");
    assert!(store.claim_lease_if(&stream, &p, "a", 1).await.unwrap().is_some());
    let (renewal, renewed) = requests(&store, store.renew_lease(&stream, &p, 2, Report::default())).await;
    renewed.unwrap();
    assert_eq!(renewal, 1);
    let (named, leases) = requests(&store, store.leases(&stream)).await;
    assert_eq!((named, leases.unwrap()[0].heartbeat > 0), (3, true));
}
