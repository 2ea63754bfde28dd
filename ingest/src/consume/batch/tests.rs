//! What records become that others wrote, of a log whose numbers are wide and lie apart.

use schema::{Limits, StreamName, Timestamp, TopicRule};

use super::*;

const WIDE: &str = "49590338271490256608559692538361571095921575989136588898";

fn stream(definition: &str) -> StreamRecord {
    StreamRecord::new(serde_json::from_str(definition).unwrap(), &[])
}

fn record(key: &str, sequence: &str, sub: u32, body: Body) -> Record {
    let (key, sequence) = (key.into(), sequence.parse().unwrap());
    Record { key, sequence, sub, arrived_at: Timestamp(1_000_000), topic: None, body }
}

fn foreign(text: &[u8]) -> Body {
    Body::Foreign(Bytes::copy_from_slice(text))
}

fn span(after: &str, last: &str, records: Vec<Record>) -> Span {
    Span { after: after.parse().unwrap(), last: last.parse().unwrap(), records }
}

/// Decodes with small limits, as generation 3, and says what is claimed and written where no id came before.
fn decoded(stream: &StreamRecord, span: &Span, consumed: &str) -> Option<(Vec<Claims>, Batch)> {
    let partition = PartitionId::embedded(7);
    let limits = Limits { message_bytes: 40, json_depth: 3, ..Limits::default() };
    let limits = CheckLimits::from(&limits);
    let rules = Rules { stream, partition: &partition, generation: 3, limits };
    let decoded = decode(span, rules, consumed.parse().unwrap())?;
    let claims = decoded.claims();
    Some((claims, decoded.fold(std::iter::repeat(false))))
}

