//! The shards of a stream: which are to be registered, which may be consumed now, and which are done.
//!
//! A shard is split in two, or merged with its neighbour, and what is put from then on goes to its children. Order holds across
//! that, as a child is consumed when all its parents are done. The source forgets closed shards once their records are gone,
//! and the store forgets the leases of ended ones, each at a time of its own.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use schema::{PartitionId, Sequence};
use store::LeaseState;

/// What the source says of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its name.
    pub id: PartitionId,
    /// What it came of: none, one that was split, or two that were merged. The source may have forgotten them.
    pub parents: Vec<PartitionId>,
    /// Which hashes of partition keys it takes, or took.
    pub hashes: RangeInclusive<u128>,
    /// Its first number; that of its first record is not below.
    pub starting: Sequence,
    /// Its last number, once it is closed.
    pub ending: Option<Sequence>,
}

/// A shard that has a place among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The shard.
    pub partition: PartitionId,
    /// What it came of.
    pub parents: Vec<PartitionId>,
    /// 1 + the parents' highest.
    pub generation: u32,
}

/// What follows from what the source and the leases say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Shards without a lease, parents first. They are registered in this order, each unless somebody else has, and what may be
    /// consumed is found by asking again. Whoever has slept over it, for so long that leases of ended shards may have been
    /// dropped since, asks again first.
    pub register: Vec<Registration>,
    /// Shards that may be consumed now, and in which generation.
    pub consume: BTreeMap<PartitionId, u32>,
    /// Shards that the source has forgotten before they were done, and whose turn it is: whoever claims one tells of the gap and
    /// ends it. Until then its children wait, as its last owner may still be bringing in what it had read.
    pub lost: BTreeSet<PartitionId>,
    /// Shards of which nothing more comes: their end is in the store, or was.
    pub done: BTreeSet<PartitionId>,
    /// Those of them that the source has forgotten, and of whose parents there is no lease any more: their leases are of use only
    /// as long as there is a journal to be read.
    pub over: BTreeSet<PartitionId>,
}

/// What is to be done about the shards of a stream, given *all* that the source lists.
///
/// Shards whose listing contradicts itself (one that came of itself, or of what is missing) are left alone.
pub fn plan(listed: &[Shard], leases: &[LeaseState]) -> Plan {
    let known = Known::new(listed, leases);
    // In a listing that is not whole, what shows that a shard had its lease long ago may be missing.
    let register = if known.whole { known.register() } else { Vec::new() };
    let mut plan = Plan { register, ..Plan::default() };
    plan.done.extend(known.forgotten.iter().map(|id| (*id).clone()));
    for lease in leases {
        let id = lease.partition.clone();
        if lease.has_ended() {
            // Parents first, so that what is left still says all about those that are gone.
            let is_first = !lease.parents.iter().any(|parent| known.leases.contains_key(parent));
            if known.whole && is_first && !known.shards.contains_key(&id) {
                plan.over.insert(id.clone());
            }
            plan.done.insert(id);
        } else if !lease.parents.iter().all(|parent| known.is_done(parent)) {
            // Its turn comes.
        } else if known.shards.contains_key(&id) {
            plan.consume.insert(id, lease.generation);
        } else if known.whole {
            plan.lost.insert(id);
        }
    }
    plan
}

/// Whether the end of `id` may be written: all its children have a lease. A shard that ended without one would be taken for new
/// once its own lease is dropped, and consumed again.
pub fn may_end(id: &PartitionId, listed: &[Shard], leases: &[LeaseState]) -> bool {
    let known = Known::new(listed, leases);
    let is_open = known.shards.get(id).is_some_and(|shard| shard.ending.is_none());
    let mut children = listed.iter().filter(|shard| shard.parents.contains(id));
    let has_lease = |id| known.leases.contains_key(id) || known.forgotten.contains(id);
    // The listing is of before the shard was closed, or lacks its children.
    known.whole && !is_open && children.all(|child| has_lease(&child.id))
}

