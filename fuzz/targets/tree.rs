//! The yardstick: JSON as a tree, read by serde_json's grammar, and the rules of I-JSON applied to it one by one.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A value, and how it is written.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    pub(crate) raw: &'a str,
    pub(crate) node: Node<'a>,
}

#[derive(Debug)]
pub(crate) enum Node<'a> {
    Null,
    Boolean,
    Integer,
    Float,
    Text(String),
    Array(Vec<Tree<'a>>),
    Object(Vec<Member<'a>>),
}

#[derive(Debug)]
pub(crate) struct Member<'a> {
    /// What the name means.
    pub(crate) name: String,
    /// How it is written, with its quotes.
    pub(crate) written: &'a str,
    pub(crate) value: Tree<'a>,
}

/// Which rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// RFC 8259, section 2, or RFC 3629.
    Grammar,
    /// RFC 7493: names, or surrogates.
    Internet,
    /// Too deep.
    Depth,
}

/// Reads one document.
pub(crate) fn read(document: &[u8], depth: usize) -> Result<Tree<'_>, Refused> {
    // Numbers of any size and brackets of any depth: raw values are only looked at for their grammar.
    let raw: &RawValue = serde_json::from_slice(document).map_err(|_| Refused::Grammar)?;
    grow(raw.get(), depth)
}

fn grow(raw: &str, depth: usize) -> Result<Tree<'_>, Refused> {
    let below = depth.checked_sub(1).ok_or(Refused::Depth);
    let node = match raw.as_bytes()[0] {
        b'n' => Node::Null,
        b't' | b'f' => Node::Boolean,
        b'"' => Node::Text(text(raw)?),
        b'[' => {
            let below = below?;
            let items: Vec<&RawValue> = serde_json::from_str(raw).map_err(|_| Refused::Grammar)?;
            Node::Array(items.into_iter().map(|item| grow(item.get(), below)).collect::<Result<_, _>>()?)
        }
        b'{' => {
            let below = below?;
            let Members(members) = serde_json::from_str(raw).map_err(|_| Refused::Grammar)?;
            let mut seen = HashSet::new();
            let grown = members.into_iter().map(|(written, value)| {
                let (name, written) = (text(written.get())?, written.get());
                if !seen.insert(name.clone()) {
                    return Err(Refused::Internet);
                }
                Ok(Member { name, written, value: grow(value.get(), below)? })
            });
            Node::Object(grown.collect::<Result<_, _>>()?)
        }
        _ if raw.contains(['.', 'e', 'E']) => Node::Float,
        _ => Node::Integer,
    };
    Ok(Tree { raw, node })
}

/// What a string means. Its grammar was read, so all that can be wrong is a surrogate.
fn text(raw: &str) -> Result<String, Refused> {
    serde_json::from_str(raw).map_err(|_| Refused::Internet)
}

/// An object's members as they are written, all of them.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(Members(all))
            }
        }
        deserializer.deserialize_map(All)
    }
}
