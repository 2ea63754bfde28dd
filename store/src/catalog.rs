//! A stream as the catalog keeps it: its names in GraphQL, given once, and the versions of its definition.

use schema::{Stream, StreamName, Timestamp};
use serde::{Deserialize, Serialize};

/// A stream's entry in the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamRecord {
    /// Counts the changes of this entry; compared and set by whoever writes the next.
    pub version: u64,
    /// Random, and another one where a stream is made anew: positions of one say nothing of the other.
    #[serde(default)]
    pub incarnation: u64,
    /// Its root field in GraphQL: assigned once.
    pub root_field: String,
    /// The GraphQL type of its messages: assigned once.
    pub type_name: String,
    /// Its definitions, oldest first, each with the arrival time from which on it is in force.
    pub definitions: Vec<(Timestamp, Stream)>,
}

impl StreamRecord {
    /// The first entry of a stream that the catalog does not know, its names clear of those of `others`. Whoever puts it
    /// there gives it its incarnation.
    pub fn new(definition: Stream, others: &[Self]) -> Self {
        let taken_field = |name: &str| others.iter().any(|other| other.root_field == name);
        let root_field = schema::names::root_field(&definition.name, taken_field);
        let mut type_name = schema::names::pascal(&root_field);
        // Another suffix would not part `UserDataX` from the types of stream `user`; another beginning does.
        while types_meet_reserved(&type_name)
            || others.iter().any(|other| types_meet(&other.type_name, &type_name))
        {
            type_name.insert_str(0, "Stream");
        }
        let definitions = vec![(Timestamp::MIN, definition)];
        Self { version: 1, incarnation: 0, root_field, type_name, definitions }
    }

    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        &self.current().name
    }

    /// The definition in force for what arrives from now on.
    pub fn current(&self) -> &Stream {
        // An entry is made with a definition, and definitions are only added.
        &self.definitions[self.definitions.len() - 1].1
    }

    /// The definition in force for a record that arrived then. A record that is decoded again is decoded the same.
    pub fn in_force(&self, arrived_at: Timestamp) -> &Stream {
        let known = self.definitions.iter().rev().find(|(since, _)| *since <= arrived_at);
        known.map_or(&self.definitions[0].1, |(_, definition)| definition)
    }

    /// The next version of this entry, with another definition from `since` on; `None` if it says the same.
    pub fn redefined(&self, definition: Stream, since: Timestamp) -> Option<Self> {
        if *self.current() == definition {
            return None;
        }
        let mut next = self.clone();
        next.version += 1;
        next.definitions.push((since, definition));
        Some(next)
    }
}

/// Whether types named after `a` and after `b` could bear the same name: one is the other with what Tidegate appends
/// (`UserDataX` of stream `user`, or of stream `user-data-x`).
fn types_meet(a: &str, b: &str) -> bool {
    let follows = |long: &str, short: &str| {
        let rest = long.strip_prefix(short);
        rest.is_some_and(|rest| {
            ["", "Connection", "Edge", "Event"].contains(&rest) || rest.starts_with("Data")
        })
    };
    follows(a, b) || follows(b, a)
}

/// Whether a type is the control plane's own, or GraphQL's.
fn types_meet_reserved(name: &str) -> bool {
    const RESERVED: &[&str] = &[
        "Query",
        "Mutation",
        "Subscription",
        "PageInfo",
        "Stream",
        "Topic",
        "Shape",
        "DeadLetter",
        "DeadLetterOutcome",
        "DeadLetterVerdict",
        "Client",
        "ClientSecret",
        "ApiKey",
        "ApiKeySecret",
        "Denial",
        "DenialKind",
        "Published",
        "Me",
        "Long",
        "Number",
        "Time",
        "JSON",
        "String",
        "Float",
        "Boolean",
        "Int",
        "ID",
        "PageCursor",
        "ResumeCursor",
        "TimeSource",
        "Gap",
        "GapReason",
    ];
    RESERVED.iter().any(|reserved| types_meet(reserved, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &str) -> Stream {
        Stream::with_defaults(StreamName::new(name).unwrap())
    }

    #[test]
    fn names_are_clear_of_each_other() {
        let mut all: Vec<StreamRecord> = Vec::new();
        for (name, root_field, type_name) in [
            ("user-events", "userEvents", "UserEvents"),
            ("user_events", "userEvents_2", "UserEvents2"),
            ("user", "user", "User"),
            ("user-data", "userData", "StreamUserData"),
            ("streams", "streams_2", "Streams2"),
            ("stream-data", "streamData", "StreamStreamData"),
        ] {
            let record = StreamRecord::new(stream(name), &all);
            assert_eq!((record.root_field.as_str(), record.type_name.as_str()), (root_field, type_name));
            all.push(record);
        }
    }

    #[test]
    fn a_record_is_decoded_by_the_definition_in_force_when_it_arrived() {
        let mut second = stream("s");
        second.time = Some("/t".parse().unwrap());
        let record = StreamRecord::new(stream("s"), &[]);
        assert_eq!(record.redefined(stream("s"), Timestamp(5)), None);
        let record = record.redefined(second.clone(), Timestamp(5)).unwrap();
        assert_eq!(record.in_force(Timestamp(4)), &stream("s"));
        assert_eq!(record.in_force(Timestamp(5)), &second);
        assert_eq!(record.version, 2);
    }
}
