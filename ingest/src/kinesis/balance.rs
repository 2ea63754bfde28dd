//! Who of several workers consumes which shards. Each decides for itself, by what it sees of the leases; nobody leads.
//!
//! A worker takes what is free, up to its fair share, and where nothing is, steals one at a time from whoever has two more than
//! itself. Each such step makes loads more even, so that it settles, with all within one of each other.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use schema::PartitionId;

use super::lease::{LeaseView, WorkerId};
use super::shards::Plan;

/// Which leases have expired, as one worker sees it, by its own monotonic clock: nobody trusts another's time.
#[derive(Clone, Debug)]
pub struct Observer {
    term: Duration,
    seen: BTreeMap<PartitionId, Seen>,
}

/// A heartbeat, and how long it has stood still.
#[derive(Clone, Debug)]
struct Seen {
    epoch: u64,
    heartbeat: u64,
    since: Instant,
    expired: bool,
}

impl Observer {
    /// Nothing was seen yet. A lease expires when its heartbeat has not moved for `term`.
    pub fn new(term: Duration) -> Self {
        Self { term, seen: BTreeMap::new() }
    }

    /// Takes in what the store answered. It had been asked at `asked`, and the answer came at `answered`: what it tells was so
    /// at some moment between them, and to expire too late is better than too early.
    pub fn observe(&mut self, leases: &[LeaseView], asked: Instant, answered: Instant) {
        let mut before = std::mem::take(&mut self.seen);
        for LeaseView { partition, epoch, heartbeat, .. } in leases {
            let (epoch, heartbeat) = (*epoch, *heartbeat);
            let seen = match before.remove(partition) {
                Some(seen) if (seen.epoch, seen.heartbeat) == (epoch, heartbeat) => {
                    let stood = asked.saturating_duration_since(seen.since);
                    Seen { expired: seen.expired || stood >= self.term, ..seen }
                }
                _ => Seen { epoch, heartbeat, since: answered, expired: false },
            };
            self.seen.insert(partition.clone(), seen);
        }
    }

    /// Whether a lease had expired when it was observed last.
    pub fn is_expired(&self, lease: &LeaseView) -> bool {
        let same = |seen: &&Seen| (seen.epoch, seen.heartbeat) == (lease.epoch, lease.heartbeat);
        self.seen.get(&lease.partition).filter(same).is_some_and(|seen| seen.expired)
    }
}

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
    /// To take, as nobody has them, or nobody who lives.
    pub claim: Vec<Take>,
    /// To take from somebody who lives and has more.
    pub steal: Option<Take>,
    /// To be stopped at once: they are another's, or have ended.
    pub give_up: Vec<PartitionId>,
}

/// What `me` does, of whom `running` are running here, each in its epoch, given the leases, what follows of them, and which of
/// them have expired.
///
/// What runs here is never taken anew, even where its heartbeat is late: that would make a zombie of oneself.
pub fn balance(
    me: &WorkerId,
    running: &BTreeMap<PartitionId, u64>,
    leases: &[LeaseView],
    plan: &Plan,
    observer: &Observer,
) -> Moves {
    let known: BTreeSet<_> = leases.iter().map(|lease| &lease.partition).collect();
    // What has no lease any more has ended long ago, in other hands.
    let mut give_up: Vec<_> =
        running.keys().filter(|partition| !known.contains(partition)).cloned().collect();
    let (mut mine, mut free) = (0, Vec::new());
    let mut others: BTreeMap<&WorkerId, Vec<&LeaseView>> = BTreeMap::new();
    for lease in leases {
        if let Some(epoch) = running.get(&lease.partition) {
            // A lower epoch than the own is of before the claim: the answer was under way.
            if lease.epoch <= *epoch && !lease.is_ended() {
                mine += 1;
                continue;
            }
            give_up.push(lease.partition.clone());
        }
        if !plan.consume.contains_key(&lease.partition) && !plan.lost.contains(&lease.partition) {
            continue;
        }
        match &lease.owner {
            Some(owner) if owner != me && !observer.is_expired(lease) => {
                others.entry(owner).or_default().push(lease);
            }
            // Of oneself, too: its claim was never answered, or what ran here has failed.
            _ => free.push(lease),
        }
    }
    let total = mine + free.len() + others.values().map(Vec::len).sum::<usize>();
    let share = total.div_ceil(others.len() + 1);
    let given_up: BTreeSet<_> = give_up.iter().collect();
    // What has just been lost is not claimed back in the same breath: it is stopped first.
    free.retain(|lease| !given_up.contains(&lease.partition));
    free.sort_by_key(|lease| draw(me, lease));
    free.truncate(share.saturating_sub(mine));
    let claim: Vec<Take> = free.into_iter().map(take).collect();
    let steal = if claim.is_empty() { victim(me, mine, &others, &given_up) } else { None };
    Moves { claim, steal, give_up }
}

/// What is stolen by somebody who has `mine` and has just `given_up` some, if anybody has at least two more.
fn victim(
    me: &WorkerId,
    mine: usize,
    others: &BTreeMap<&WorkerId, Vec<&LeaseView>>,
    given_up: &BTreeSet<&PartitionId>,
) -> Option<Take> {
    let (_, richest) = others.iter().max_by_key(|(_, leases)| leases.len())?;
    if richest.len() < mine + 2 {
        return None;
    }
    let stolen = richest.iter().filter(|lease| !given_up.contains(&lease.partition));
    stolen.min_by_key(|lease| draw(me, lease)).map(|lease| take(lease))
}

fn take(lease: &LeaseView) -> Take {
    Take { partition: lease.partition.clone(), epoch: lease.epoch }
}

/// An order of leases that is each worker's own, so that those who look at the same moment seldom reach for the same.
fn draw(me: &WorkerId, lease: &LeaseView) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(me.as_bytes()), lease.partition.as_str().as_bytes())
}
