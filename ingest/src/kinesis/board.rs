//! What all workers have of all streams, as those of this process saw it last: each looks after one stream, and a load is one
//! of them all.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use schema::StreamName;

use super::balance::{Loads, add};

/// All streams of a process.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<BTreeMap<StreamName, Seen>>);

/// What was seen of one.
#[derive(Debug, Default)]
struct Seen {
    loads: Loads,
    /// This process asks for a shard of it.
    is_asking: bool,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamName, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What each worker has of all streams but this one.
    pub(super) fn elsewhere(&self, stream: &StreamName) -> Loads {
        let mut all = Loads::new();
        for (_, seen) in self.lock().iter().filter(|(other, _)| *other != stream) {
            seen.loads.iter().for_each(|(worker, load)| add(&mut all, worker, *load));
        }
        all
    }

    /// What each worker has of a stream, and whether this process asks for more of it.
    pub(super) fn see(&self, stream: &StreamName, loads: Loads, is_asking: bool) {
        self.lock().insert(stream.clone(), Seen { loads, is_asking });
    }

    /// The stream can't be looked at now: what was asked for of it is in nobody's way.
    pub(super) fn rest(&self, stream: &StreamName) {
        if let Some(seen) = self.lock().get_mut(stream) {
            seen.is_asking = false;
        }
    }

    /// Whether this process may ask for a shard of the stream: it does for one at a time, as each changes what is even.
    pub(super) fn may_ask(&self, stream: &StreamName) -> bool {
        let mut streams = self.lock();
        if streams.iter().any(|(other, seen)| other != stream && seen.is_asking) {
            return false;
        }
        streams.entry(stream.clone()).or_default().is_asking = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::balance::Load;
    use super::*;

    #[test]
    fn loads_are_of_all_other_streams_and_one_stream_asks_at_a_time() {
        let (board, [a, b, c]) =
            (Board::default(), ["a", "b", "c"].map(|name| StreamName::new(name).unwrap()));
        let load = |shards, bytes| Load { shards, bytes };
        board.see(&a, [("w".into(), load(1, 5)), ("v".into(), load(2, 0))].into(), false);
        board.see(&b, [("w".into(), load(3, 7))].into(), false);
        assert_eq!(board.elsewhere(&c), [("w".into(), load(4, 12)), ("v".into(), load(2, 0))].into());
        assert_eq!(board.elsewhere(&a), [("w".into(), load(3, 7))].into());
        assert!(board.may_ask(&a) && board.may_ask(&a) && !board.may_ask(&b));
        board.see(&a, Loads::new(), false);
        assert!(board.may_ask(&b) && !board.may_ask(&a));
        board.rest(&b);
        assert!(board.may_ask(&a));
    }
}
