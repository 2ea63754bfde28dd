//! A worker: it looks, decides by what it saw, and works on what it holds; between any two of these, anything may happen.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ::store::LeaseState;
use ::store::testing::Turns;
use schema::{PartitionId, Sequence};

use super::TERM;
use super::source::Source;
use super::store::Leases;
use crate::kinesis::balance::{Loads, Moves, Observer, Sight, WorkerId};
use crate::kinesis::shards::{Plan, may_end, plan};

/// What a worker saw, and when.
struct Seen {
    plan: Plan,
    leases: Vec<LeaseState>,
    look: u64,
}

pub(super) struct Worker {
    pub(super) id: WorkerId,
    pub(super) running: BTreeMap<PartitionId, u64>,
    observer: Observer,
    seen: Option<Seen>,
}

impl Worker {
    pub(super) fn new(name: String) -> Self {
        let (running, observer) = (BTreeMap::new(), Observer::new(TERM));
        Self { id: name.into(), running, observer, seen: None }
    }

    /// Lives on.
    pub(super) fn beat(&self, leases: &mut Leases) {
        self.running.iter().for_each(|(id, epoch)| leases.beat(id, *epoch));
    }

    /// Asks the source and the store. The answers take a while.
    pub(super) fn look(&mut self, source: &Source, leases: &mut Leases, now: Instant, turns: &mut Turns) {
        let all = leases.all();
        let took = Duration::from_millis(turns.below(500));
        self.observer.observe(&all, now.checked_sub(took).unwrap_or(now), now);
        leases.looks += 1;
        let plan = plan(&source.answer(turns), &all);
        self.seen = Some(Seen { plan, leases: all, look: leases.looks });
    }

    /// How old what it will act on is.
    pub(super) fn looked(&self) -> Option<u64> {
        self.seen.as_ref().map(|seen| seen.look)
    }

    /// Does what follows from what it saw last; `true` if that is anything.
    pub(super) fn act(&mut self, source: &Source, leases: &mut Leases, turns: &mut Turns) -> bool {
        let Some(Seen { plan, leases: seen, .. }) = self.seen.take() else { return false };
        self.beat(leases);
        // It may die between any two registrations.
        let some = if turns.0 != 0 && turns.one_in(3) { turns.below(3) as usize } else { usize::MAX };
        plan.register.iter().take(some).for_each(|new| leases.register(source, new));
        let sight = Sight {
            me: &self.id,
            running: &self.running,
            leases: &seen,
            plan: &plan,
            observer: &self.observer,
            elsewhere: &Loads::new(),
        };
        let Moves { claim, ask, hand_over, give_up } = sight.balance();
        let moved = !plan.register.is_empty()
            || ask.is_some()
            || [claim.len(), hand_over.len(), give_up.len()] != [0; 3];
        for id in &give_up {
            let epoch = self.running.remove(id).unwrap();
            let lease = leases.get(id);
            assert!(lease.is_none_or(|lease| lease.has_ended() || lease.epoch > epoch), "{id} is its own");
        }
        for id in &hand_over {
            let epoch = self.running.remove(id).unwrap();
            leases.release(id, epoch);
        }
        let of = |id: &PartitionId| seen.iter().find(|lease| lease.partition == *id).unwrap();
        if let Some(ask) = &ask {
            let owner = of(&ask.partition).owner.as_deref().unwrap();
            let works = |lease: &&LeaseState| {
                plan.consume.contains_key(&lease.partition) || plan.lost.contains(&lease.partition)
            };
            // What is asked for is as good as had.
            let has = |lease: &&LeaseState| {
                let wish = lease.wanted_by.as_ref().filter(|_| !self.observer.is_unheard(lease));
                wish.or(lease.owner.as_ref()).is_some_and(|has| has == owner)
            };
            let load = seen.iter().filter(works).filter(has).count();
            assert!(owner != &*self.id && load > self.running.len(), "{owner} is no richer");
            leases.ask(&self.id, ask);
        }
        for take in &claim {
            assert!(!self.running.contains_key(&take.partition), "{} runs here", take.partition);
            let lease = of(&take.partition);
            let is_stolen = lease.owner.as_ref().is_some_and(|owner| *owner != *self.id)
                && !self.observer.is_expired(lease);
            assert!(!is_stolen || self.observer.is_unheard(lease), "{} was not asked for", take.partition);
            if let Some(epoch) = leases.claim(&self.id, take) {
                leases.steals += usize::from(is_stolen);
                self.running.insert(take.partition.clone(), epoch);
            }
        }
        moved
    }

    /// Brings up to `records` of each shard into the store; `true` if there were any.
    pub(super) fn work(
        &mut self,
        source: &Source,
        leases: &mut Leases,
        records: u64,
        turns: &mut Turns,
    ) -> bool {
        self.beat(leases);
        let mut worked = false;
        for (id, epoch) in self.running.clone() {
            let shard = source.shard(&id);
            let Some(at) = leases.get(&id).map(|lease| lease.checkpoint).filter(|at| *at != Sequence::END)
            else {
                self.running.remove(&id);
                leases.zombies += 1;
                continue;
            };
            let is_gone = source.is_gone(&id);
            let at = at.max(shard.starting).as_u64().unwrap();
            let to = match shard.ending.and_then(|ending| ending.as_u64()) {
                None => continue,
                // Of what is gone nothing can be read any more: it ends with a gap.
                Some(ending) if is_gone || ending <= at + records => Sequence::END,
                Some(_) => (at + records).into(),
            };
            worked = true;
            if to == Sequence::END && !register_children(&id, source, leases, turns) {
                continue;
            }
            let held = leases.checkpoint(source, &id, epoch, to);
            leases.lost += usize::from(held && is_gone);
            if !held || to == Sequence::END {
                self.running.remove(&id);
            }
        }
        worked
    }
}

/// Makes leases for the children of a shard that is about to end; `false` if they aren't known yet.
fn register_children(id: &PartitionId, source: &Source, leases: &mut Leases, turns: &mut Turns) -> bool {
    let listed = source.answer(turns);
    plan(&listed, &leases.all()).register.iter().for_each(|new| leases.register(source, new));
    may_end(id, &listed, &leases.all())
}
