//! The tables of topics and times: where a message is put, and when it happened.

use serde_json::{Value, json};

use super::routes::{JSON, NDJSON, Said};
use crate::support::{Client, Setup};

/// A stream whose topic, and one whose time, is in the message.
const STREAMS: &str =
    "[[stream]]\nname = \"pointed\"\ntopic = \"/t\"\n[[stream]]\nname = \"timed\"\ntime = \"/t\"\n";

/// How a topic can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    Key,
    Parameter,
    Argument,
    Pointer,
}

const NAMINGS: [Naming; 4] = [Naming::Key, Naming::Parameter, Naming::Argument, Naming::Pointer];

/// A topic, the verdict on it, and where it differs by how it is named.
pub(super) struct Topic {
    pub(super) what: &'static str,
    topic: String,
    pub(super) verdict: Result<(), String>,
    otherwise: Vec<(Naming, &'static str)>,
    pub(super) note: &'static str,
}

/// A time in a message, whether it is read, and what the message says of that.
pub(super) struct Time {
    pub(super) value: &'static str,
    pub(super) source: &'static str,
    /// The time, where it is the message's own.
    pub(super) time: &'static str,
    pub(super) why: &'static str,
}

pub(super) fn topics() -> Vec<Topic> {
    let refused = |shown: &str, rule: &str| Err(format!("topic {shown} {rule}"));
    let topic = |what, topic: &str, verdict| Topic {
        what,
        topic: topic.into(),
        verdict,
        otherwise: Vec::new(),
        note: "",
    };
    let long = |bytes: usize| "t".repeat(bytes);
    let (size, control) = ("must be 1 to 512 bytes long", "may not hold control characters");
    let shown = format!("{:?}", long(80));
    vec![
        topic("with `../`: a topic is no path", "../../etc/passwd", Ok(())),
        topic("with spaces, quotes, `%`, umlauts", "a b/\"%/ü😀", Ok(())),
        Topic {
            otherwise: vec![(
                Naming::Key,
                "the partition key is 512 characters long, and at most 256 are accepted: send a shorter one",
            )],
            note: "as a partition key it is too long: at most 256 characters",
            ..topic("512 bytes", &long(512), Ok(()))
        },
        Topic {
            otherwise: vec![(
                Naming::Key,
                "the partition key is 513 characters long, and at most 256 are accepted: send a shorter one",
            )],
            note: "as a partition key: \"at most 256 are accepted\"",
            ..topic("513 bytes", &long(513), refused(&shown, size))
        },
        Topic {
            otherwise: vec![(
                Naming::Key,
                "the partition key is 60000 characters long, and at most 256 are accepted: send a shorter one",
            )],
            note: "as a partition key: \"at most 256 are accepted\"",
            ..topic("60,000 bytes", &long(60_000), refused(&shown, size))
        },
        Topic {
            otherwise: vec![
                (
                    Naming::Key,
                    "the partition key is 65536 characters long, and at most 256 are accepted: send a shorter one",
                ),
                (Naming::Parameter, ""),
            ],
            note: "as `?topic=`: status 414 without a sentence, as no address may be so long",
            ..topic("64 KiB", &long(65_536), refused(&shown, size))
        },
        topic("with NUL", "a\0b", refused("\"a\\0b\"", control)),
        topic("with a line feed", "a\nb", refused("\"a\\nb\"", control)),
        topic("with a control character of Unicode", "a\u{85}b", refused("\"a\\u{85}b\"", control)),
        Topic {
            otherwise: vec![(
                Naming::Key,
                "the message has no partition key, which its stream takes the topic from",
            )],
            note: "an empty key is none",
            ..topic("empty", "", refused("\"\"", size))
        },
    ]
}

pub(super) fn times() -> Vec<Time> {
    let read = |value, time| Time { value, source: "MESSAGE", time, why: "" };
    let arrival = |value, source, why| Time { value, source, time: "", why };
    vec![
        arrival("\"0000-01-01T00:00:00Z\"", "UNREADABLE", "years are 1 to 9999"),
        read("\"0001-01-01T00:00:00Z\"", "0001-01-01T00:00:00.000000Z"),
        arrival("\"9999-12-31T23:59:59Z\"", "AHEAD", "more than five minutes ahead of its arrival"),
        arrival("\"NaN\"", "UNREADABLE", "no time"),
        arrival("1e400", "UNREADABLE", "no number of 64 bits"),
        arrival("99999999999999999999", "UNREADABLE", "beyond the year 9999"),
        read("-1", "1969-12-31T23:59:59.000000Z"),
        read("1590969624", "2020-06-01T00:00:24.000000Z"),
        arrival("\"2020-02-30T00:00:00Z\"", "UNREADABLE", "no such day"),
        arrival("\"\"", "UNREADABLE", "no time"),
        arrival("null", "UNREADABLE", "no time"),
        arrival("{\"s\":1}", "UNREADABLE", "no text or number"),
    ]
}

impl Naming {
    fn send(self, client: &Client, topic: &str) -> Said {
        let message = match self {
            Self::Pointer => json!({ "t": topic }),
            _ => json!({ "n": 1 }),
        };
        Said::of(&match self {
            Self::Key => client
                .put("/streams/keyed/record", json!({ "Data": message, "PartitionKey": topic }).to_string()),
            Self::Parameter => {
                let encoded: String = topic.bytes().map(|byte| format!("%{byte:02X}")).collect();
                // A request's line has a limit of its own, so what needs no escape goes without.
                let text = if topic.starts_with("ttt") { topic.to_owned() } else { encoded };
                client.post(&format!("/streams/named/messages?topic={text}"), NDJSON, message.to_string())
            }
            Self::Argument => {
                let document = "mutation($t: String, $data: JSON!) { publish(stream: \"argued\", topic: $t, data: $data) { topic } }";
                client.graphql_answer(document, &json!({ "t": topic, "data": message }))
            }
            Self::Pointer => client
                .put("/streams/pointed/record", json!({ "Data": message, "PartitionKey": "k" }).to_string()),
        })
    }

