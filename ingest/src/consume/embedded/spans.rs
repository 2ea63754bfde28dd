//! Records of the embedded log, as records of any log.

use crate::consume::record::{Body, Record, Span};
use crate::log::LogRecord;

/// The embedded log's partitions have no parents.
pub(in crate::consume) const GENERATION: u32 = 1;

/// `records`, which are of one partition and in order, as runs in which each number follows the one before. Numbers jump
/// where the log has lost records: that is between two spans, and of neither.
pub(in crate::consume) fn spans(records: Vec<LogRecord>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for LogRecord { sequence: number, arrived_at, key, topic, data, .. } in records {
        let sequence = number.into();
        // What this log has was checked before it was written.
        let record = Record { key, sequence, sub: 0, arrived_at, topic, body: Body::Checked(data) };
        match spans.last_mut() {
            Some(span) if span.last == sequence.before() => {
                span.last = sequence;
                span.records.push(record);
            }
            _ => spans.push(Span { after: sequence.before(), last: sequence, records: vec![record] }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use schema::{StreamName, Timestamp};

    use super::*;

    #[test]
    fn a_jump_ends_a_span() {
        let record = |sequence| LogRecord {
            stream: StreamName::new("s").unwrap(),
            partition: 0,
            sequence,
            arrived_at: Timestamp(7),
            key: "k".into(),
            topic: None,
            data: sequence.to_string().into(),
        };
        let spans = spans([1, 2, 256, 257, 900].map(record).into());
        let covered: Vec<_> =
            spans.iter().map(|span| (span.after.as_u64(), span.last.as_u64(), span.records.len())).collect();
        assert_eq!(covered, [(Some(0), Some(2), 2), (Some(255), Some(257), 2), (Some(899), Some(900), 1)]);
        for record in spans.iter().flat_map(|span| &span.records) {
            assert_eq!((record.sub, &record.body), (0, &Body::Checked(record.sequence.to_string().into())));
        }
        assert_eq!(super::spans(Vec::new()), []);
    }
}
