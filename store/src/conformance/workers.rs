//! Leases of several workers: they register what they find, take what nobody has, and hand over what has ended.

use futures_util::future::try_join_all;
use schema::{PartitionId, Sequence, StreamName};

use super::Outcome;
use super::fixture::{Turns, fresh_stream, message, partition, position, seeds};
use super::leases_model::Model;
use crate::{JournalRow, LeaseState, Next, Registration, Report, Store, StoreError};

/// A partition has the parents that it was registered with first, each of which was registered before it.
pub async fn partitions_are_registered_once_and_after_their_parents<S: Store>(store: &S) -> Outcome {
    let (stream, [a, b, c]) = (fresh_stream("registered"), [0, 1, 2].map(partition));
    let refused = store.register_partition(&stream, &Registration::new(&c, &[a.clone(), b.clone()])).await;
    assert!(matches!(&refused, Err(StoreError::NoParent { parent, .. }) if *parent == a), "{refused:?}");
    store.register_partition(&stream, &Registration::new(&a, &[])).await?;
    let refused = store.register_partition(&stream, &Registration::new(&c, &[a.clone(), b.clone()])).await;
    assert!(matches!(&refused, Err(StoreError::NoParent { parent, .. }) if *parent == b), "{refused:?}");
    let refused = store.register_partition(&stream, &Registration::new(&c, std::slice::from_ref(&c))).await;
    assert!(matches!(refused, Err(StoreError::NoParent { .. })), "its own parent: {refused:?}");
    assert_eq!(states(store, &stream).await?, [unclaimed(&a, &[])], "what was refused is not there");

    // One that was claimed is registered by that.
    store.claim_lease(&stream, &b).await?;
    let both = [a.clone(), b.clone()];
    for parents in [&both[..], &[], &both[..1], &[partition(9)]] {
        store.register_partition(&stream, &Registration::new(&c, parents)).await?;
        store.register_partition(&stream, &Registration::new(&b, parents)).await?;
    }
    let claimed = LeaseState { epoch: 1, ..unclaimed(&b, &[]) };
    assert_eq!(states(store, &stream).await?, [unclaimed(&a, &[]), claimed, unclaimed(&c, &both)]);
    assert!(!store.checkpoint(&stream, &c, 0, 5.into()).await?, "nobody has claimed it");
    assert!(!store.release_lease(&stream, &c, 0).await?, "nobody has claimed it");
    assert_eq!(store.claim_lease(&stream, &c).await?.epoch, 1);
    assert_eq!(state(store, &stream, &c).await?.parents, both);
    Ok(())
}

/// Of workers that saw the same epoch one gets the partition, and its name is there.
pub async fn of_claims_at_once_one_is_made<S: Store>(store: &S) -> Outcome {
    let (stream, p) = (fresh_stream("race"), partition(0));
    let new = Registration::new(&p, &[]);
    try_join_all((0..4).map(|_| store.register_partition(&stream, &new))).await?;
    for seen in 0..4 {
        let names: Vec<String> = (0..5).map(|worker| format!("worker {worker}")).collect();
        let claims = names.iter().map(|name| store.claim_lease_if(&stream, &p, name, seen));
        let claims = try_join_all(claims).await?;
        let made: Vec<_> =
            names.iter().zip(&claims).filter_map(|(name, lease)| Some((name, (*lease)?))).collect();
        let [(owner, lease)] = made[..] else { panic!("not one of them: {claims:?}") };
        assert_eq!((lease.epoch, lease.checkpoint), (seen + 1, seen.into()));
        let expect = LeaseState {
            epoch: seen + 1,
            owner: Some(owner.clone()),
            checkpoint: seen.into(),
            ..unclaimed(&p, &[])
        };
        assert_eq!(state(store, &stream, &p).await?, expect);
        assert!(store.checkpoint(&stream, &p, lease.epoch, lease.epoch.into()).await?);
    }
    Ok(())
}

