//! A stream's definition, and what follows from it for one record: topic, time, identity.

use serde::{Deserialize, Serialize};

use crate::json::{Cursor, Kind, Pointer};
use crate::time::duration_micros;
use crate::{StreamName, TimeSource, Timestamp, Topic};

/// How far ahead of its arrival a message's time may lie before arrival stands in for it: 5 minutes.
pub const AHEAD_MICROS: i64 = 5 * 60 * 1_000_000;

/// A named flow of messages with one shape, one retention and one set of rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Its name, such as `user-events`.
    pub name: StreamName,
    /// The Kinesis stream that feeds it, where Kinesis is the log and that one has another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinesis: Option<StreamName>,
    /// Where a message's topic comes from: `key` (the partition key), `caller` (who sent it), a JSON pointer such as
    /// `/topic`, or `constant:NAME`.
    #[serde(default)]
    pub topic: TopicRule,
    /// JSON pointer to a message's time. Without one, arrival is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Pointer>,
    /// JSON pointer to a message's own id: equal ids within `id_window` and one partition key are kept once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Pointer>,
    /// JSON pointers to strings that hold JSON documents: their fields are typed like any other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub json_strings: Vec<Pointer>,
    /// How long messages are kept, counted from arrival: a number with a unit of `s m h d w`.
    #[serde(default)]
    pub retention: Retention,
    /// How long equal ids are folded, counted in arrival time.
    #[serde(default)]
    pub id_window: IdWindow,
    /// A message that arrives so long after its time is marked as late to those who watch live.
    #[serde(default)]
    pub late_after: LateAfter,
}

/// Where the topic of a message comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TopicRule {
    /// The partition key.
    #[default]
    Key,
    /// Who sent it: a caller then reads its own messages only.
    Caller,
    /// The text or number at a place in the message.
    Pointer(Pointer),
    /// Always the same.
    Constant(Topic),
}

impl TryFrom<String> for TopicRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "key" => Ok(Self::Key),
            "caller" => Ok(Self::Caller),
            pointer if pointer.starts_with('/') => pointer
                .parse()
                .map(Self::Pointer)
                .map_err(|error: crate::json::InvalidPointer| error.to_string()),
            other => match other.strip_prefix("constant:") {
                Some(name) => Topic::new(name).map(Self::Constant).map_err(|error| error.to_string()),
                None => Err(format!(
                    "{other:?} is not a topic rule: expected key, caller, a JSON pointer such as /topic, or constant:NAME"
                )),
            },
        }
    }
}

impl From<TopicRule> for String {
    fn from(rule: TopicRule) -> Self {
        match rule {
            TopicRule::Key => "key".into(),
            TopicRule::Caller => "caller".into(),
            TopicRule::Pointer(pointer) => pointer.into(),
            TopicRule::Constant(topic) => format!("constant:{topic}"),
        }
    }
}

macro_rules! duration_setting {
    ($(#[$doc:meta])* $name:ident, $default:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name {
            text: String,
            micros: i64,
        }

        impl $name {
            /// In microseconds.
            pub fn micros(&self) -> i64 {
                self.micros
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self { text: $default.into(), micros: duration_micros($default).unwrap_or_default() }
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                match duration_micros(&text) {
                    Some(micros) if micros > 0 => Ok(Self { text, micros }),
                    _ => Err(format!("{text:?} is not a length of time: expected a number with a unit of s m h d w, such as {}", $default)),
                }
            }
        }

        impl From<$name> for String {
            fn from(setting: $name) -> Self {
                setting.text
            }
        }
    };
}

duration_setting!(
    /// How long messages are kept, counted from arrival.
    Retention,
    "30d"
);
duration_setting!(
    /// How long equal ids are folded, counted in arrival time.
    IdWindow,
    "1h"
);
duration_setting!(
    /// How long after its time a message may arrive and not be late.
    LateAfter,
    "1m"
);

/// Why a record can't be routed to a topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unroutable {
    /// The stream takes topics from a place where this message has nothing usable.
    #[error("the message has no text or number at {0}, where its stream takes the topic from")]
    NoTopicAt(Pointer),
    /// The stream takes topics from the partition key, and there is none.
    #[error("the message has no partition key, which its stream takes the topic from")]
    NoKey,
    /// The stream takes topics from the caller, and the record names none.
    #[error("the record names no caller, which its stream takes the topic from")]
    NoCaller,
    /// What was found is not a topic.
    #[error(transparent)]
    Invalid(#[from] crate::names::InvalidName),
}

impl Stream {
    /// A stream with every setting at its default: topic = partition key, time = arrival.
    pub fn with_defaults(name: StreamName) -> Self {
        Self {
            name,
            kinesis: None,
            topic: TopicRule::default(),
            time: None,
            id: None,
            json_strings: Vec::new(),
            retention: Retention::default(),
            id_window: IdWindow::default(),
            late_after: LateAfter::default(),
        }
    }

    /// The Kinesis stream that feeds it, where Kinesis is the log.
    pub fn source(&self) -> &StreamName {
        self.kinesis.as_ref().unwrap_or(&self.name)
    }

