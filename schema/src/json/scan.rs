//! Search for the bytes that end a string or a nested value, eight at a time in plain integers.
//!
//! Names and most values are short: a vector search is not worth setting up for them, and a look at each byte costs a
//! branch that is hard to foretell.

/// As many bytes as one look takes in.
const WORD: usize = 8;
const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;
/// As many words as are looked at for a string's end, and how many show a string that is skipped to be long: then a vector
/// search goes on.
const NEAR: usize = 6;

/// Where the string ends that has `at` inside, and whether an escape is met before: at its quote, or at the first backslash.
#[inline(always)]
pub(super) fn string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let rest = bytes.get(at..)?;
    for (index, word) in rest.chunks_exact(WORD).take(NEAR).enumerate() {
        let word = u64::from_le_bytes(word.try_into().ok()?);
        let (quotes, slashes) = (zeros(word ^ of(b'"')), zeros(word ^ of(b'\\')));
        if quotes | slashes != 0 {
            // All bits up to the first quote's.
            let escaped = slashes & (quotes ^ quotes.wrapping_sub(1)) != 0;
            return Some((at + index * WORD + first(quotes | slashes), escaped));
        }
    }
    far_end(bytes, at + (rest.len() / WORD).min(NEAR) * WORD)
}

/// The same for a string that is long, or stands at the end of the bytes.
#[cold]
fn far_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let end = at + memchr::memchr2(b'"', b'\\', &bytes[at..])?;
    Some((end, bytes[end] == b'\\'))
}

/// Where the object or array ends that has `at` inside, but in none of its strings: behind its bracket.
///
/// Brackets of both sorts are counted together: in a checked document they match.
pub(super) fn nested_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut nest = Nest { depth: 1, inside: 0, escaped: false };
    // Words since the last quote.
    let mut quiet = 0;
    while let Some(eight) = bytes.get(at..)?.first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let (quotes, slashes) = (zeros(word ^ of(b'"')), zeros(word ^ of(b'\\')));
        let end = if slashes == 0 && !nest.escaped {
            nest.word(word)
        } else {
            // On a copy: what is lent out does not stay in registers.
            let mut slow = nest;
            let end = slow.bytes(eight);
            nest = slow;
            end
        };
        if let Some(end) = end {
            return Some(at + end);
        }
        at += WORD;
        quiet = if quotes == 0 { quiet + 1 } else { 0 };
        if quiet > NEAR && nest.inside != 0 && !nest.escaped {
            at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
            quiet = 0;
        }
    }
    nest.bytes(&bytes[at..]).map(|end| at + end)
}

/// How far brackets are open, while they are counted.
#[derive(Clone, Copy)]
struct Nest {
    depth: usize,
    /// All bits within a string, none outside.
    inside: u64,
    /// Whether the next byte follows a backslash.
    escaped: bool,
}

impl Nest {
    /// Goes on over eight bytes without an escape. Gives the end, once it is met.
    ///
    /// No branch hangs on where strings begin and end: what is skipped is of no pattern that could be foretold.
    #[inline(always)]
    fn word(&mut self, word: u64) -> Option<usize> {
        // Seven bits of each byte; of the eighth, which ASCII does not have, what is set stays unmarked.
        let (low, high) = (word & !HIGH, word & HIGH);
        // Of each byte's mark: whether quotes are odd in number from the word's first byte up to it.
        let mut inside = marks(low ^ of(b'"'), high);
        inside ^= inside << WORD;
        inside ^= inside << (2 * WORD);
        inside ^= inside << (4 * WORD);
        let odd = (inside.cast_signed() >> (u64::BITS - 1)).cast_unsigned();
        inside ^= self.inside;
        self.inside ^= odd;
        // Square brackets differ from curly ones in this bit.
        let folded = low | of(0x20);
        let opened = marks(folded ^ of(b'{'), high | inside);
        let closed = marks(folded ^ of(b'}'), high | inside);
        if count(closed) < self.depth {
            self.depth = self.depth + count(opened) - count(closed);
            return None;
        }
        let mut brackets = opened | closed;
        while brackets != 0 {
            let one = brackets & brackets.wrapping_neg();
            if opened & one != 0 {
                self.depth += 1;
            } else {
                self.depth -= 1;
                if self.depth == 0 {
                    return Some(first(one) + 1);
                }
            }
            brackets ^= one;
        }
        None
    }

    /// Goes on over any bytes, one by one.
    #[cold]
    fn bytes(&mut self, bytes: &[u8]) -> Option<usize> {
        for (index, c) in bytes.iter().enumerate() {
            match c {
                _ if self.escaped => self.escaped = false,
                b'"' => self.inside = !self.inside,
                b'\\' if self.inside != 0 => self.escaped = true,
                _ if self.inside != 0 => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
            if self.depth == 0 {
                return Some(index + 1);
            }
        }
        None
    }
}

/// A word of this byte only.
const fn of(c: u8) -> u64 {
    LOW * c as u64
}

/// Marks the bytes that are zero by their highest bit. Above one that is zero, bytes that are one may be marked too.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// Marks the bytes that are zero by their highest bit, which none of them has, but for those that `not` marks.
const fn marks(word: u64, not: u64) -> u64 {
    !((word + !HIGH) | not) & HIGH
}

/// The first byte that is marked.
const fn first(marks: u64) -> usize {
    marks.trailing_zeros() as usize / WORD
}

/// How many bytes are marked.
const fn count(marks: u64) -> usize {
    ((marks >> 7).wrapping_mul(LOW) >> (u64::BITS - 8)) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, byte by byte.
    fn plain_string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
        let found = bytes[at..].iter().position(|c| matches!(c, b'"' | b'\\'))?;
        Some((at + found, bytes[at + found] == b'\\'))
    }

    fn plain_nested_end(bytes: &[u8], at: usize) -> Option<usize> {
        Nest { depth: 1, inside: 0, escaped: false }.bytes(&bytes[at..]).map(|end| at + end)
    }

    #[test]
    fn what_lies_behind_the_bytes_is_no_end() {
        assert_eq!(string_end(b"ab\"", 4), None);
        assert_eq!(nested_end(b"[]", 3), None);
        assert_eq!((string_end(b"", 0), nested_end(b"", 0)), (None, None));
    }

    proptest! {
        #[test]
        fn ends_are_where_a_look_at_each_byte_finds_them(
            // Beside what is looked for: its neighbours, and what differs from it in one bit.
            text in r#"([\[\]{}"]|[\[\]{}"\\#!\]yY_;=:, a\x7f\u{5c80}é]|[a-z]{0,40}){0,24}"#,
            at in 0usize..8,
        ) {
            let bytes = text.as_bytes();
            let at = at.min(bytes.len());
            prop_assert_eq!(string_end(bytes, at), plain_string_end(bytes, at));
            prop_assert_eq!(nested_end(bytes, at), plain_nested_end(bytes, at));
        }

        #[test]
        fn any_bytes_are_read_alike(bytes: Vec<u8>) {
            prop_assert_eq!(string_end(&bytes, 0), plain_string_end(&bytes, 0));
            prop_assert_eq!(nested_end(&bytes, 0), plain_nested_end(&bytes, 0));
        }
    }
}