/// A claim goes on from the epoch that is there, of a partition that is there.
pub async fn whoever_saw_an_old_epoch_claims_nothing<S: Store>(store: &S) -> Outcome {
    let (stream, p) = (fresh_stream("seen"), partition(0));
    assert_eq!(store.claim_lease_if(&stream, &p, "a", 0).await?, None, "it is not registered");
    assert_eq!(states(store, &stream).await?, []);
    store.register_partition(&stream, &Registration::new(&p, &[])).await?;
    assert_eq!(store.claim_lease_if(&stream, &p, "a", 1).await?, None, "nobody has seen that");
    assert!(store.claim_lease_if(&stream, &p, "a", 0).await?.is_some());
    for owner in ["a", "b"] {
        assert_eq!(store.claim_lease_if(&stream, &p, owner, 0).await?, None, "{owner}");
        assert_eq!(store.claim_lease_if(&stream, &p, owner, 2).await?, None, "{owner}");
    }
    assert_eq!(state(store, &stream, &p).await?.owner.as_deref(), Some("a"));
    // Whoever has no name takes it all the same, and is fenced off like any other.
    assert_eq!(store.claim_lease(&stream, &p).await?.epoch, 2);
    assert_eq!(state(store, &stream, &p).await?.owner, None);
    assert!(!store.checkpoint(&stream, &p, 1, 3.into()).await?);
    assert!(store.checkpoint(&stream, &p, 2, 4.into()).await?);
    let lease = store.claim_lease_if(&stream, &p, "b", 2).await?;
    assert_eq!(lease.map(|lease| (lease.epoch, lease.checkpoint)), Some((3, 4.into())));
    Ok(())
}

/// Whatever a worker does in an epoch that is over, nobody sees.
pub async fn a_zombie_renews_and_gives_up_nothing<S: Store>(store: &S) -> Outcome {
    let (stream, p) = (fresh_stream("zombie"), partition(0));
    store.register_partition(&stream, &Registration::new(&p, &[])).await?;
    for (owner, seen) in [("a", 0), ("b", 1)] {
        assert!(store.claim_lease_if(&stream, &p, owner, seen).await?.is_some());
        store.renew_lease(&stream, &p, seen + 1, Report::default()).await?;
    }
    let before = state(store, &stream, &p).await?;
    assert!(before.heartbeat > 0);
    for epoch in [0, 1, 3] {
        // The last word is the zombie's, more than once.
        store.renew_lease(&stream, &p, epoch, Report::default()).await?;
        store.renew_lease(&stream, &p, epoch, Report::default()).await?;
        assert!(!store.checkpoint(&stream, &p, epoch, 9.into()).await?, "{epoch}");
        assert!(!store.release_lease(&stream, &p, epoch).await?, "{epoch}");
        assert_eq!(state(store, &stream, &p).await?, before, "{epoch}");
    }
    store.renew_lease(&stream, &p, 2, Report::default()).await?;
    assert!(state(store, &stream, &p).await?.heartbeat > before.heartbeat);
    Ok(())
}

/// A heartbeat stands still whatever else is done, and moves with each renewal.
pub async fn a_heartbeat_moves_by_renewals_alone<S: Store>(store: &S) -> Outcome {
    let (stream, [p, other]) = (fresh_stream("heartbeat"), [0, 1].map(partition));
    for (of, owner) in [(&p, "a"), (&other, "b")] {
        store.register_partition(&stream, &Registration::new(of, &[])).await?;
        assert!(store.claim_lease_if(&stream, of, owner, 0).await?.is_some());
    }
    assert_eq!(state(store, &stream, &p).await?.heartbeat, 0, "a claim is seen by its epoch");
    let mut last = 0;
    for round in 1..4u64 {
        store.renew_lease(&stream, &p, 1, Report::default()).await?;
        let moved = state(store, &stream, &p).await?.heartbeat;
        assert!(moved > last, "{moved} after {last}");
        last = moved;
        store.renew_lease(&stream, &other, 1, Report::default()).await?;
        assert!(store.checkpoint(&stream, &p, 1, round.into()).await?);
        store.register_partition(&stream, &Registration::new(&p, &[])).await?;
        assert_eq!(store.claim_lease_if(&stream, &p, "b", 0).await?, None);
        assert_eq!(state(store, &stream, &p).await?.heartbeat, last, "it moved without its owner");
    }
    assert!(store.claim_lease_if(&stream, &p, "b", 1).await?.is_some());
    assert_eq!(state(store, &stream, &p).await?.heartbeat, 0, "that was the owner before");
    Ok(())
}

