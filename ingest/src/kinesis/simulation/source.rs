//! The stream: what its shards really are, and what it tells of them.

use std::collections::BTreeSet;

use ::store::testing::Turns;
use schema::PartitionId;

use crate::kinesis::shards::Shard;

/// A stream.
pub(super) struct Source {
    /// All shards that there ever were, in the order in which they came to be.
    pub(super) shards: Vec<Shard>,
    gone: BTreeSet<PartitionId>,
    calm: bool,
}

impl Source {
    pub(super) fn new(count: u64) -> Self {
        let mut source = Self { shards: Vec::new(), gone: BTreeSet::new(), calm: false };
        let width = (u128::MAX / u128::from(count)).wrapping_add(1);
        for index in 0..u128::from(count) {
            let end = if index + 1 == u128::from(count) { u128::MAX } else { (index + 1) * width - 1 };
            source.open(Vec::new(), index.wrapping_mul(width)..=end);
        }
        source
    }

    fn open(&mut self, parents: Vec<PartitionId>, hashes: std::ops::RangeInclusive<u128>) {
        // Names don't tell who is whose parent.
        let number = self.shards.len() as u32;
        let id = PartitionId::embedded(number.wrapping_mul(7_919) % 1_000_003);
        // A line of shards has numbers that rise, as Kinesis has.
        let starting = (u64::from(number) * 100 + 1).into();
        self.shards.push(Shard { id, parents, hashes, starting, ending: None });
    }

    /// Closes a shard, after a few records.
    fn close(&mut self, index: usize, turns: &mut Turns) -> Shard {
        let shard = &mut self.shards[index];
        let records = turns.below(12);
        shard.ending = Some((shard.starting.as_u64().unwrap() + records).into());
        shard.clone()
    }

    /// Some shard is split, or two that lie side by side are merged.
    pub(super) fn reshard(&mut self, turns: &mut Turns) {
        let mut open: Vec<usize> =
            (0..self.shards.len()).filter(|n| self.shards[*n].ending.is_none()).collect();
        open.sort_by_key(|index| *self.shards[*index].hashes.start());
        let at = turns.below(open.len() as u64) as usize;
        match open.get(at + 1) {
            Some(next) if open.len() > 6 || turns.one_in(2) => {
                let (left, right) = (self.close(open[at], turns), self.close(*next, turns));
                let mut parents = vec![left.id, right.id];
                // Either may be called the parent, and the other the adjacent one.
                parents.rotate_left(turns.below(2) as usize);
                self.open(parents, *left.hashes.start()..=*right.hashes.end());
            }
            _ => {
                let shard = self.close(open[at], turns);
                let (start, end) = (*shard.hashes.start(), *shard.hashes.end());
                let middle = start + (end - start) / 2;
                self.open(vec![shard.id.clone()], start..=middle);
                self.open(vec![shard.id], middle + 1..=end);
            }
        }
    }

    /// The oldest closed shard that is known has passed retention; not always one that was consumed.
    pub(super) fn forget(&mut self, turns: &mut Turns) {
        let mut closed = self.shards.iter().filter(|shard| shard.ending.is_some());
        let oldest = closed.find(|shard| !self.gone.contains(&shard.id));
        // A child is never gone before its parents, as it was closed later.
        if let Some(oldest) = oldest.filter(|_| turns.one_in(2)) {
            let id = oldest.id.clone();
            self.gone.insert(id);
        }
    }

    pub(super) fn is_gone(&self, id: &PartitionId) -> bool {
        self.gone.contains(id)
    }

    /// From now on every answer is whole.
    pub(super) fn calm(&mut self) {
        self.calm = true;
    }

    /// All that is not gone, in no order that matters.
    pub(super) fn listed(&self) -> Vec<Shard> {
        self.shards.iter().rev().filter(|shard| !self.gone.contains(&shard.id)).cloned().collect()
    }

    /// What an answer says: now and then it lacks the shards that came to be last.
    pub(super) fn answer(&self, turns: &mut Turns) -> Vec<Shard> {
        let mut listed = self.listed();
        if !self.calm && turns.one_in(6) {
            let open = listed.iter().filter(|shard| shard.ending.is_none()).count() as u64;
            listed.drain(..(1 + turns.below(open)) as usize);
        }
        listed
    }

    pub(super) fn shard(&self, id: &PartitionId) -> &Shard {
        self.shards.iter().find(|shard| shard.id == *id).unwrap()
    }
}
