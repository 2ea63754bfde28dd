//! What a history must come to, said as plainly as it can be.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::log::LogRecord;

/// The log, as whoever reads it sees it.
pub(super) type Log = Rc<RefCell<Vec<Partition>>>;

/// A partition's records, those that the log lost left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Partition {
    pub(super) records: Vec<LogRecord>,
    /// Sequences that the log lost before anybody read them.
    pub(super) holes: BTreeSet<u64>,
}

impl Partition {
    pub(super) fn last(&self) -> u64 {
        self.records.last().map_or(0, |record| record.sequence)
    }
}

fn field(record: &LogRecord, name: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(&record.data).unwrap();
    json.get(name).map(ToString::to_string)
}

/// Whether no topic can be found for it.
pub(super) fn is_dead(record: &LogRecord) -> bool {
    field(record, "t").is_none()
}

/// The sequences that are messages: those with a topic, of which none that came earlier in the log and within the window,
/// either way, bears the same id under the same key.
pub(super) fn messages(records: &[LogRecord], window_micros: i64) -> BTreeSet<u64> {
    let alive: Vec<(&LogRecord, Option<String>)> = records
        .iter()
        .filter(|record| !is_dead(record))
        .map(|record| (record, field(record, "id")))
        .collect();
    let is_first = |index: &usize| {
        let (record, id) = &alive[*index];
        id.is_none()
            || !alive[..*index].iter().any(|(earlier, other)| {
                other == id
                    && earlier.key == record.key
                    && (earlier.arrived_at.0 - record.arrived_at.0).abs() <= window_micros
            })
    };
    (0..alive.len()).filter(is_first).map(|index| alive[index].0.sequence).collect()
}
