//! JSON Pointer (RFC 6901) over checked bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Cursor, Kind};

/// A path to one value of a document: `/request/items/0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer {
    text: String,
    segments: Vec<String>,
}

/// A text that is no JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a JSON pointer: expected a path such as /topic or /request/id")]
pub struct InvalidPointer(String);

impl Pointer {
    /// The names on the way, their escapes resolved.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The kind and the bytes of the value that this points to in a checked document.
    pub fn find<'a>(&self, document: &'a [u8]) -> Option<(Kind, &'a [u8])> {
        let mut cursor = Cursor::new(document);
        for segment in &self.segments {
            match cursor.kind().ok()? {
                Kind::Object => {
                    cursor.enter_object().ok()?;
                    while !cursor.next_name().ok()??.is(segment) {
                        cursor.skip().ok()?;
                    }
                }
                Kind::Array => {
                    cursor.enter_array().ok()?;
                    for _ in 0..segment.parse::<usize>().ok()? {
                        cursor.next_element().ok()?.then_some(())?;
                        cursor.skip().ok()?;
                    }
                    cursor.next_element().ok()?.then_some(())?;
                }
                _ => return None,
            }
        }
        Some((cursor.kind().ok()?, cursor.skip().ok()?))
    }

    /// The value that this points to, as plain text: a string's meaning, a number's digits.
    pub fn find_text(&self, document: &[u8]) -> Option<String> {
        match self.find(document)? {
            (Kind::Text, raw) => Cursor::new(raw).text().ok()?.decode().ok().map(Into::into),
            (Kind::Integer | Kind::Float, raw) => std::str::from_utf8(raw).ok().map(Into::into),
            _ => None,
        }
    }
}

impl FromStr for Pointer {
    type Err = InvalidPointer;

    fn from_str(text: &str) -> Result<Self, InvalidPointer> {
        let invalid = || InvalidPointer(text.to_owned());
        let path = text.strip_prefix('/').ok_or_else(invalid)?;
        let mut segments = Vec::new();
        for segment in path.split('/') {
            let resolved = segment.replace("~1", "/").replace("~0", "~");
            // A tilde begins one of the two escapes and nothing else (RFC 6901, section 3).
            if segment.replace("~1", "").replace("~0", "").contains('~') {
                return Err(invalid());
            }
            segments.push(resolved);
        }
        Ok(Self { text: text.to_owned(), segments })
    }
}

impl TryFrom<String> for Pointer {
    type Error = InvalidPointer;

    fn try_from(text: String) -> Result<Self, InvalidPointer> {
        text.parse()
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.text
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_rfc_6901_says() {
        let document = br#"{"foo":["bar","baz"],"":0,"a/b":1,"m~n":8,"esc\u0061ped":{"x":null},"n":-1.5e3}"#;
        for (pointer, expect) in [
            ("/foo", Some(r#"["bar","baz"]"#)),
            ("/foo/1", Some(r#""baz""#)),
            ("/", Some("0")),
            ("/a~1b", Some("1")),
            ("/m~0n", Some("8")),
            ("/escaped/x", Some("null")),
            ("/foo/2", None),
            ("/foo/x", None),
            ("/nothing", None),
            ("/n/deeper", None),
        ] {
            let found = pointer.parse::<Pointer>().unwrap().find(document).map(|(_, raw)| raw);
            assert_eq!(found, expect.map(str::as_bytes), "{pointer}");
        }
        assert_eq!("/n".parse::<Pointer>().unwrap().find_text(document).as_deref(), Some("-1.5e3"));
        for text in ["", "topic", "/a~2", "/a~"] {
            assert!(text.parse::<Pointer>().is_err(), "{text}");
        }
    }
}
