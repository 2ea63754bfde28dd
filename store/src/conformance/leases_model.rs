//! Leases of several workers, as they should be.

use std::collections::BTreeMap;

use schema::{PartitionId, Sequence, StreamName, Timestamp};

use super::fixture::{Turns, partition};
use crate::{LeaseState, Registration, Report, Store, StoreError};

/// What the leases of a stream should be.
#[derive(Default)]
pub(super) struct Model {
    leases: BTreeMap<PartitionId, LeaseState>,
}

impl Model {
    /// The leases, by partition.
    pub(super) fn states(&self) -> Vec<LeaseState> {
        self.leases.values().cloned().collect()
    }

    /// One turn of some worker, whose answer is the model's; gives what was done. Heartbeats are told apart by whether they
    /// moved: the model takes over the new one.
    pub(super) async fn turn<S: Store>(
        &mut self,
        store: &S,
        stream: &StreamName,
        turns: &mut Turns,
    ) -> Result<String, StoreError> {
        let p = partition(turns.below(4));
        let parent = partition(turns.below(4));
        let parents = if turns.one_in(2) { vec![parent] } else { Vec::new() };
        let owner = turns.pick(&["a", "b", "c"]);
        let there = self.leases.get(&p).cloned();
        // Mostly the epoch that is there, and else one beside it.
        let now = there.as_ref().map_or(0, |lease| lease.epoch);
        let epoch = if turns.one_in(4) { (now + turns.below(3)).saturating_sub(1) } else { now };
        let is_owner = there.as_ref().is_some_and(|lease| lease.epoch == epoch && epoch > 0);
        match turns.below(8) {
            0 => {
                let orphan = parents.iter().any(|parent| !self.leases.contains_key(parent));
                let new = Registration {
                    generation: 1 + turns.below(5) as u32,
                    registered_at: Timestamp(turns.below(9) as i64),
                    reads_from: turns.one_in(2).then(|| Timestamp(turns.below(9) as i64)),
                    ..Registration::new(&p, &parents)
                };
                let registered = store.register_partition(stream, &new).await;
                match registered {
                    Err(StoreError::NoParent { .. }) => assert!(there.is_none() && orphan, "{p} {parents:?}"),
                    Err(error) => return Err(error),
                    Ok(()) => assert!(there.is_some() || !orphan, "{p} {parents:?}"),
                }
                if there.is_none() && !orphan {
                    self.leases.insert(p.clone(), LeaseState::registered(new));
                }
                Ok(format!("register {p} behind {parents:?}"))
            }
            1 | 2 => {
                let takes = there.filter(|lease| lease.epoch == epoch && !lease.has_ended());
                let lease = store.claim_lease_if(stream, &p, owner, epoch).await?;
                let expect = takes.as_ref().map(|lease| (lease.epoch + 1, lease.checkpoint));
                assert_eq!(lease.map(|lease| (lease.epoch, lease.checkpoint)), expect, "claim {p}, {epoch}");
                if let Some(lease) = takes {
                    let owner = Some(owner.into());
                    let next = LeaseState { epoch: epoch + 1, owner, wanted_by: None, ..silent(lease) };
                    self.leases.insert(p.clone(), next);
                }
                Ok(format!("{owner} claims {p} from {epoch}"))
            }
            3 => {
                let given_up = store.release_lease(stream, &p, epoch).await?;
                assert_eq!(given_up, is_owner, "release {p}, {epoch}");
                if let Some(lease) = there.filter(|_| is_owner) {
                    self.leases.insert(p.clone(), LeaseState { owner: None, ..silent(lease) });
                }
                Ok(format!("release {p}, {epoch}"))
            }
            4 => {
                let to = if turns.one_in(6) { Sequence::END } else { turns.below(50).into() };
                let moved = store.checkpoint(stream, &p, epoch, to).await?;
                assert_eq!(moved, is_owner, "checkpoint {p}, {epoch}");
                if let Some(lease) = self.leases.get_mut(&p).filter(|_| is_owner) {
                    lease.checkpoint = lease.checkpoint.max(to);
                }
                Ok(format!("checkpoint {p}, {epoch}, {to}"))
            }
            5 => {
                let asked = store.ask_for_lease(stream, &p, epoch, owner).await?;
                assert_eq!(asked, is_owner, "ask for {p}, {epoch}");
                if let Some(lease) = self.leases.get_mut(&p).filter(|_| is_owner) {
                    lease.wanted_by = Some(owner.into());
                }
                Ok(format!("{owner} asks for {p}, {epoch}"))
            }
            6 => {
                // Nobody forgets what others still come of.
                let is_parent = self.leases.values().any(|lease| lease.parents.contains(&p));
                if !is_parent {
                    let forgotten = store.forget_partition(stream, &p).await?;
                    assert_eq!(forgotten, there.is_some_and(|lease| lease.has_ended()), "forget {p}");
                    if forgotten {
                        self.leases.remove(&p);
                    }
                }
                Ok(format!("forget {p}"))
            }
            _ => {
                // Nobody renews what is not claimed yet.
                let epoch = epoch.min(now);
                let is_owner = epoch == now && now > 0;
                let report = Report::of([(); 6].map(|()| turns.below(9)));
                store.renew_lease(stream, &p, epoch, report).await?;
                let leases = store.leases(stream).await?;
                let heartbeat = leases.iter().find(|lease| lease.partition == p).map(|lease| lease.heartbeat);
                if let Some(lease) = self.leases.get_mut(&p).filter(|_| is_owner)
                    && lease.owner.is_some()
                {
                    assert!(heartbeat > Some(lease.heartbeat), "{heartbeat:?} is not beyond {lease:?}");
                    (lease.heartbeat, lease.report) = (heartbeat.unwrap_or(0), Some(report));
                }
                Ok(format!("renew {p}, {epoch}"))
            }
        }
    }
}

/// A lease of which nobody has heard since.
fn silent(lease: LeaseState) -> LeaseState {
    LeaseState { heartbeat: 0, report: None, ..lease }
}