/// A partition that was given up has no owner, and goes on where it stood.
pub async fn what_is_given_up_waits_for_the_next<S: Store>(store: &S) -> Outcome {
    let (stream, p) = (fresh_stream("release"), partition(0));
    assert!(!store.release_lease(&stream, &p, 1).await?, "it is not there");
    store.register_partition(&stream, &Registration::new(&p, &[])).await?;
    assert!(store.claim_lease_if(&stream, &p, "a", 0).await?.is_some());
    assert!(store.checkpoint(&stream, &p, 1, 7.into()).await?);
    for _ in 0..2 {
        assert!(store.release_lease(&stream, &p, 1).await?);
        let expect = LeaseState { epoch: 1, checkpoint: 7.into(), ..unclaimed(&p, &[]) };
        assert_eq!(state(store, &stream, &p).await?, expect);
    }
    let lease = store.claim_lease_if(&stream, &p, "b", 1).await?;
    assert_eq!(lease.map(|lease| (lease.epoch, lease.checkpoint)), Some((2, 7.into())));
    assert!(!store.release_lease(&stream, &p, 1).await?, "it is another's by now");
    assert_eq!(state(store, &stream, &p).await?.owner.as_deref(), Some("b"));
    Ok(())
}

/// An end as it is documented: it is read like any row, nobody takes what has ended, and nothing takes it back.
pub async fn an_end_names_its_children_and_stays<S: Store>(store: &S) -> Outcome {
    let (stream, [p, left, right]) = (fresh_stream("end"), [0, 1, 2].map(partition));
    store.register_partition(&stream, &Registration::new(&p, &[])).await?;
    assert!(store.claim_lease_if(&stream, &p, "a", 0).await?.is_some());
    let messages = vec![message("t", 5, position(0, 3))];
    store.write_messages(&stream, &messages).await?;
    let first = JournalRow { after: 0.into(), last: 4.into(), messages, children: Vec::new() };
    let children = vec![left.clone(), right.clone()];
    let end = JournalRow { after: 4.into(), last: Sequence::END, messages: Vec::new(), children };
    store.append_journal(&stream, &p, &first).await?;
    assert!(store.checkpoint(&stream, &p, 1, 4.into()).await?);
    // It is cut short, and done again by the next owner.
    for (epoch, steps) in [(1, 2), (2, 3)] {
        for child in [&left, &right] {
            store.register_partition(&stream, &Registration::new(child, std::slice::from_ref(&p))).await?;
        }
        store.append_journal(&stream, &p, &end).await?;
        assert!(!state(store, &stream, &p).await?.has_ended());
        if steps == 2 {
            assert!(store.claim_lease_if(&stream, &p, "b", epoch).await?.is_some());
            continue;
        }
        assert!(store.checkpoint(&stream, &p, epoch, Sequence::END).await?);
    }
    assert!(store.checkpoint(&stream, &p, 2, 5.into()).await?, "it is passed already");
    assert_eq!(store.claim_lease_if(&stream, &p, "c", 2).await?, None, "there is nothing to take");
    assert_eq!(store.claim_lease(&stream, &p).await?.checkpoint, Sequence::END);
    let ended = state(store, &stream, &p).await?;
    assert!(ended.has_ended(), "{ended:?}");
    for child in [&left, &right] {
        assert_eq!(state(store, &stream, child).await?, unclaimed(child, std::slice::from_ref(&p)));
    }
    for (consumed, expect) in [
        (0.into(), Next::Row(first)),
        (4.into(), Next::Row(end.clone())),
        (9.into(), Next::Row(end)),
        (Sequence::END, Next::Wait),
    ] {
        assert_eq!(store.next_journal(&stream, &p, consumed).await?, expect, "{consumed}");
    }
    Ok(())
}

