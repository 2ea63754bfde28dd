//! Aggregated records: one record of a Kinesis stream that carries many messages, as the Kinesis Producer Library writes it.
//!
//! ```text
//! F3 89 9A C2 │ a protobuf message │ its MD5, 16 bytes
//!              1: partition keys · 2: explicit hash keys · 3: messages (1: which key · 2: which hash key · 3: data · 4: tags)
//! ```
//!
//! The few fields are read here by hand: each is a number or a run of bytes, and nothing nests deeper than a message.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use md5::{Digest, Md5};

const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];
const DIGEST_BYTES: usize = 16;
/// No record of 1 MiB, the largest that the library makes, has room for more messages of even one byte each; a larger record
/// that has is none of the library's. This bounds what a hostile one costs in memory.
const MESSAGES_MAX: usize = 150_000;
/// Longest partition key that the library takes, in characters; it takes no empty one.
const KEY_CHARS_MAX: usize = 256;

/// One message of an aggregated record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregated {
    /// Its own partition key. Messages that share one share its memory.
    pub key: Arc<str>,
    /// Its bytes, which are a part of the record's.
    pub data: Bytes,
}

/// The messages of an aggregated record, in its order: their index is their sub-sequence. `None` for what is none, be it that
/// it lacks the magic, that its checksum is another's, or that its body is damaged.
///
/// It takes a few times the record's own memory at most, and never panics.
pub fn split(record: &Bytes) -> Option<Vec<Aggregated>> {
    let rest = record.strip_prefix(&MAGIC)?;
    let (body, digest) = rest.split_at_checked(rest.len().checked_sub(DIGEST_BYTES)?)?;
    if body.is_empty() || Md5::digest(body)[..] != *digest {
        return None;
    }
    // The keys may stand behind the messages that name them.
    let (mut keys, mut messages) = (Vec::<Arc<str>>::new(), Vec::new());
    let mut left = body;
    while !left.is_empty() {
        match field(&mut left)? {
            (1, Value::Bytes(key)) if keys.len() < MESSAGES_MAX => {
                let key = std::str::from_utf8(key).ok()?;
                keys.push((1..=KEY_CHARS_MAX).contains(&key.chars().count()).then(|| key.into())?);
            }
            (3, Value::Bytes(message)) if messages.len() < MESSAGES_MAX => {
                messages.push(read_message(message)?);
            }
            (1 | 3, _) => return None,
            _ => {}
        }
    }
    let resolve = |(key, data): (u64, &[u8])| {
        let key = keys.get(usize::try_from(key).ok()?)?.clone();
        Some(Aggregated { key, data: record.slice_ref(data) })
    };
    messages.into_iter().map(resolve).collect()
}

/// Which key a message has, and its data.
fn read_message(mut left: &[u8]) -> Option<(u64, &[u8])> {
    let (mut key, mut data) = (None, None);
    while !left.is_empty() {
        match field(&mut left)? {
            (1, Value::Number(index)) => key = Some(index),
            (3, Value::Bytes(bytes)) => data = Some(bytes),
            (1 | 3, _) => return None,
            _ => {}
        }
    }
    Some((key?, data?))
}

/// The value of a field.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a kind that none of the fields here has.
    Other,
}

/// Takes a field off the front: its number and its value.
fn field<'a>(left: &mut &'a [u8]) -> Option<(u64, Value<'a>)> {
    let tag = number(left)?;
    let value = match tag & 7 {
        0 => Value::Number(number(left)?),
        1 => take(left, 8).map(|_| Value::Other)?,
        2 => {
            let len = usize::try_from(number(left)?).ok()?;
            Value::Bytes(take(left, len)?)
        }
        5 => take(left, 4).map(|_| Value::Other)?,
        // Groups, which nobody writes any more, and what protobuf does not have.
        _ => return None,
    };
    (tag >> 3 != 0).then_some((tag >> 3, value))
}

/// Takes a number off the front: seven bits a byte, the lowest first.
fn number(left: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *take(left, 1)?.first()?;
        let bits = u64::from(byte & 0x7f);
        number |= bits << shift;
        if byte < 0x80 {
            // Of the tenth byte one bit fits.
            return (bits << shift >> shift == bits).then_some(number);
        }
    }
    None
}

fn take<'a>(left: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = left.split_at_checked(count)?;
    *left = rest;
    Some(taken)
}
