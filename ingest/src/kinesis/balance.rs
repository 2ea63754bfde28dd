//! Who of several workers consumes which shards. Each decides for itself, by what it sees of the leases; nobody leads.
//!
//! A worker takes what is free, up to its fair share, and where nothing is, asks for one at a time of whoever has more than
//! itself. Its owner stores what it has read, writes its checkpoint and gives it up; only if it does not for a term, it is taken
//! from it. Each move makes loads more even, so that they settle: of each stream within one shard of each other, of all streams
//! together too, and then by the bytes that come.

mod even;
mod observer;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schema::PartitionId;
use store::LeaseState;

pub use even::{Load, Loads, add};
pub use observer::Observer;

use super::shards::Plan;

/// The name of a worker: another one for each life of a process, so that nobody takes up what a former self has held.
pub type WorkerId = Arc<str>;

/// A lease to be taken, if its epoch still is this one: else somebody was quicker, and it is let be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// The shard.
    pub partition: PartitionId,
    /// The epoch that was seen.
    pub epoch: u64,
}

/// What a worker does next. It looks at the leases again before it asks for more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// To take: nobody has them, or nobody who lives, or nobody who hears that they are asked for.
    pub claim: Vec<Take>,
    /// To ask for, of somebody who lives and has more.
    pub ask: Option<Take>,
    /// To be stored as far as they were read, and given up: another asks for them.
    pub hand_over: Vec<PartitionId>,
    /// To be stopped at once: they are another's, or have ended.
    pub give_up: Vec<PartitionId>,
}

/// What a worker goes by.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// Its name.
    pub me: &'a WorkerId,
    /// What is running here, each in its epoch.
    pub running: &'a BTreeMap<PartitionId, u64>,
    /// All leases of the stream.
    pub leases: &'a [LeaseState],
    /// What follows of them.
    pub plan: &'a Plan,
    /// Which of them have expired.
    pub observer: &'a Observer,
    /// What everybody has of other streams.
    pub elsewhere: &'a Loads,
}

impl Sight<'_> {
    /// What to do next. What runs here is never taken anew, even where its heartbeat is late: that would make a zombie of
    /// oneself.
    pub fn balance(&self) -> Moves {
        let Self { me, running, leases, plan, observer, elsewhere } = *self;
        let known: BTreeSet<_> = leases.iter().map(|lease| &lease.partition).collect();
        // What has no lease any more has ended long ago, in other hands.
        let gone = running.keys().filter(|partition| !known.contains(partition)).cloned();
        let mut moves = Moves { give_up: gone.collect(), ..Moves::default() };
        let (mut mine, mut free, mut wished) = (Vec::new(), Vec::new(), Vec::new());
        let mut others: BTreeMap<&str, Vec<&LeaseState>> = BTreeMap::new();
        for lease in leases {
            let wish = lease.wanted_by.as_deref();
            let is_elses_wish = wish.is_some_and(|by| by != &**me);
            if let Some(epoch) = running.get(&lease.partition) {
                // A lower epoch than the own is of before the claim: the answer was under way.
                if lease.epoch <= *epoch && !lease.has_ended() {
                    if lease.epoch == *epoch && is_elses_wish {
                        moves.hand_over.push(lease.partition.clone());
                    }
                    mine.push(lease);
                    continue;
                }
                moves.give_up.push(lease.partition.clone());
            }
            if !plan.consume.contains_key(&lease.partition) && !plan.lost.contains(&lease.partition) {
                continue;
            }
            let wish = wish.filter(|_| !observer.is_unheard(lease));
            match lease.owner.as_deref() {
                Some(owner) if owner != &**me && !observer.is_expired(lease) => match wish {
                    Some(by) if by == &**me => wished.push(lease),
                    // It goes to whoever asked, which has it as good as already.
                    Some(by) => others.entry(by).or_default().push(lease),
                    // It was asked for, and its owner does not hear.
                    None if lease.wanted_by.as_deref() == Some(&**me) => moves.claim.push(take(lease)),
                    None => others.entry(owner).or_default().push(lease),
                },
                // It was given up for another.
                None if wish.is_some() && is_elses_wish => {
                    others.entry(wish.unwrap_or_default()).or_default().push(lease);
                }
                None if wish.is_some() => moves.claim.push(take(lease)),
                // Of oneself, too: its claim was never answered, or what ran here has failed.
                _ => free.push(lease),
            }
        }
        let held = mine.len() + wished.len() + moves.claim.len();
        let total = held + free.len() + others.values().map(Vec::len).sum::<usize>();
        let share = total.div_ceil(others.len() + 1);
        // What has just been lost is not claimed back in the same breath: it is stopped first.
        let lost: BTreeSet<_> = moves.give_up.iter().collect();
        free.retain(|lease| !lost.contains(&lease.partition));
        moves.claim.retain(|take| !lost.contains(&take.partition));
        free.sort_by_key(|lease| draw(me, lease));
        free.truncate(share.saturating_sub(held));
        moves.claim.extend(free.into_iter().map(take));
        if moves.claim.is_empty() && wished.is_empty() {
            others.values_mut().for_each(|leases| leases.retain(|lease| !lost.contains(&lease.partition)));
            moves.ask = even::choose(me, Load::of(mine), &others, elsewhere);
        }
        moves
    }

    /// What each worker has of this stream, by what is seen of the leases.
    pub fn loads(&self) -> Loads {
        let mut loads = Loads::new();
        for lease in self.leases.iter().filter(|lease| !lease.has_ended()) {
            if let Some(owner) = &lease.owner {
                add(&mut loads, &owner.as_str().into(), Load::of([lease]));
            }
        }
        loads
    }
}

fn take(lease: &LeaseState) -> Take {
    Take { partition: lease.partition.clone(), epoch: lease.epoch }
}

/// An order of leases that is each worker's own, so that those who look at the same moment seldom reach for the same.
fn draw(me: &WorkerId, lease: &LeaseState) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(me.as_bytes()), lease.partition.as_str().as_bytes())
}
