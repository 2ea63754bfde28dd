//! Where a message stands in its log: partition, sequence, sub-sequence.
//!
//! A position is never a timestamp, and sequences are never compared as text: Kinesis counts in decimal numbers of up
//! to 129 digits, far wider than 64 bits.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of one ordered log that feeds a stream, such as `shardId-000000000003`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartitionId(Arc<str>);

impl PartitionId {
    /// The partition of that name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The `index`th partition of an embedded log, named as Kinesis names its shards.
    pub fn embedded(index: u32) -> Self {
        Self(format!("shardId-{index:012}").into())
    }

    /// The partition of what was once a dead letter of the stream. No log feeds it, and no log names one so.
    pub fn replays() -> Self {
        Self::new(REPLAYS)
    }

    /// Whether this is [`PartitionId::replays`], of which no log knows.
    pub fn is_replays(&self) -> bool {
        self.as_str() == REPLAYS
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of the partition of replays.
const REPLAYS: &str = "replays";

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Widest sequence, in bytes: 129 decimal digits fit.
const WIDTH: usize = 54;

/// A log's own number of a record: unsigned, up to 129 decimal digits, compared as a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sequence {
    len: u8,
    bytes: [u8; WIDTH],
}

impl Sequence {
    /// Before the first record of any log.
    pub const ZERO: Self = Self { len: 0, bytes: [0; WIDTH] };

    /// After the last record of a log that has ended: 129 nines. No log counts so far, and as text it can be read again.
    pub const END: Self = Self::nines();

    /// Length byte and big-endian digits: encodings sort as the numbers do.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.len);
        out.extend_from_slice(self.digits());
    }

    /// Reads what [`Sequence::encode`] wrote, and returns what follows it.
    pub fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&len, rest) = bytes.split_first()?;
        let (digits, rest) = rest.split_at_checked(usize::from(len))?;
        if digits.len() > WIDTH || digits.first() == Some(&0) {
            return None;
        }
        let mut sequence = Self { len, bytes: [0; WIDTH] };
        sequence.bytes[..digits.len()].copy_from_slice(digits);
        Some((sequence, rest))
    }

    /// The number, where 64 bits hold it, as those of the embedded log always do.
    pub fn as_u64(&self) -> Option<u64> {
        (self.len <= 8).then(|| self.digits().iter().fold(0, |n, d| n << 8 | u64::from(*d)))
    }

    /// The number before this one; 0 stays 0.
    pub fn before(&self) -> Self {
        let mut number = [0; WIDTH];
        number[WIDTH - usize::from(self.len)..].copy_from_slice(self.digits());
        for digit in number.iter_mut().rev() {
            let (less, borrow) = digit.overflowing_sub(1);
            *digit = less;
            if !borrow {
                return Self::of_digits(&number);
            }
        }
        Self::ZERO
    }

    /// From big-endian digits, leading zeros and all.
    fn of_digits(number: &[u8; WIDTH]) -> Self {
        let skip = number.iter().take_while(|digit| **digit == 0).count();
        let mut bytes = [0; WIDTH];
        bytes[..WIDTH - skip].copy_from_slice(&number[skip..]);
        Self { len: (WIDTH - skip) as u8, bytes }
    }

    /// The number of 129 nines, which takes all bytes.
    const fn nines() -> Self {
        let mut bytes = [0; WIDTH];
        let mut digits = 0;
        while digits < 129 {
            let (mut at, mut carry) = (WIDTH, 9);
            while at > 0 {
                at -= 1;
                carry += bytes[at] as u32 * 10;
                bytes[at] = carry as u8;
                carry >>= 8;
            }
            digits += 1;
        }
        Self { len: WIDTH as u8, bytes }
    }

    fn digits(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl From<u64> for Sequence {
    fn from(n: u64) -> Self {
        let digits = n.to_be_bytes();
        let skip = (n.leading_zeros() / 8) as usize;
        let mut bytes = [0; WIDTH];
        bytes[..8 - skip].copy_from_slice(&digits[skip..]);
        Self { len: (8 - skip) as u8, bytes }
    }
}

impl Ord for Sequence {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.len.cmp(&other.len).then_with(|| self.digits().cmp(other.digits()))
    }
}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(n) = self.as_u64() {
            return write!(f, "{n}");
        }
        // Long division by 10^9, the least significant group first.
        let mut digits = self.digits().to_vec();
        let mut groups = Vec::new();
        while digits.iter().any(|d| *d != 0) {
            let mut rest = 0u64;
            for d in &mut digits {
                rest = rest << 8 | u64::from(*d);
                *d = (rest / 1_000_000_000) as u8;
                rest %= 1_000_000_000;
            }
            groups.push(rest);
        }
        write!(f, "{}", groups.last().copied().unwrap_or(0))?;
        groups.iter().rev().skip(1).try_for_each(|group| write!(f, "{group:09}"))
    }
}

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As many 64-bit digits as the widest sequence takes.
const LIMBS: usize = WIDTH.div_ceil(8);

/// The decimal digits of `text` in groups of 18, of which the first may be shorter.
fn groups(text: &str) -> impl Iterator<Item = &str> {
    let (first, rest) = text.split_at(text.len() % 18);
    let rest = (0..rest.len() / 18).map(move |group| &rest[group * 18..(group + 1) * 18]);
    std::iter::once(first).chain(rest)
}

