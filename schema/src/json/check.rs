//! The gate: is this I-JSON, within the limits?
//!
//! The rules are those of RFC 8259 (grammar) and RFC 7493 (I-JSON: UTF-8, no lone surrogates, unique names). Numbers
//! may be of any size: their digits are kept, and only a reader that wants 64 bits of them can fail.

use std::borrow::Cow;
use std::collections::HashSet;

use super::text::{Text, escape};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// How deep a body is looked into for what is wrong with it: this bounds the recursion.
const BODY_DEPTH: usize = 256;

/// What the check bounds.
#[derive(Clone, Copy, Debug)]
pub struct CheckLimits {
    /// Largest document, in bytes.
    pub bytes: usize,
    /// Deepest nesting of objects and arrays.
    pub depth: usize,
}

impl From<&crate::Limits> for CheckLimits {
    fn from(limits: &crate::Limits) -> Self {
        Self { bytes: limits.message_bytes, depth: limits.json_depth }
    }
}

/// Why a document was refused. `at` counts bytes from its start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Larger than a message may be.
    #[error("the message is {bytes} bytes long, and at most {limit} are accepted")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The most that is accepted.
        limit: usize,
    },
    /// Nested deeper than a message may be.
    #[error("the message nests deeper than {limit} levels (at byte {at})")]
    TooDeep {
        /// Where.
        at: usize,
        /// The most that is accepted.
        limit: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("the message is not UTF-8 (at byte {at}): JSON must be sent as UTF-8")]
    NotUtf8 {
        /// Where.
        at: usize,
    },
    /// Not JSON.
    #[error("the message is not JSON: expected {expected} at byte {at}")]
    NotJson {
        /// Where.
        at: usize,
        /// What the grammar allows there.
        expected: &'static str,
    },
    /// Two members of one object bear the same name.
    #[error("the name {name:?} appears twice in one object (at byte {at}): names must be unique")]
    DuplicateName {
        /// Where the second one is.
        at: usize,
        /// The name, its escapes resolved.
        name: String,
    },
    /// Half of a surrogate pair, which means no character.
    #[error("the escape at byte {at} is half of a surrogate pair: it means no character")]
    LoneSurrogate {
        /// Where.
        at: usize,
    },
}

/// Checks that `bytes` are one I-JSON document within `limits`.
///
/// # Errors
/// The first [`Fault`] found.
pub fn check(bytes: &[u8], limits: CheckLimits) -> Result<(), Fault> {
    if bytes.len() > limits.bytes {
        return Err(Fault::TooLarge { bytes: bytes.len(), limit: limits.bytes });
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(Fault::NotUtf8 { at: error.valid_up_to() });
    }
    let mut checker = Checker { bytes, at: 0, left: limits.depth, limit: limits.depth };
    if bytes.starts_with(BYTE_ORDER_MARK) {
        // It can't be seen, so "a JSON value" alone would puzzle whoever sent one (RFC 8259, section 8.1).
        return checker.expected("a JSON value without a byte order mark before it");
    }
    checker.value()?;
    checker.space();
    if checker.at < bytes.len() { checker.expected("the end of the message") } else { Ok(()) }
}

/// What is wrong with a request's body that a parser refused, in the words that a message is refused with; `None` where it
/// is JSON, and something else is wrong with it.
pub fn body_fault(body: &[u8]) -> Option<String> {
    match check(body, CheckLimits { bytes: usize::MAX, depth: BODY_DEPTH }).err()? {
        Fault::NotUtf8 { at } => {
            Some(format!("the request body is not UTF-8 (at byte {at}): JSON must be sent as UTF-8"))
        }
        Fault::NotJson { at, expected } => {
            Some(format!("the request body is not JSON: expected {expected} at byte {at}"))
        }
        Fault::LoneSurrogate { at } => Some(format!(
            "the escape at byte {at} of the request body is half of a surrogate pair: it means no character"
        )),
        Fault::TooDeep { .. } | Fault::TooLarge { .. } | Fault::DuplicateName { .. } => None,
    }
}

