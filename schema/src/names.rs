//! Names that travel: of streams, of topics, and how they are spelled in GraphQL.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A name that breaks a rule, and which.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {name:?} {broken}")]
pub struct InvalidName {
    what: &'static str,
    name: String,
    broken: &'static str,
}

impl InvalidName {
    fn new(what: &'static str, name: &str, broken: &'static str) -> Self {
        // A hostile name may be huge; the error stays one readable line.
        Self { what, name: name.chars().take(80).collect(), broken }
    }
}

/// The name of a stream: 1 to 128 letters, digits, `-`, `_` and `.`, as in Kinesis, the first a letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// Checks and keeps `name`.
    ///
    /// # Errors
    /// [`InvalidName`] says which rule it breaks.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let broken = |why| Err(InvalidName::new("stream name", name, why));
        if name.is_empty() || name.len() > 128 {
            return broken("must be 1 to 128 characters long");
        }
        if !name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.')) {
            return broken("may hold only letters, digits, '-', '_' and '.'");
        }
        if !name.as_bytes()[0].is_ascii_alphabetic() {
            return broken("must begin with a letter");
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StreamName {
    type Error = InvalidName;

    fn try_from(name: String) -> Result<Self, InvalidName> {
        Self::new(&name)
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> Self {
        name.0.as_ref().into()
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What messages are stored and asked for by: 1 to 512 bytes of UTF-8 without control characters.
///
/// Control characters are refused so that a topic can end with a zero byte in a key, and be logged on one line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topic(Arc<str>);

impl Topic {
    /// Longest topic, in bytes.
    pub const MAX_BYTES: usize = 512;

    /// Checks and keeps `name`.
    ///
    /// # Errors
    /// [`InvalidName`] says which rule it breaks.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let broken = |why| Err(InvalidName::new("topic", name, why));
        if name.is_empty() || name.len() > Self::MAX_BYTES {
            return broken("must be 1 to 512 bytes long");
        }
        if name.chars().any(char::is_control) {
            return broken("may not hold control characters");
        }
        Ok(Self(name.into()))
    }

    /// The topic.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Topic {
    type Error = InvalidName;

    fn try_from(name: String) -> Result<Self, InvalidName> {
        Self::new(&name)
    }
}

impl From<Topic> for String {
    fn from(topic: Topic) -> Self {
        topic.0.as_ref().into()
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Root fields of the control plane: no stream may take them.
pub const RESERVED_FIELDS: &[&str] = &[
    "stream",
    "streams",
    "topic",
    "topics",
    "shape",
    "shapes",
    "message",
    "messages",
    "deadLetter",
    "deadLetters",
    "publish",
    "me",
    "keys",
    "denials",
    "clients",
    "issuers",
    "policy",
    "webhooks",
    "deliveries",
    "archive",
    "estimate",
    "cost",
    "audit",
    "entities",
    "series",
    "windows",
    "node",
    "nodes",
];

/// The GraphQL root field of a stream, in camelCase (`user-events` → `userEvents`), clear of reserved names and of
/// `taken`.
pub fn root_field(stream: &StreamName, taken: impl Fn(&str) -> bool) -> String {
    let mut words = words(stream.as_str());
    let first = words.next().map(lower_first).unwrap_or_default();
    let name: String = std::iter::once(first).chain(words.map(upper_first)).collect();
    unique(&name, |name| taken(name) || RESERVED_FIELDS.contains(&name))
}

/// `name`, or `name_2`, `name_3`, … : the first that is not taken.
pub fn unique(name: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(name) {
        return name.to_owned();
    }
    (2u32..).map(|n| format!("{name}_{n}")).find(|name| !taken(name)).unwrap_or_default()
}

/// `name` in PascalCase, as part of a type's name; characters that GraphQL can't spell part words.
pub fn pascal(name: &str) -> String {
    words(name).map(upper_first).collect()
}

/// The producer's field name as GraphQL can spell it: letters, digits and `_`, not starting with a digit or `__`.
///
/// A name that GraphQL can spell comes back unchanged.
pub fn field(name: &str) -> String {
    let mut spelled: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if spelled.is_empty() || spelled.as_bytes()[0].is_ascii_digit() {
        spelled.insert(0, '_');
    }
    // Names that begin with two underscores belong to introspection (GraphQL specification, section 3.10).
    if spelled.starts_with("__") {
        spelled = format!("_{}", spelled.trim_start_matches('_'));
    }
    spelled
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

fn upper_first(word: &str) -> String {
    word[..1].to_ascii_uppercase() + &word[1..]
}

fn lower_first(word: &str) -> String {
    word[..1].to_ascii_lowercase() + &word[1..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_topics_say_which_rule_was_broken() {
        assert!(StreamName::new("user-events").is_ok());
        for name in ["", "9lives", "a/b", "../x", "ü", &"x".repeat(129)] {
            assert!(StreamName::new(name).is_err(), "{name}");
        }
        assert!(Topic::new("sensors/cellar/../Küche").is_ok());
        for name in ["", "a\0b", "a\nb", "a\u{85}b", &"x".repeat(513)] {
            assert!(Topic::new(name).is_err(), "{name:?}");
        }
        let error = Topic::new(&"x".repeat(65_536)).unwrap_err().to_string();
        assert!(error.len() < 200 && error.contains("1 to 512 bytes"), "{error}");
    }

    #[test]
    fn root_fields_are_camel_case_and_unique() {
        let name = |name: &str| StreamName::new(name).unwrap();
        assert_eq!(root_field(&name("user-events"), |_| false), "userEvents");
        assert_eq!(root_field(&name("UserEvents"), |taken| taken == "userEvents"), "userEvents_2");
        assert_eq!(root_field(&name("node"), |_| false), "node_2");
        assert_eq!(root_field(&name("IoT.telemetry_v2"), |_| false), "ioTTelemetryV2");
    }

    #[test]
    fn fields_keep_their_names_where_graphql_can_spell_them() {
        for (name, expect) in [
            ("cookie_id", "cookie_id"),
            ("a-b", "a_b"),
            ("1st", "_1st"),
            ("__typename", "_typename"),
            ("", "_"),
            ("é", "_"),
        ] {
            assert_eq!(field(name), expect, "{name}");
        }
        assert_eq!(pascal("color_palette-x"), "ColorPaletteX");
    }
}
