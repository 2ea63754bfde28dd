//! Which shard a worker asks another for: the one whose move makes loads most even.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use store::LeaseState;

use super::{Take, WorkerId, draw, take};

/// What a worker has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// How many shards it has.
    pub shards: usize,
    /// Bytes that come of them in a second.
    pub bytes: u64,
}

/// What each worker has to do.
pub type Loads = BTreeMap<WorkerId, Load>;

impl Load {
    fn with(self, other: Self) -> Self {
        Self { shards: self.shards + other.shards, bytes: self.bytes.saturating_add(other.bytes) }
    }

    /// What `leases` come to.
    pub fn of<'a>(leases: impl IntoIterator<Item = &'a LeaseState>) -> Self {
        let load = |lease: &LeaseState| Self { shards: 1, bytes: bytes(lease) };
        leases.into_iter().map(load).fold(Self::default(), Self::with)
    }
}

/// Adds to `loads` what a worker has besides.
pub fn add(loads: &mut Loads, worker: &WorkerId, load: Load) {
    let all = loads.entry(worker.clone()).or_default();
    *all = all.with(load);
}

fn bytes(lease: &LeaseState) -> u64 {
    lease.report.map_or(0, |report| report.bytes_per_second)
}

/// Differences below this, in bytes a second, are not worth a move.
const WORTH: u64 = 64 << 10;

/// Why a shard may move, the strongest reason first. No reason is ever the weaker ones' undoing, so that moves come to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// Its owner has two more of this stream.
    Stream,
    /// It has one more, and two more of all streams together.
    All,
    /// It has one more of either, and far more bytes come of them.
    Bytes,
}

/// A worker as another sees it.
#[derive(Clone, Copy)]
struct Side {
    /// Shards of this stream.
    here: usize,
    /// Of all streams.
    all: Load,
}

/// What `me` asks for, which has `mine` of this stream, of what each of `others` has of it, given what all have of other streams.
pub(super) fn choose(
    me: &WorkerId,
    mine: Load,
    others: &BTreeMap<&str, Vec<&LeaseState>>,
    elsewhere: &Loads,
) -> Option<Take> {
    let side = |worker: &str, here: Load| Side {
        here: here.shards,
        all: here.with(elsewhere.get(worker).copied().unwrap_or_default()),
    };
    let mine = side(me, mine);
    let moves = others.iter().flat_map(|(worker, leases)| {
        let theirs = side(worker, Load::of(leases.iter().copied()));
        leases.iter().filter(|lease| lease.owner.as_deref() == Some(*worker)).filter_map(move |lease| {
            let gap = theirs.all.bytes.saturating_sub(mine.all.bytes);
            let left = gap.abs_diff(bytes(lease).saturating_mul(2));
            let reason = reason(mine, theirs, gap, left)?;
            Some(((reason, Reverse(theirs.here), Reverse(theirs.all.shards), left, draw(me, lease)), *lease))
        })
    });
    moves.min_by_key(|(order, _)| *order).map(|(_, lease)| take(lease))
}

/// Why a shard of theirs may become mine, whose move would leave of the `gap` in bytes what is `left`.
fn reason(mine: Side, theirs: Side, gap: u64, left: u64) -> Option<Reason> {
    if theirs.here >= mine.here + 2 {
        Some(Reason::Stream)
    } else if theirs.here != mine.here + 1 {
        None
    } else if theirs.all.shards >= mine.all.shards + 2 {
        Some(Reason::All)
    } else {
        let is_worth = gap >= WORTH && gap >= theirs.all.bytes / 4 && left <= gap / 4 * 3;
        (is_worth && theirs.all.shards == mine.all.shards + 1).then_some(Reason::Bytes)
    }
}