/// Whether all hashes go to some open shard of `listed`, and none to two. Where that is not so, the listing is not whole, and
/// that a shard is missing in it says nothing.
pub fn is_whole(listed: &[Shard]) -> bool {
    let mut open: Vec<_> = listed.iter().filter(|shard| shard.ending.is_none()).collect();
    open.sort_unstable_by_key(|shard| *shard.hashes.start());
    let mut next = Some(0);
    for shard in open {
        if next != Some(*shard.hashes.start()) || shard.hashes.is_empty() {
            return false;
        }
        next = shard.hashes.end().checked_add(1);
    }
    next.is_none()
}

/// Everything that is known of a stream's shards, by name.
struct Known<'a> {
    shards: BTreeMap<&'a PartitionId, &'a Shard>,
    leases: BTreeMap<&'a PartitionId, &'a LeaseState>,
    /// Shards without a lease of which some came that have one, be it over generations: as parents are registered first, their
    /// leases were there, and went when they had long ended. To register them anew would be to consume them again. The source
    /// forgets parents first, so that what it still lists is found.
    forgotten: BTreeSet<&'a PartitionId>,
    whole: bool,
}

impl<'a> Known<'a> {
    fn new(listed: &'a [Shard], leases: &'a [LeaseState]) -> Self {
        let shards: BTreeMap<_, _> = listed.iter().map(|shard| (&shard.id, shard)).collect();
        let leases: BTreeMap<_, _> = leases.iter().map(|lease| (&lease.partition, lease)).collect();
        let mut forgotten = BTreeSet::new();
        let mut left: Vec<&PartitionId> = leases.values().flat_map(|lease| &lease.parents).collect();
        while let Some(id) = left.pop() {
            if !leases.contains_key(id) && forgotten.insert(id) {
                left.extend(shards.get(id).into_iter().flat_map(|shard| &shard.parents));
            }
        }
        Self { shards, leases, forgotten, whole: is_whole(listed) }
    }

    /// Whether all of a shard that has a lease, or had, is in the store.
    fn is_done(&self, id: &PartitionId) -> bool {
        self.leases.get(id).map_or_else(|| self.forgotten.contains(id), |lease| lease.has_ended())
    }

    /// The generation of a shard that needs no registration, if it needs none, given that the listing is whole.
    fn settled(&self, id: &PartitionId) -> Option<u32> {
        match self.leases.get(id) {
            Some(lease) => Some(lease.generation),
            None if self.forgotten.contains(id) || !self.shards.contains_key(id) => Some(0),
            None => None,
        }
    }

    /// What lacks a lease, parents first: a shard's turn comes when the last of its parents has had its own.
    fn register(&self) -> Vec<Registration> {
        let mut children: BTreeMap<&PartitionId, Vec<&Shard>> = BTreeMap::new();
        let mut waits: BTreeMap<&PartitionId, usize> = BTreeMap::new();
        let mut ready: BTreeMap<&PartitionId, &Shard> = BTreeMap::new();
        for shard in self.shards.values().filter(|shard| self.settled(&shard.id).is_none()) {
            let unsettled: BTreeSet<_> =
                shard.parents.iter().filter(|parent| self.settled(parent).is_none()).collect();
            unsettled.iter().for_each(|parent| children.entry(parent).or_default().push(shard));
            if unsettled.is_empty() {
                ready.insert(&shard.id, shard);
            }
            waits.insert(&shard.id, unsettled.len());
        }
        let mut generations: BTreeMap<&PartitionId, u32> = BTreeMap::new();
        let mut register = Vec::new();
        while let Some((_, shard)) = ready.pop_first() {
            let of = |parent| self.settled(parent).or_else(|| generations.get(parent).copied()).unwrap_or(0);
            let generation = shard.parents.iter().map(of).max().unwrap_or(0).saturating_add(1);
            generations.insert(&shard.id, generation);
            let (partition, parents) = (shard.id.clone(), shard.parents.clone());
            register.push(Registration { partition, parents, generation });
            for child in children.remove(&shard.id).unwrap_or_default() {
                if let Some(left) = waits.get_mut(&child.id) {
                    *left -= 1;
                    if *left == 0 {
                        ready.insert(&child.id, child);
                    }
                }
            }
        }
        register
    }
}
