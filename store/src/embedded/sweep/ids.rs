//! Sweeping claims of ids.
//!
//! A claim is needed for as long as a record may still come whose arrival lies within the window of the claim's. How far
//! records have come is read from the journal, never from the clock: after an outage they are decided hours late, and
//! must be decided as if they had not been. A partition that stands still holds claims back until its journal is swept.

use std::collections::HashMap;

use fjall::Slice;
use schema::{StreamName, Timestamp};

use super::super::blocking::{Fault, lock};
use super::super::keys;
use super::super::tables::Tables;
use super::super::values::{self, Entries};
use super::{Allowance, Swept};

/// How far arrivals within a partition may be out of order, or be decided again from a checkpoint: 1 hour.
const MARGIN_MICROS: i64 = 3_600 * 1_000_000;
/// How many rows without messages are passed over to find how far a partition has come.
const EMPTY_ROWS_MAX: usize = 1_000;

/// Where each stream's claims stand. They are not in order of arrival, so a pass looks at all of them; another one is
/// made only when a good part can have become needless.
#[derive(Default)]
pub(in crate::embedded) struct Passes(HashMap<StreamName, Pass>);

enum Pass {
    /// A pass that removes what arrived before `cutoff` goes on at this key.
    At { cutoff: Timestamp, from: Vec<u8> },
    /// The last pass removed everything that arrived before this.
    Done(Timestamp),
}

impl Tables {
    /// Removes claims that no record can meet any more.
    pub(super) fn sweep_ids(
        &self,
        stream: &StreamName,
        window: i64,
        passes: &mut Passes,
        allowance: &mut Allowance,
        swept: &mut Swept,
    ) -> Result<(), Fault> {
        let prefix = keys::stream(stream);
        let (cutoff, from) = match passes.0.remove(stream) {
            Some(Pass::At { cutoff, from }) => (cutoff, from),
            last => {
                let Some(head) = self.slowest_head(stream)? else { return Ok(()) };
                let cutoff = head.plus_micros(window.saturating_add(MARGIN_MICROS).saturating_neg());
                if let Some(Pass::Done(done)) = last
                    && cutoff < done.plus_micros(window / 2)
                {
                    passes.0.insert(stream.clone(), Pass::Done(done));
                    return Ok(());
                }
                (cutoff, prefix.clone())
            }
        };
        let head_bytes = prefix.len() + keys::DIGEST_BYTES;
        let _no_claims_meanwhile = lock(&self.id_heads);
        let mut batch = self.db.batch();
        // A head goes only if all behind it go: without one, nobody would look for them.
        let mut head: Option<Slice> = None;
        let mut pass = Pass::Done(cutoff);
        for row in self.ids.range(from..keys::end(prefix)) {
            let (key, value) = row.into_inner()?;
            let is_head = key.len() == head_bytes;
            if is_head && let Some(head) = head.take() {
                batch.remove(&self.ids, head);
            }
            if allowance.spent() {
                pass = Pass::At { cutoff, from: key.to_vec() };
                swept.more = true;
                head = None;
                break;
            }
            allowance.take(1);
            let arrival = values::read_arrival(&value).ok_or_else(|| Fault::corrupt("the claim of an id"))?;
            match (arrival < cutoff, is_head) {
                (true, true) => head = Some(key),
                (true, false) => batch.remove(&self.ids, key),
                (false, _) => head = None,
            }
        }
        if let Some(head) = head {
            batch.remove(&self.ids, head);
        }
        let removed = batch.len();
        batch.commit()?;
        swept.ids += removed;
        passes.0.insert(stream.clone(), pass);
        Ok(())
    }

    /// The arrival up to which every partition that has a journal has come for good; `None` where one of them can't say.
    ///
    /// What is journaled beyond a checkpoint does not count: after a crash it is decided again, and needs the same claims. Nor
    /// does what was a dead letter: it arrived at any time, and is decided once.
    fn slowest_head(&self, stream: &StreamName) -> Result<Option<Timestamp>, Fault> {
        let mut slowest: Option<Timestamp> = None;
        for partition in self.partitions(&self.journal, stream)? {
            if partition.is_replays() {
                continue;
            }
            let mut head = None;
            let lease = self.lease(&keys::meta_lease(stream, &partition))?;
            let Some(lease) = lease else { return Ok(None) };
            let prefix = keys::partition(stream, &partition);
            let done = prefix.clone()..keys::journal_beyond(&prefix, &lease.checkpoint);
            for row in self.journal.range(done).rev().take(EMPTY_ROWS_MAX) {
                let newest = Entries::newest_arrival(&row.value()?);
                head = newest.ok_or_else(|| Fault::corrupt("a journal row"))?;
                if head.is_some() {
                    break;
                }
            }
            let Some(head) = head else { return Ok(None) };
            slowest = Some(slowest.map_or(head, |slowest| slowest.min(head)));
        }
        Ok(slowest)
    }
}
