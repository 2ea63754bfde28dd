//! The leases: compare-and-set, and what must be true of each that is written.

use std::collections::{BTreeMap, BTreeSet};

use ::store::testing::Turns;
use ::store::{LeaseState, Report};
use schema::{PartitionId, Sequence};

use super::source::Source;
use crate::kinesis::balance::{Take, WorkerId};
use crate::kinesis::shards::Registration;

/// The leases of a stream.
#[derive(Default)]
pub(super) struct Leases {
    leases: BTreeMap<PartitionId, LeaseState>,
    /// Every shard that ever had a lease, and its generation.
    registered: BTreeMap<PartitionId, u32>,
    /// Shards that were gone, and without a lease, when a child of theirs got its own. Somebody who had asked the source before may
    /// make a lease for one later: there is nothing left to read of it.
    passed: BTreeSet<PartitionId>,
    /// Every shard of which anything was ever consumed.
    read: BTreeSet<PartitionId>,
    /// Every shard that ever ended, and after how many looks of workers.
    pub(super) ended: BTreeMap<PartitionId, u64>,
    /// How often workers have looked.
    pub(super) looks: u64,
    pub(super) claims: usize,
    pub(super) asked: usize,
    pub(super) steals: usize,
    pub(super) zombies: usize,
    pub(super) lost: usize,
}

impl Leases {
    pub(super) fn all(&self) -> Vec<LeaseState> {
        self.leases.values().cloned().collect()
    }

    pub(super) fn get(&self, id: &PartitionId) -> Option<&LeaseState> {
        self.leases.get(id)
    }

    /// A lease that ended is dropped, as its messages are long gone: before whatever any worker still acts on, which is as old
    /// as the `oldest` look.
    pub(super) fn forget(&mut self, oldest: u64, turns: &mut Turns) {
        let long = |lease: &&LeaseState| self.ended.get(&lease.partition).is_some_and(|at| *at < oldest);
        let ended = self.leases.values().filter(long).map(|lease| lease.partition.clone());
        let ended: Vec<PartitionId> = ended.collect();
        if !ended.is_empty() {
            self.leases.remove(&turns.one_of(&ended));
        }
    }

    /// Makes a lease unless there is one.
    pub(super) fn register(&mut self, source: &Source, new: &Registration) {
        let Registration { partition, parents, generation } = new.clone();
        if self.leases.contains_key(&partition) {
            return;
        }
        assert!(!self.ended.contains_key(&partition), "{partition} ended, and would be consumed again");
        assert!(self.registered.insert(partition.clone(), generation).is_none(), "{partition} had a lease");
        // A parent that somebody else has come by since, and that was gone before it was read, has no message to come before.
        let of = |parent: &PartitionId| self.registered.get(parent).copied();
        let read = parents.iter().filter(|parent| self.read.contains(*parent)).filter_map(of).max();
        let known = parents.iter().filter_map(of).max();
        let expect = 1 + read.unwrap_or(0)..=1 + known.unwrap_or(0);
        assert!(expect.contains(&generation), "{partition} is of {generation}, and not of {expect:?}");
        let unknown = parents.iter().filter(|parent| !self.registered.contains_key(*parent));
        let passed: Vec<_> =
            unknown.inspect(|parent| assert!(source.is_gone(parent), "{parent} comes first")).collect();
        self.passed.extend(passed.into_iter().cloned());
        let new = ::store::Registration { generation, ..::store::Registration::new(&partition, &parents) };
        self.leases.insert(partition, LeaseState::registered(new));
    }

    /// Takes a lease if its epoch still is the one that was seen; gives the new one.
    pub(super) fn claim(&mut self, worker: &WorkerId, take: &Take) -> Option<u64> {
        let lease = self.leases.get_mut(&take.partition)?;
        if lease.epoch != take.epoch || lease.has_ended() {
            return None;
        }
        self.claims += 1;
        lease.epoch += 1;
        (lease.owner, lease.wanted_by) = (Some(worker.to_string()), None);
        Some(lease.epoch)
    }

    /// Renews a lease; of each shard comes another number of bytes.
    pub(super) fn beat(&mut self, id: &PartitionId, epoch: u64) {
        if let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.epoch == epoch) {
            lease.heartbeat += 1;
            lease.report = Some(Report { bytes_per_second: bytes(id), ..Report::default() });
        }
    }

    /// Asks the owner of a shard for it.
    pub(super) fn ask(&mut self, worker: &WorkerId, take: &Take) {
        if let Some(lease) = self.leases.get_mut(&take.partition).filter(|lease| lease.epoch == take.epoch) {
            self.asked += 1;
            lease.wanted_by = Some(worker.to_string());
        }
    }

    /// Gives a shard up.
    pub(super) fn release(&mut self, id: &PartitionId, epoch: u64) {
        if let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.epoch == epoch) {
            (lease.owner, lease.heartbeat, lease.report) = (None, 0, None);
        }
    }

    /// Moves a checkpoint; `false` to a zombie.
    pub(super) fn checkpoint(&mut self, source: &Source, id: &PartitionId, epoch: u64, to: Sequence) -> bool {
        let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.epoch == epoch && !lease.has_ended())
        else {
            self.zombies += 1;
            return false;
        };
        // The plain rule, by the truth: each parent ended, or was gone before anybody had a lease of it.
        for parent in &source.shard(id).parents {
            let passed = self.passed.contains(parent);
            assert!(self.ended.contains_key(parent) || passed, "{id} is consumed, and {parent} is not done");
        }
        lease.checkpoint = to;
        if !source.is_gone(id) {
            self.read.insert(id.clone());
        }
        if to == Sequence::END {
            self.ended.insert(id.clone(), self.looks);
        }
        true
    }
}

/// How many bytes come of a shard in a second.
pub(super) fn bytes(id: &PartitionId) -> u64 {
    u64::from(crc32c::crc32c(id.as_str().as_bytes()) % 1_000) << 10
}