    fn stream(self) -> &'static str {
        match self {
            Self::Key => "keyed",
            Self::Parameter => "named",
            Self::Argument => "argued",
            Self::Pointer => "pointed",
        }
    }
}

#[test]
fn a_topic_gets_the_same_verdict_however_it_is_named() {
    let server = Setup::configured(STREAMS).start();
    let client = server.client();
    let mut accepted = vec![Vec::new(); NAMINGS.len()];
    for row in topics() {
        for (at, naming) in NAMINGS.into_iter().enumerate() {
            let what = format!("{} by {naming:?}", row.what);
            let said = naming.send(&client, &row.topic);
            let otherwise = row.otherwise.iter().find(|(other, _)| *other == naming);
            let expect = otherwise.map_or(row.verdict.clone(), |(_, sentence)| Err((*sentence).to_owned()));
            match expect {
                Ok(()) => {
                    assert!(said.is_accepted(), "{what}: {said:?}");
                    accepted[at].push(row.topic.clone());
                }
                Err(sentence) => {
                    assert_eq!(said.sentence, sentence, "{what}");
                    assert!(!said.is_accepted(), "{what}: {said:?}");
                }
            }
        }
    }
    for (naming, expect) in NAMINGS.into_iter().zip(accepted) {
        let document = format!("{{ {0}(last: 100) {{ nodes {{ topic }} }} }}", naming.stream());
        let nodes = client.nodes(naming.stream(), &document, expect.len());
        let topics: Vec<&str> = nodes.iter().filter_map(|node| node["topic"].as_str()).collect();
        assert_eq!(topics, expect, "{naming:?}");
    }
    // A key is no topic where the topic is something else.
    let body = json!({ "Data": { "t": "x" }, "PartitionKey": "a\0b/../\n" }).to_string();
    client.put("/streams/pointed/record", body).expect(200);
    let document = "{ pointed(topic: \"x\", last: 1) { nodes { key } } }";
    assert_eq!(client.nodes("pointed", document, 1), [json!({ "key": "a\0b/../\n" })]);
    let body = json!({ "Data": { "t": {} }, "PartitionKey": "k" }).to_string();
    let said = Said::of(&client.put("/streams/pointed/record", body));
    let sentence = "the message has no text or number at /t, where its stream takes the topic from";
    assert_eq!(said, Said::new(400, "unroutable", sentence));
}

#[test]
fn a_time_that_cannot_be_is_told_and_arrival_stands_in() {
    let server = Setup::configured(STREAMS).start();
    let client = server.client();
    for (at, row) in times().iter().enumerate() {
        client
            .post(&format!("/streams/timed/messages?key={at}"), JSON, format!("[{{\"t\":{}}}]", row.value))
            .expect(200);
        let document =
            format!("{{ timed(topic: \"{at}\", first: 1) {{ nodes {{ time timeSource arrivedAt }} }} }}");
        let nodes = client.nodes("timed", &document, 1);
        let Value::Object(node) = &nodes[0] else { panic!("{nodes:?}") };
        assert_eq!(node["timeSource"], row.source, "{}", row.value);
        let expect = if row.time.is_empty() { node["arrivedAt"].clone() } else { json!(row.time) };
        assert_eq!(node["time"], expect, "{}", row.value);
    }
}
