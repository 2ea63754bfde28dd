//! What has stood still for a term, as one worker sees it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use schema::PartitionId;
use store::LeaseState;

/// Which leases have expired, and which wishes were not heard, by one worker's own monotonic clock: nobody trusts another's time.
#[derive(Clone, Debug)]
pub struct Observer {
    term: Duration,
    beats: BTreeMap<PartitionId, Still<(u64, u64)>>,
    wishes: BTreeMap<PartitionId, Still<(u64, Option<String>)>>,
}

/// Something that may move, and how long it has not.
#[derive(Clone, Debug)]
struct Still<T> {
    seen: T,
    since: Instant,
    /// It has stood for a term.
    is_over: bool,
}

impl Observer {
    /// Nothing was seen yet. A lease expires when its heartbeat has not moved for `term`.
    pub fn new(term: Duration) -> Self {
        Self { term, beats: BTreeMap::new(), wishes: BTreeMap::new() }
    }

    /// Takes in what the store answered. It had been asked at `asked`, and the answer came at `answered`: what it tells was so
    /// at some moment between them, and to expire too late is better than too early.
    pub fn observe(&mut self, leases: &[LeaseState], asked: Instant, answered: Instant) {
        let term = self.term;
        look(&mut self.beats, leases, beat, term, asked, answered);
        look(&mut self.wishes, leases, wish, term, asked, answered);
    }

    /// Whether a lease had expired when it was observed last.
    pub fn is_expired(&self, lease: &LeaseState) -> bool {
        self.beats.get(&lease.partition).is_some_and(|still| still.is_over && still.seen == beat(lease))
    }

    /// Whether somebody has asked for it and has neither got it nor, for a term, had reason to hope.
    pub fn is_unheard(&self, lease: &LeaseState) -> bool {
        self.wishes.get(&lease.partition).is_some_and(|still| still.is_over && still.seen == wish(lease))
    }
}

fn beat(lease: &LeaseState) -> (u64, u64) {
    (lease.epoch, lease.heartbeat)
}

fn wish(lease: &LeaseState) -> (u64, Option<String>) {
    (lease.epoch, lease.wanted_by.clone())
}

fn look<T: PartialEq>(
    before: &mut BTreeMap<PartitionId, Still<T>>,
    leases: &[LeaseState],
    of: impl Fn(&LeaseState) -> T,
    term: Duration,
    asked: Instant,
    answered: Instant,
) {
    let mut now = BTreeMap::new();
    for lease in leases {
        let seen = of(lease);
        let still = match before.remove(&lease.partition) {
            Some(still) if still.seen == seen => {
                let stood = asked.saturating_duration_since(still.since);
                Still { is_over: still.is_over || stood >= term, ..still }
            }
            _ => Still { seen, since: answered, is_over: false },
        };
        now.insert(lease.partition.clone(), still);
    }
    *before = now;
}
