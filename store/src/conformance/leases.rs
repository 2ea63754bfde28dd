//! Leases: one owner writes checkpoints, and they only go forward.

use std::collections::BTreeSet;

use schema::Sequence;

use super::Outcome;
use super::fixture::{fresh_stream, partition};
use crate::{Lease, LeaseState, Registration, Store};

/// Whoever lost a partition, or never had it, is told so, and changes nothing.
pub async fn a_zombie_can_not_write_a_checkpoint<S: Store>(store: &S) -> Outcome {
    let (stream, p) = (fresh_stream("zombie"), partition(0));
    assert!(!store.checkpoint(&stream, &p, 0, 1.into()).await?, "nobody has claimed it");
    assert!(!store.checkpoint(&stream, &p, 1, 1.into()).await?, "nobody has claimed it");
    let first = store.claim_lease(&stream, &p).await?;
    assert_eq!(first.checkpoint, Sequence::ZERO);
    assert!(store.checkpoint(&stream, &p, first.epoch, 10.into()).await?);
    let second = store.claim_lease(&stream, &p).await?;
    assert!(second.epoch > first.epoch);
    assert_eq!(second.checkpoint, 10.into());
    assert!(!store.checkpoint(&stream, &p, first.epoch, 20.into()).await?);
    assert!(!store.checkpoint(&stream, &p, second.epoch + 1, 30.into()).await?);
    assert!(store.checkpoint(&stream, &p, second.epoch, 11.into()).await?);
    assert_eq!(
        store.claim_lease(&stream, &p).await?,
        Lease { epoch: second.epoch + 1, checkpoint: 11.into() }
    );
    Ok(())
}

/// Partitions are listed with their checkpoints; a lower one is no news.
pub async fn checkpoints_never_go_back<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("checkpoints");
    assert_eq!(store.leases(&stream).await?, []);
    for number in [11, 2] {
        let epoch = store.claim_lease(&stream, &partition(number)).await?.epoch;
        for (to, expect) in [(5, 5), (5, 5), (3, 5), (0, 5), (300, 300), (299, 300)] {
            assert!(store.checkpoint(&stream, &partition(number), epoch, to.into()).await?, "{to}");
            let leases = store.leases(&stream).await?;
            let checkpoint = leases.iter().find(|lease| lease.partition == partition(number));
            assert_eq!(checkpoint.map(|lease| lease.checkpoint), Some(expect.into()), "{to}");
        }
    }
    let mut leases = store.leases(&stream).await?;
    leases.sort_by(|a, b| a.partition.cmp(&b.partition));
    let unclaimed = |number| LeaseState::registered(Registration::new(&partition(number), &[]));
    let state = |number| LeaseState { epoch: 1, checkpoint: 300.into(), ..unclaimed(number) };
    assert_eq!(leases, [state(2), state(11)]);
    assert_eq!(store.leases(&fresh_stream("checkpoints")).await?, []);
    Ok(())
}

/// Of claims at the same moment, each gets an epoch of its own.
pub async fn claims_at_once_get_different_epochs<S: Store>(store: &S) -> Outcome {
    let (stream, p) = (fresh_stream("epochs"), partition(0));
    let claim = || store.claim_lease(&stream, &p);
    let (a, b, c, d) = tokio::join!(claim(), claim(), claim(), claim());
    let epochs: BTreeSet<u64> = [a?, b?, c?, d?].iter().map(|lease| lease.epoch).collect();
    assert_eq!(epochs.len(), 4, "{epochs:?}");
    let Some(newest) = epochs.last() else { return Ok(()) };
    assert!(store.checkpoint(&stream, &p, *newest, 1.into()).await?);
    Ok(())
}
