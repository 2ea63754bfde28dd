//! A JSON string as it stands in a document.

use std::borrow::Cow;

use super::Malformed;

/// The bytes between the quotes of a JSON string, and whether any of them is an escape.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> Text<'a> {
    #[inline]
    pub(super) fn new(raw: &'a [u8], escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// The string that is meant, its escapes resolved.
    ///
    /// # Errors
    /// [`Malformed`] where the text never passed the check: an unknown escape, a lone surrogate, not UTF-8.
    pub fn decode(&self) -> Result<Cow<'a, str>, Malformed> {
        if !self.escaped {
            return std::str::from_utf8(self.raw).map(Cow::Borrowed).map_err(|_| Malformed);
        }
        let mut out = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(at) = memchr::memchr(b'\\', rest) {
            out.extend_from_slice(&rest[..at]);
            let (c, length) = escape(&rest[at..]).ok_or(Malformed)?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[at + length..];
        }
        out.extend_from_slice(rest);
        String::from_utf8(out).map(Cow::Owned).map_err(|_| Malformed)
    }

    /// Whether this string means `name`.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        if self.escaped { self.decode().is_ok_and(|text| text == name) } else { self.raw == name.as_bytes() }
    }

    /// Whether any escape stands in it.
    pub(super) fn is_escaped(&self) -> bool {
        self.escaped
    }

    /// The bytes between the quotes, as they stand.
    #[inline]
    pub fn as_raw(&self) -> &'a [u8] {
        self.raw
    }
}

/// The character that the escape at the start of `bytes` stands for, and the escape's length in bytes.
///
/// `None` for an unknown or cut escape, and for a surrogate without its partner (RFC 7493, section 2.1).
pub(super) fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    let simple = match bytes.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let first = hex(bytes.get(2..6)?)?;
            if !(0xd800..0xe000).contains(&first) {
                return Some((char::from_u32(first)?, 6));
            }
            let second = bytes.get(6..8).filter(|x| x == b"\\u").and_then(|_| hex(bytes.get(8..12)?))?;
            if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
                return None;
            }
            return Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?, 12));
        }
        _ => return None,
    };
    Some((simple, 2))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |n, d| Some(n << 4 | char::from(*d).to_digit(16)?))
}