struct Checker<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many more levels may be entered: this is what bounds the recursion.
    left: usize,
    limit: usize,
}

impl<'a> Checker<'a> {
    fn value(&mut self) -> Result<(), Fault> {
        self.space();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.expected("a JSON value"),
        }
    }

    fn nested(&mut self, body: fn(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        if self.left == 0 {
            return Err(Fault::TooDeep { at: self.at, limit: self.limit });
        }
        self.left -= 1;
        self.at += 1;
        self.space();
        body(self)?;
        self.left += 1;
        Ok(())
    }

    fn object(&mut self) -> Result<(), Fault> {
        let mut names = Names::default();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let at = self.at;
            if self.peek() != Some(b'"') {
                return self.expected("a name in quotes, or }");
            }
            let name = self.string()?;
            if let Some(name) = names.insert(name) {
                return Err(Fault::DuplicateName { at, name: name.chars().take(80).collect() });
            }
            self.space();
            if !self.take(b':') {
                return self.expected("':' after a name");
            }
            self.value()?;
            self.space();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.expected("',' or '}'");
            }
            self.space();
        }
    }

    fn array(&mut self) -> Result<(), Fault> {
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.value()?;
            self.space();
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.expected("',' or ']'");
            }
        }
    }

    fn string(&mut self) -> Result<Text<'a>, Fault> {
        self.at += 1;
        let (start, mut escaped) = (self.at, false);
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    let Some((_, length)) = escape(&self.bytes[self.at..]) else { return self.bad_escape() };
                    self.at += length;
                }
                Some(0x20..) => self.at += 1,
                Some(_) => return self.expected("a control character to be escaped"),
                None => return self.expected("'\"' at the end of a string"),
            }
        }
        let text = Text::new(&self.bytes[start..self.at], escaped);
        self.at += 1;
        Ok(text)
    }

    fn bad_escape(&self) -> Result<Text<'a>, Fault> {
        let hex = self.bytes.get(self.at + 1) == Some(&b'u')
            && self.bytes.get(self.at + 2..self.at + 6).is_some_and(|x| x.iter().all(u8::is_ascii_hexdigit));
        if hex { Err(Fault::LoneSurrogate { at: self.at }) } else { self.expected("a known escape") }
    }

    fn number(&mut self) -> Result<(), Fault> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { self.expected("a digit") } else { Ok(()) }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Fault> {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        self.expected("a JSON value")
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, c: u8) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expected<T>(&self, expected: &'static str) -> Result<T, Fault> {
        Err(Fault::NotJson { at: self.at, expected })
    }
}

