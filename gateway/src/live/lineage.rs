//! Which partitions go on from which: what a key has in one comes before what it has in those that follow.

use std::collections::BTreeMap;

use schema::{PartitionId, Place, Places, Sequence};
use store::LeaseState;

/// The partitions of a stream that have leases, and their parents.
#[derive(Debug, Default)]
pub(crate) struct Lineage {
    parents: BTreeMap<PartitionId, Vec<PartitionId>>,
    /// Parents first.
    order: Vec<PartitionId>,
}

impl Lineage {
    /// What `leases` say. A parent whose lease is gone has ended long ago.
    pub(crate) fn new(leases: &[LeaseState]) -> Self {
        let known: BTreeMap<_, _> = leases.iter().map(|lease| (&lease.partition, &lease.parents)).collect();
        let mut lineage = Self::default();
        for lease in leases {
            let of = lease.parents.iter().filter(|parent| known.contains_key(parent)).cloned();
            lineage.parents.insert(lease.partition.clone(), of.collect());
        }
        // Each round has those whose parents were in one before; what contradicts itself is in none.
        let mut left: Vec<&PartitionId> = lineage.parents.keys().collect();
        let mut order: Vec<PartitionId> = Vec::with_capacity(left.len());
        loop {
            let placed = order.len();
            let is_next = |id: &&PartitionId| {
                lineage.parents[*id].iter().all(|parent| order[..placed].contains(parent))
            };
            let (next, later): (Vec<_>, Vec<_>) = left.into_iter().partition(is_next);
            left = later;
            order.extend(next.into_iter().cloned());
            if order.len() == placed {
                break;
            }
        }
        lineage.order = order;
        lineage
    }

    /// All partitions, parents before those that go on from them.
    pub(crate) fn in_order(&self) -> &[PartitionId] {
        &self.order
    }

    /// Whether there is a lease of `partition`. One that has ended long ago has none any more, and nothing of it is left.
    pub(crate) fn knows(&self, partition: &PartitionId) -> bool {
        self.parents.contains_key(partition)
    }

    /// A partition among `places` of which there is no lease.
    pub(crate) fn unknown(&self, places: &Places) -> Option<PartitionId> {
        places.iter().map(|(id, _)| id).find(|id| !self.knows(id)).cloned()
    }

    /// Whether whoever stands at `places` may read on in `partition`: everything of its parents was read.
    pub(crate) fn may_enter(&self, partition: &PartitionId, places: &Places) -> bool {
        let is_over = |parent: &PartitionId| places.get(parent).whole() == Sequence::END;
        self.parents.get(partition).is_some_and(|parents| parents.iter().all(is_over))
    }

    /// How far each partition is done for good: nothing of one whose parents are not.
    pub(crate) fn checkpoints(&self, leases: &[LeaseState]) -> Places {
        let place = |lease: &LeaseState| (lease.partition.clone(), Place::behind(lease.checkpoint));
        let all: Places = leases.iter().map(place).collect();
        // The leases were not read at one moment.
        let may_enter = |lease: &&LeaseState| self.may_enter(&lease.partition, &all);
        leases.iter().filter(may_enter).map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use store::Registration;

    use super::*;

    fn lease(name: &str, parents: &[&str], checkpoint: Sequence) -> LeaseState {
        let parents: Vec<_> = parents.iter().map(|parent| PartitionId::new(*parent)).collect();
        let new = Registration::new(&PartitionId::new(name), &parents);
        LeaseState { epoch: 1, checkpoint, ..LeaseState::registered(new) }
    }

    #[test]
    fn parents_are_read_to_their_end_first() {
        let leases = [
            lease("a", &["b", "c"], 3.into()),
            lease("b", &["d"], Sequence::END),
            lease("c", &["gone"], 7.into()),
            lease("d", &[], Sequence::END),
            lease("x", &["y"], 1.into()),
            lease("y", &["x"], 1.into()),
        ];
        let lineage = Lineage::new(&leases);
        let order: Vec<_> = lineage.in_order().iter().map(PartitionId::as_str).collect();
        assert_eq!(order, ["c", "d", "b", "a"]);
        let fence = lineage.checkpoints(&leases);
        let at = |name: &str| fence.get(&PartitionId::new(name)).whole();
        assert_eq!(["a", "b", "c", "d"].map(at), [Sequence::ZERO, Sequence::END, 7.into(), Sequence::END]);
        let may_enter = |name: &str| lineage.may_enter(&PartitionId::new(name), &fence);
        assert_eq!(["a", "b", "c", "d", "new"].map(may_enter), [false, true, true, true, false]);
        let mut places = fence.clone();
        places.set(&PartitionId::new("c"), Place::behind(Sequence::END));
        assert!(lineage.may_enter(&PartitionId::new("a"), &places));
        assert_eq!(lineage.unknown(&places), None);
        places.set(&PartitionId::new("gone"), Place::START);
        assert_eq!(lineage.unknown(&places), Some(PartitionId::new("gone")));
    }
}