#[test]
fn what_others_wrote_passes_the_gate_of_requests() {
    let plain = r#"{"name":"s"}"#;
    for (definition, key, text, expect) in [
        (plain, "k", &b"{}"[..], Ok(("k", "k", "{}"))),
        (plain, "k", b" {\"a\":1}\r\n", Ok(("k", "k", "{\"a\":1}"))),
        (r#"{"name":"s","topic":"/t"}"#, "k", b"{\"t\":7}", Ok(("7", "k", "{\"t\":7}"))),
        (r#"{"name":"s","topic":"/t"}"#, "", b"{\"t\":7}", Ok(("7", "7", "{\"t\":7}"))),
        (r#"{"name":"s","topic":"constant:c"}"#, "k", b"1", Ok(("c", "k", "1"))),
        (plain, "k", b"", Err("is not JSON")),
        (plain, "k", b"{} {}", Err("expected the end of the message at byte 3")),
        (plain, "k", b"\"\xff\"", Err("is not UTF-8 (at byte 1)")),
        (plain, "k", b"{\"a\":1,\"\\u0061\":2}", Err("the name \"a\" appears twice")),
        (plain, "k", b"\"\\ud800\"", Err("half of a surrogate pair")),
        (plain, "k", b"[[[[]]]]", Err("deeper than 3 levels")),
        (plain, "k", &[b'1'; 41], Err("is 41 bytes long, and at most 40")),
        (plain, "", b"{}", Err("has no partition key")),
        (plain, "a\u{7}", b"{}", Err("may not hold control characters")),
        (r#"{"name":"s","topic":"/t"}"#, "k", b"{}", Err("no text or number at /t")),
        // Where nobody has checked who it was, the key says.
        (r#"{"name":"s","topic":"caller"}"#, "k", b"{}", Ok(("k", "k", "{}"))),
        (r#"{"name":"s","topic":"caller"}"#, "", b"{}", Err("1 to 512 bytes")),
    ] {
        let span = span("0", WIDE, vec![record(key, WIDE, 2, foreign(text))]);
        let (_, Batch { dead_letters, row, .. }) = decoded(&stream(definition), &span, "0").unwrap();
        let at = format!("shardId-000000000007:{WIDE}:2");
        match (expect, &row.messages[..], &dead_letters[..]) {
            (Ok((topic, key, raw)), [message], []) => {
                assert_eq!((message.topic.as_str(), &*message.key), (topic, key));
                assert_eq!((&message.raw[..], message.position.to_string()), (raw.as_bytes(), at));
            }
            (Err(reason), [], [letter]) => {
                assert!(letter.reason.contains(reason), "{}", letter.reason);
                // What is set aside is what came, to the last space.
                assert_eq!((&letter.raw[..], &*letter.key), (text, key));
                assert_eq!((letter.position.to_string(), letter.arrived_at), (at, Timestamp(1_000_000)));
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn a_long_key_is_a_dead_letter() {
    let stream = StreamRecord::new(
        schema::Stream {
            topic: TopicRule::Constant(Topic::new("c").unwrap()),
            ..schema::Stream::with_defaults(StreamName::new("s").unwrap())
        },
        &[],
    );
    for (chars, letters) in [(256, 0), (257, 1)] {
        let span = span("0", "1", vec![record(&"ä".repeat(chars), "1", 0, foreign(b"{}"))]);
        let (_, batch) = decoded(&stream, &span, "0").unwrap();
        assert_eq!(batch.dead_letters.len(), letters, "{chars}");
    }
}

#[test]
fn what_was_checked_before_the_log_is_not_checked_again() {
    // Limits may have become narrower since it was accepted: it stays a message all the same.
    let long = Bytes::from(format!("\"{}\"", "x".repeat(50)));
    let records =
        vec![record("k", "1", 0, Body::Checked(long.clone())), record("k", "2", 0, Body::Foreign(long))];
    let (_, batch) = decoded(&stream(r#"{"name":"s"}"#), &span("0", "2", records), "0").unwrap();
    let kept: Vec<_> = batch.row.messages.iter().map(|message| message.position.sequence.as_u64()).collect();
    assert_eq!((kept, batch.dead_letters.len()), (vec![Some(1)], 1));
}

#[test]
fn a_span_says_itself_what_it_covers() {
    let stream = stream(r#"{"name":"s","id":"/id"}"#);
    let one = |sequence: &str, sub| record("k", sequence, sub, foreign(b"{\"id\":5}"));
    let whole = span("10", "95", vec![one("20", 0), one("20", 1), one("70", 0)]);
    for (consumed, after, subs) in [
        // Before the span: what lies between is not of the row.
        ("4", "10", vec![("20", 0), ("20", 1), ("70", 0)]),
        ("10", "10", vec![("20", 0), ("20", 1), ("70", 0)]),
        ("15", "15", vec![("20", 0), ("20", 1), ("70", 0)]),
        ("20", "20", vec![("70", 0)]),
        // No record is left, and the row is written all the same: it covers what the log has there.
        ("70", "70", vec![]),
        ("94", "94", vec![]),
    ] {
        let (claims, batch) = decoded(&stream, &whole, consumed).unwrap();
        assert_eq!((batch.row.after, batch.row.last), (after.parse().unwrap(), "95".parse().unwrap()));
        let expect: Vec<(Sequence, u32)> =
            subs.iter().map(|(sequence, sub)| (sequence.parse().unwrap(), *sub)).collect();
        let got: Vec<_> = batch.row.messages.iter().map(|m| (m.position.sequence, m.position.sub)).collect();
        assert_eq!(got, expect);
        let claimed: Vec<_> = claims.iter().flat_map(|run| &run.claims).collect();
        assert!(claimed.iter().all(|claim| claim.generation == 3));
        assert_eq!(claimed.iter().map(|claim| (claim.sequence, claim.sub)).collect::<Vec<_>>(), expect);
    }
    for consumed in ["95", "96"] {
        assert!(decoded(&stream, &whole, consumed).is_none());
    }
    assert!(decoded(&stream, &span("95", "95", Vec::new()), "95").is_none());
}
