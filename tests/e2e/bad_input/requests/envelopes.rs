//! Records, and what is around their data.

use super::{RECORD, RECORDS, Row, sent};

pub(super) fn envelopes() -> Vec<Row> {
    let many = |count: usize| {
        let one = "{\"Data\":{},\"PartitionKey\":\"k\"}";
        format!("{{\"Records\":[{}]}}", vec![one; count].join(","))
    };
    let key = |chars: usize| format!("{{\"Data\":{{}},\"PartitionKey\":\"{}\"}}", "ü".repeat(chars));
    vec![
        sent(
            "a truncated body",
            RECORD,
            "{\"Data\":{\"n\":1},\"Par",
            (
                400,
                "bad_json",
                "the request body is not JSON: expected '\"' at the end of a string at byte 20",
            ),
        ),
        sent(
            "no `Data`",
            RECORD,
            "{\"PartitionKey\":\"k\"}",
            (
                400,
                "bad_json",
                "the request body is not {\"Data\": …, \"PartitionKey\": \"…\"}: missing field `Data` at line 1 column 20",
            ),
        ),
        sent(
            "another name for it",
            RECORD,
            "{\"Date\":1}",
            (
                400,
                "bad_json",
                "the request body is not {\"Data\": …, \"PartitionKey\": \"…\"}: unknown field `Date`, expected one of `Data`, `PartitionKey`, `ExplicitHashKey`, `SequenceNumberForOrdering`, `StreamName`, `StreamARN` at line 1 column 7",
            ),
        ),
        sent(
            "`Data` twice",
            RECORD,
            "{\"Data\":1,\"Data\":2,\"PartitionKey\":\"k\"}",
            (
                400,
                "bad_json",
                "the request body is not {\"Data\": …, \"PartitionKey\": \"…\"}: duplicate field `Data` at line 1 column 16",
            ),
        ),
        sent(
            "a key that is a number",
            RECORD,
            "{\"Data\":1,\"PartitionKey\":7}",
            (
                400,
                "bad_json",
                "the request body is not {\"Data\": …, \"PartitionKey\": \"…\"}: invalid type: integer `7`, expected a string at line 1 column 26",
            ),
        ),
        sent(
            "`Data` that is no base64",
            RECORD,
            "{\"Data\":\"not base64!\",\"PartitionKey\":\"k\"}",
            (
                400,
                "bad_request",
                "Data is a text that is not base64 (Invalid symbol 32, offset 3.): send JSON as it is, or the base64 of the JSON",
            ),
        ),
        sent(
            "the base64 of what is no JSON",
            RECORD,
            "{\"Data\":\"aGVsbG8=\",\"PartitionKey\":\"k\"}",
            (400, "bad_json", "the message is not JSON: expected a JSON value at byte 0"),
        ),
        sent(
            "base64 in the alphabet of addresses",
            RECORD,
            "{\"Data\":\"IsO_Ig\",\"PartitionKey\":\"k\"}",
            (
                400,
                "bad_request",
                "Data is a text that is not base64 (Invalid symbol 95, offset 3.): send JSON as it is, or the base64 of the JSON",
            ),
        ),
        sent(
            "base64 with a line break",
            RECORD,
            "{\"Data\":\"MTc\\n=\",\"PartitionKey\":\"k\"}",
            (
                400,
                "bad_request",
                "Data is a text that is not base64 (Invalid symbol 10, offset 3.): send JSON as it is, or the base64 of the JSON",
            ),
        ),
        sent(
            "base64 without its padding",
            RECORD,
            "{\"Data\":\"MTc\",\"PartitionKey\":\"padding\"}",
            (200, "", ""),
        ),
        sent(
            "no key, where the topic is the key",
            RECORD,
            "{\"Data\":{}}",
            (400, "unroutable", "the message has no partition key, which its stream takes the topic from"),
        ),
        sent("a key of 256 characters", RECORD, key(256), (200, "", "")),
        sent(
            "a key of 257 characters",
            RECORD,
            key(257),
            (
                400,
                "bad_request",
                "the partition key is 257 characters long, and at most 256 are accepted: send a shorter one",
            ),
        ),
        sent("no records", RECORDS, "{\"Records\":[]}", (200, "", "")),
        sent("10,000 records in one call", ("PUT", "/streams/many/records"), many(10_000), (200, "", "")),
        sent(
            "100,000 records in one call",
            RECORDS,
            many(100_000),
            (
                400,
                "bad_request",
                "the call holds 100000 records, and at most 10000 are accepted: send them in several calls",
            ),
        ),
        sent(
            "a parameter that is none",
            ("POST", "/streams/bad/messages?kye=k"),
            "[]",
            (
                400,
                "bad_request",
                "Failed to deserialize query string: kye: unknown field `kye`, expected `key` or `topic`",
            ),
        ),
        sent(
            "a stream's name with a slash",
            ("PUT", "/streams/a%2Fb/record"),
            "{}",
            (400, "bad_request", "stream name \"a/b\" may hold only letters, digits, '-', '_' and '.'"),
        ),
        sent(
            "a stream's name with `../`",
            ("PUT", "/streams/..%2F..%2Fetc/record"),
            "{}",
            (400, "bad_request", "stream name \"../../etc\" may hold only letters, digits, '-', '_' and '.'"),
        ),
    ]
}