/// The names of one object so far: a list while they are few, a set once comparing each would be slow.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Text<'a>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    const FEW: usize = 24;

    /// The name, if it was there before.
    fn insert(&mut self, name: Text<'a>) -> Option<Cow<'a, str>> {
        // The checker has resolved every escape of this string already, so decoding it can't fail.
        let meant = || name.decode().unwrap_or_default();
        if self.many.is_empty() && self.few.len() < Self::FEW {
            let twin = self.few.iter().any(|other| match (other.is_escaped(), name.is_escaped()) {
                (false, false) => other.as_raw() == name.as_raw(),
                _ => other.is(&meant()),
            });
            self.few.push(name);
            return twin.then(meant);
        }
        if self.many.is_empty() {
            self.many.extend(self.few.drain(..).map(|text| text.decode().unwrap_or_default()));
        }
        let name = meant();
        if self.many.contains(&name) {
            return Some(name);
        }
        self.many.insert(name);
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: CheckLimits = CheckLimits { bytes: 1 << 20, depth: 128 };

    fn refused(document: impl AsRef<[u8]>) -> String {
        check(document.as_ref(), LIMITS).expect_err("it is not I-JSON").to_string()
    }

    #[test]
    fn i_json_passes() {
        for text in [
            "null",
            " true ",
            "0",
            "-0.0e-0",
            "1e400",
            "9007199254740993",
            "123456789012345678901234567890",
            "\"\"",
            r#""\u0000\ud83d\ude00\/""#,
            "[]",
            "[ 1 , [ ] ]",
            "{}",
            r#"{"a":{"a":1},"b":[{"a":1}],"":0}"#,
            "\"\u{7f}\u{2028}\"",
        ] {
            assert_eq!(check(text.as_bytes(), LIMITS), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_not_i_json_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", "expected a JSON value at byte 0"),
            ("nul", "expected a JSON value at byte 0"),
            ("{} x", "expected the end of the message at byte 3"),
            ("01", "expected the end of the message at byte 1"),
            ("1.", "expected a digit at byte 2"),
            ("NaN", "expected a JSON value"),
            ("\u{feff}{}", "expected a JSON value without a byte order mark before it at byte 0"),
            ("[1,]", "expected a JSON value at byte 3"),
            (r#"{"a":1,}"#, "expected a name in quotes, or } at byte 7"),
            (r#"{"a" 1}"#, "expected ':' after a name at byte 5"),
            ("\"a\nb\"", "expected a control character to be escaped at byte 2"),
            ("\"a\0b\"", "expected a control character to be escaped at byte 2"),
            ("\"abc", "expected '\"' at the end of a string"),
            (r#""\x""#, "expected a known escape at byte 1"),
            (r#""\ud800""#, "half of a surrogate pair"),
            (r#""\udc00\ud800""#, "half of a surrogate pair"),
            (r#"{"a":1,"a":2}"#, "\"a\" appears twice"),
            (r#"{"a":1,"\u0061":2}"#, "\"a\" appears twice"),
        ] {
            let said = refused(text);
            assert!(said.contains(reason), "{text}: {said}");
        }
        assert!(refused(b"\"\xff\"").contains("not UTF-8 (at byte 1)"));
        assert!(refused("[".repeat(20_000)).contains("deeper than 128 levels"));
        assert!(refused("1".repeat((1 << 20) + 1)).contains("at most 1048576"));
    }

    #[test]
    fn a_body_is_refused_in_the_same_words() {
        for (body, expect) in [
            (
                &b"{\"Data\":{\"a\":1,}}"[..],
                Some("the request body is not JSON: expected a name in quotes, or } at byte 15"),
            ),
            (
                b"{\"Data\":\"\xff\"}",
                Some("the request body is not UTF-8 (at byte 9): JSON must be sent as UTF-8"),
            ),
            (
                b"[\"\\ud800\"]",
                Some(
                    "the escape at byte 2 of the request body is half of a surrogate pair: it means no character",
                ),
            ),
            (b"", Some("the request body is not JSON: expected a JSON value at byte 0")),
            (b"{\"Date\":1}", None),
        ] {
            assert_eq!(body_fault(body).as_deref(), expect, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn duplicates_are_found_among_many_names() {
        let names = |last: &str| {
            let all: Vec<String> =
                (0..100).map(|n| format!("\"n{n}\":{n}")).chain([format!("\"{last}\":1")]).collect();
            format!("{{{}}}", all.join(","))
        };
        assert_eq!(check(names("other").as_bytes(), LIMITS), Ok(()));
        assert!(refused(names("n7")).contains("\"n7\" appears twice"));
        assert!(refused(names("n\\u0037")).contains("\"n7\" appears twice"));
    }

    proptest! {
        #[test]
        fn agrees_with_a_parser_that_builds_trees(text in r#"[\[\]{}:,"a0-9.eE\\u \n-]{0,24}"#) {
            let ours = check(text.as_bytes(), LIMITS);
            match serde_json::from_str::<serde_json::Value>(&text) {
                // It accepts what RFC 8259 does, so all that we may add is a refusal by RFC 7493.
                Ok(_) => prop_assert!(matches!(ours, Ok(()) | Err(Fault::DuplicateName { .. })), "{ours:?}"),
                // It refuses numbers beyond 64-bit floats, which we keep.
                Err(error) => prop_assert!(ours.is_err() || error.to_string().contains("out of range"), "{error}"),
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = check(&bytes, LIMITS);
        }
    }
}
