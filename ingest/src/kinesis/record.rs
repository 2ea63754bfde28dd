//! Records as Kinesis gives them, as records of any log.

use std::sync::Arc;

use bytes::Bytes;
use schema::{Sequence, Timestamp};

use super::aggregated;
use crate::consume::{Body, Record, Span};

/// A record of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The partition key.
    pub key: Arc<str>,
    /// Its number in the shard.
    pub sequence: Sequence,
    /// When Kinesis took it, about.
    pub arrived_at: Timestamp,
    /// What was put.
    pub data: Bytes,
}

/// What was read behind `after`, in the order of the shard; `None` if that is nothing, as then nothing is known to be covered.
///
/// An aggregated record becomes its messages, each with its own key, and their sub-sequences count them. What looks like one
/// and is damaged is a record like any other.
pub fn span(after: Sequence, fetched: &[Fetched]) -> Option<Span> {
    let last = fetched.last()?.sequence;
    let records = fetched.iter().flat_map(records).collect();
    Some(Span { after, last, records })
}

fn records(fetched: &Fetched) -> Vec<Record> {
    let Fetched { sequence, arrived_at, .. } = *fetched;
    let record = |sub, key, data| {
        // Whoever may put into the stream has written it.
        Record { key, sequence, sub, arrived_at, topic: None, body: Body::Foreign(data) }
    };
    match aggregated::split(&fetched.data) {
        Some(messages) => {
            (0..).zip(messages).map(|(sub, message)| record(sub, message.key, message.data)).collect()
        }
        None => vec![record(0, fetched.key.clone(), fetched.data.clone())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_holds_the_messages_of_all_its_records() {
        let hex = [
            "f3899ac20a01610a01621a0408011a001a0508001a01781a0608011a025b5d",
            "66dc52ecd46610d8c831b37ce4bc5a5e",
        ]
        .concat();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let aggregated: Bytes = (0..hex.len()).step_by(2).map(byte).collect::<Vec<u8>>().into();
        let damaged = aggregated.slice(..aggregated.len() - 1);
        let fetched = |sequence: &str, data: &Bytes| Fetched {
            key: "outer".into(),
            sequence: sequence.parse().unwrap(),
            arrived_at: Timestamp(sequence.len() as i64),
            data: data.clone(),
        };
        let plain = Bytes::from_static(b"{}");
        let wide = "49590338271490256608559692538361571095921575989136588898";
        let all = [fetched("70", &plain), fetched("800", &aggregated), fetched(wide, &damaged)];
        let span = span(5.into(), &all).unwrap();
        assert_eq!((span.after, span.last), (5.into(), wide.parse().unwrap()));
        let got: Vec<_> = span
            .records
            .into_iter()
            .map(|Record { key, sequence, sub, arrived_at, topic, body }| {
                let Body::Foreign(data) = body else { panic!("nobody checked it") };
                assert_eq!(topic, None);
                (key.to_string(), sequence.to_string(), sub, arrived_at.0, data)
            })
            .collect();
        let expect = |key: &str, sequence: &str, sub, data: &'static [u8]| {
            (key.into(), sequence.into(), sub, sequence.len() as i64, Bytes::from_static(data))
        };
        assert_eq!(
            got,
            [
                expect("outer", "70", 0, b"{}"),
                expect("b", "800", 0, b""),
                expect("a", "800", 1, b"x"),
                expect("b", "800", 2, b"[]"),
                ("outer".into(), wide.into(), 0, wide.len() as i64, damaged),
            ]
        );
        assert_eq!(super::span(5.into(), &[]), None);
    }
}