    /// The topic of a record. `named` is the topic that its sender was entitled to name: the caller's own, or the
    /// one given to `publish`; it wins over the rule.
    ///
    /// # Errors
    /// [`Unroutable`] says what is missing.
    pub fn route(&self, named: Option<&Topic>, key: &str, data: &[u8]) -> Result<Topic, Unroutable> {
        if let Some(topic) = named {
            return Ok(topic.clone());
        }
        match &self.topic {
            TopicRule::Key if key.is_empty() => Err(Unroutable::NoKey),
            TopicRule::Key => Ok(Topic::new(key)?),
            TopicRule::Caller => Err(Unroutable::NoCaller),
            TopicRule::Constant(topic) => Ok(topic.clone()),
            TopicRule::Pointer(pointer) => {
                let found = pointer.find_text(data).ok_or_else(|| Unroutable::NoTopicAt(pointer.clone()))?;
                Ok(Topic::new(&found)?)
            }
        }
    }

    /// When the message in `data` happened, and how that is known.
    pub fn time_of(&self, data: &[u8], arrived_at: Timestamp) -> (Timestamp, TimeSource) {
        let Some(pointer) = &self.time else { return (arrived_at, TimeSource::Arrival) };
        let time = pointer.find(data).and_then(|(kind, raw)| match kind {
            Kind::Text => Timestamp::from_text(&Cursor::new(raw).text().ok()?.decode().ok()?),
            Kind::Integer | Kind::Float => Timestamp::from_number(std::str::from_utf8(raw).ok()?),
            _ => None,
        });
        match time {
            None => (arrived_at, TimeSource::Unreadable),
            Some(time) if time > arrived_at.plus_micros(AHEAD_MICROS) => (arrived_at, TimeSource::Ahead),
            Some(time) => (time, TimeSource::Message),
        }
    }

    /// Whether a message of that `time` is late where it arrives at `arrived_at`.
    pub fn is_late(&self, time: Timestamp, arrived_at: Timestamp) -> bool {
        arrived_at > time.plus_micros(self.late_after.micros())
    }

    /// The message's own id, where the stream names one and the message has it.
    pub fn id_of(&self, data: &[u8]) -> Option<String> {
        self.id.as_ref()?.find_text(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(toml: serde_json::Value) -> Result<Stream, String> {
        serde_json::from_value(toml).map_err(|error| error.to_string())
    }

    #[test]
    fn a_record_is_routed_by_its_streams_rule() {
        let data = br#"{"topic":"a.b","n":7,"o":{}}"#;
        for (rule, key, expect) in [
            ("key", "k", Ok("k")),
            ("key", "", Err("no partition key")),
            ("/topic", "k", Ok("a.b")),
            ("/n", "k", Ok("7")),
            ("/o", "k", Err("no text or number at /o")),
            ("/gone", "k", Err("no text or number at /gone")),
            ("constant:all", "k", Ok("all")),
            ("caller", "k", Err("names no caller")),
        ] {
            let stream = stream(serde_json::json!({"name": "s", "topic": rule})).unwrap();
            match (stream.route(None, key, data), expect) {
                (Ok(topic), Ok(expect)) => assert_eq!(topic.as_str(), expect, "{rule}"),
                (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{rule}: {error}"),
                other => panic!("{rule}: {other:?}"),
            }
            let named = Topic::new("mine").unwrap();
            assert_eq!(stream.route(Some(&named), key, data), Ok(named));
        }
    }

    #[test]
    fn time_is_the_messages_own_or_arrival() {
        let stream = stream(serde_json::json!({"name": "s", "time": "/t"})).unwrap();
        let arrived = Timestamp::from_text("2020-06-01T00:00:00Z").unwrap();
        for (data, expect, source) in [
            (r#"{"t":"2020-05-31 23:00:00"}"#, "2020-05-31T23:00:00.000000Z", TimeSource::Message),
            (r#"{"t":1590965940}"#, "2020-05-31T22:59:00.000000Z", TimeSource::Message),
            (r#"{"t":"2020-06-01T00:05:00Z"}"#, "2020-06-01T00:05:00.000000Z", TimeSource::Message),
            (r#"{"t":"2020-06-01T00:05:01Z"}"#, "2020-06-01T00:00:00.000000Z", TimeSource::Ahead),
            (r#"{"t":"soon"}"#, "2020-06-01T00:00:00.000000Z", TimeSource::Unreadable),
            (r#"{"t":null}"#, "2020-06-01T00:00:00.000000Z", TimeSource::Unreadable),
            ("{}", "2020-06-01T00:00:00.000000Z", TimeSource::Unreadable),
        ] {
            let (time, from) = stream.time_of(data.as_bytes(), arrived);
            assert_eq!((time.to_string().as_str(), from), (expect, source), "{data}");
        }
    }

    #[test]
    fn wrong_settings_say_what_was_expected() {
        for (setting, expect) in [
            (serde_json::json!({"name": "s", "topic": "partition"}), "expected key, caller, a JSON pointer"),
            (serde_json::json!({"name": "s", "retention": "30"}), "a number with a unit"),
            (serde_json::json!({"name": "s", "retention": "0d"}), "a number with a unit"),
            (serde_json::json!({"name": "s", "time": "t"}), "is not a JSON pointer"),
            (serde_json::json!({"name": "s/x"}), "may hold only letters"),
            (serde_json::json!({"name": "s", "tpoic": "key"}), "unknown field `tpoic`"),
        ] {
            let error = stream(setting).unwrap_err();
            assert!(error.contains(expect), "{error}");
        }
    }
}