impl FromStr for Sequence {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let invalid = || InvalidPosition(text.chars().take(200).collect());
        if text.is_empty() || text.len() > 129 {
            return Err(invalid());
        }
        if !text.bytes().all(|c| c.is_ascii_digit()) {
            return Err(invalid());
        }
        // Each group of up to 18 decimal digits at once, the most significant first: a consumer reads one of these a record.
        let mut limbs = [0u64; LIMBS];
        let mut used = 1;
        for group in groups(text) {
            let value = group.bytes().fold(0, |value, c| value * 10 + u64::from(c - b'0'));
            let factor = 10u128.pow(group.len() as u32);
            let mut carry = u128::from(value);
            for limb in &mut limbs[..used] {
                carry += u128::from(*limb) * factor;
                *limb = carry as u64;
                carry >>= 64;
            }
            if carry > 0 && used < LIMBS {
                limbs[used] = carry as u64;
                used += 1;
            }
        }
        let mut number = [0u8; LIMBS * 8];
        for (bytes, limb) in number.rchunks_exact_mut(8).zip(limbs) {
            bytes.copy_from_slice(&limb.to_be_bytes());
        }
        let mut digits = [0u8; WIDTH];
        // 129 decimal digits fit.
        digits.copy_from_slice(&number[LIMBS * 8 - WIDTH..]);
        Ok(Self::of_digits(&digits))
    }
}

impl Serialize for Sequence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sequence {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that is not a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a position: expected partition:sequence, such as shardId-000000000002:1834")]
pub struct InvalidPosition(String);

/// Where a message stands: unique within its stream, ordered within its partition.
///
/// `sub` counts the messages that one log record carries (KPL aggregation); it is 0 elsewhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Position {
    /// The log.
    pub partition: PartitionId,
    /// The record in it.
    pub sequence: Sequence,
    /// The message in the record.
    pub sub: u32,
}

impl Position {
    /// Bytes that sort by (partition, sequence, sub); no encoding is a prefix of another.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.partition.as_str().as_bytes());
        out.push(0);
        self.sequence.encode(out);
        out.extend_from_slice(&self.sub.to_be_bytes());
    }

    /// Reads what [`Position::encode`] wrote, and returns what follows it.
    pub fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let end = bytes.iter().position(|b| *b == 0)?;
        let partition = PartitionId::new(std::str::from_utf8(&bytes[..end]).ok()?);
        let (sequence, rest) = Sequence::decode(&bytes[end + 1..])?;
        let (sub, rest) = rest.split_first_chunk::<4>()?;
        Some((Self { partition, sequence, sub: u32::from_be_bytes(*sub) }, rest))
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let invalid = || InvalidPosition(text.chars().take(200).collect());
        let mut parts = text.split(':');
        let partition =
            parts.next().filter(|name| !name.is_empty() && !name.contains('\0')).ok_or_else(invalid)?;
        let sequence = parts.next().ok_or_else(invalid)?.parse()?;
        let sub = parts.next().map_or(Ok(0), |sub| sub.parse().map_err(|_| invalid()))?;
        if parts.next().is_some() {
            return Err(invalid());
        }
        Ok(Self { partition: PartitionId::new(partition), sequence, sub })
    }
}

impl fmt::Display for Position {
    /// `partition:sequence`, and `:sub` where it is not 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.sequence)?;
        if self.sub != 0 { write!(f, ":{}", self.sub) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn kinesis_sequences_keep_their_digits() {
        let text = "49590338271490256608559692538361571095921575989136588898";
        assert_eq!(text.parse::<Sequence>().unwrap().to_string(), text);
        let widest = "9".repeat(129);
        assert_eq!(widest.parse::<Sequence>().unwrap().to_string(), widest);
        assert_eq!(widest.parse::<Sequence>().unwrap(), Sequence::END);
        for text in ["", "-1", "1x", "1.0", &"9".repeat(130)] {
            assert!(text.parse::<Sequence>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_partition_of_replays_is_it() {
        assert!(PartitionId::replays().is_replays());
        assert!(!PartitionId::embedded(0).is_replays() && !PartitionId::new("replays-1").is_replays());
    }

    #[test]
    fn positions_are_read_as_they_are_written() {
        for text in ["shardId-000000000002:1834", "shardId-000000000002:0:7"] {
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        for text in ["", "1834", ":1", "p:", "p:x", "p:1:x", "p:1:2:3"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn sequences_sort_as_numbers(a: u128, b: u128, shift in 0u32..128) {
            let (a, b) = (a, b >> shift);
            let (x, y): (Sequence, Sequence) = (a.to_string().parse().unwrap(), b.to_string().parse().unwrap());
            prop_assert_eq!(x.to_string(), a.to_string());
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            let (mut xe, mut ye) = (vec![], vec![]);
            x.encode(&mut xe);
            y.encode(&mut ye);
            prop_assert_eq!(xe.cmp(&ye), a.cmp(&b));
            prop_assert_eq!(Sequence::decode(&xe), Some((x, &[][..])));
        }

        #[test]
        fn sequences_of_any_width_keep_their_digits(text in "[1-9][0-9]{0,128}", zeros in 0usize..20) {
            let sequence: Sequence = text.parse().unwrap();
            prop_assert_eq!(sequence.to_string(), text.as_str());
            let padded = "0".repeat(zeros.min(129 - text.len())) + &text;
            prop_assert_eq!(padded.parse(), Ok(sequence));
        }

        #[test]
        fn sequences_of_64_bits_agree_with_their_text(n: u64, shift in 0u32..64) {
            let n = n >> shift;
            prop_assert_eq!(Sequence::from(n), n.to_string().parse().unwrap());
            prop_assert_eq!(Sequence::from(n).as_u64(), Some(n));
            prop_assert_eq!(Sequence::from(n).before(), Sequence::from(n.saturating_sub(1)));
        }

        #[test]
        fn decoding_never_panics(bytes: Vec<u8>) {
            if let Some((position, _)) = Position::decode(&bytes) {
                let mut again = vec![];
                position.encode(&mut again);
                prop_assert!(bytes.starts_with(&again));
            }
        }
    }
}