/// Whoever asks for a partition is named, also when it was given up, until somebody claims it.
pub async fn who_asks_for_a_partition_is_known_until_the_next_claim<S: Store>(store: &S) -> Outcome {
    let (stream, p) = (fresh_stream("asked"), partition(0));
    assert!(!store.ask_for_lease(&stream, &p, 1, "b").await?, "it is not there");
    store.register_partition(&stream, &Registration::new(&p, &[])).await?;
    assert!(!store.ask_for_lease(&stream, &p, 0, "b").await?, "nobody has it");
    assert!(store.claim_lease_if(&stream, &p, "a", 0).await?.is_some());
    assert!(store.checkpoint(&stream, &p, 1, 7.into()).await?);
    for by in ["b", "c"] {
        assert!(store.ask_for_lease(&stream, &p, 1, by).await?);
        assert!(!store.ask_for_lease(&stream, &p, 2, "d").await?, "not of this epoch");
        let asked = state(store, &stream, &p).await?;
        assert_eq!((asked.owner.as_deref(), asked.wanted_by.as_deref()), (Some("a"), Some(by)));
    }
    assert!(store.checkpoint(&stream, &p, 1, 8.into()).await?, "the owner goes on");
    assert!(store.release_lease(&stream, &p, 1).await?);
    let given_up = state(store, &stream, &p).await?;
    assert_eq!((given_up.owner.as_deref(), given_up.wanted_by.as_deref()), (None, Some("c")));
    assert!(store.claim_lease_if(&stream, &p, "c", 1).await?.is_some());
    assert_eq!(state(store, &stream, &p).await?.wanted_by, None);
    Ok(())
}

/// A partition whose lease was taken away is as one that never was.
pub async fn only_what_has_ended_is_forgotten<S: Store>(store: &S) -> Outcome {
    let (stream, [p, other]) = (fresh_stream("forgotten"), [0, 1].map(partition));
    assert!(!store.forget_partition(&stream, &p).await?, "it is not there");
    for new in [&p, &other] {
        store.register_partition(&stream, &Registration::new(new, &[])).await?;
        assert!(store.claim_lease_if(&stream, new, "a", 0).await?.is_some());
        assert!(store.checkpoint(&stream, new, 1, 7.into()).await?);
    }
    store.renew_lease(&stream, &p, 1, Report::default()).await?;
    assert!(!store.forget_partition(&stream, &p).await?, "more may come");
    assert!(store.checkpoint(&stream, &p, 1, Sequence::END).await?);
    let kept = state(store, &stream, &other).await?;
    assert!(store.forget_partition(&stream, &p).await?);
    assert_eq!(states(store, &stream).await?, std::slice::from_ref(&kept));
    assert!(!store.checkpoint(&stream, &p, 1, Sequence::END).await?, "there is nothing to checkpoint");
    assert_eq!(store.claim_lease_if(&stream, &p, "a", 1).await?, None, "nor to claim");
    store.register_partition(&stream, &Registration::new(&p, &[])).await?;
    assert_eq!(states(store, &stream).await?, [unclaimed(&p, &[]), kept]);
    Ok(())
}

/// Workers that do whatever they like see what a model says.
pub async fn leases_agree_with_a_model<S: Store>(store: &S) -> Outcome {
    for seed in seeds(6) {
        let stream = fresh_stream("workers");
        let (mut turns, mut model) = (Turns::new(seed), Model::default());
        for turn in 0..60 {
            let said = model.turn(store, &stream, &mut turns).await?;
            let leases = states(store, &stream).await?;
            assert_eq!(leases, model.states(), "TIDEGATE_SEED={seed}, turn {turn}: {said}");
        }
    }
    Ok(())
}

/// All leases of a stream, by partition.
async fn states<S: Store>(store: &S, stream: &StreamName) -> Result<Vec<LeaseState>, StoreError> {
    let mut leases = store.leases(stream).await?;
    leases.sort_by(|a, b| a.partition.cmp(&b.partition));
    Ok(leases)
}

async fn state<S: Store>(store: &S, stream: &StreamName, of: &PartitionId) -> Result<LeaseState, StoreError> {
    let mut leases = store.leases(stream).await?;
    leases.retain(|lease| lease.partition == *of);
    assert_eq!(leases.len(), 1, "{of}");
    Ok(leases.remove(0))
}

pub(super) fn unclaimed(partition: &PartitionId, parents: &[PartitionId]) -> LeaseState {
    LeaseState::registered(Registration::new(partition, parents))
}
