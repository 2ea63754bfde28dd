//! What every message must be, whichever way it came: in a request, or in a record that somebody else wrote.

use bytes::Bytes;
use schema::json::{CheckLimits, Fault, check};

/// Longest partition key, in characters: that of Kinesis, so that what is accepted here is accepted there.
const KEY_CHARS_MAX: usize = 256;

/// The message in `bytes`, which share their memory: I-JSON within `limits`. White space around it is no part of it: it
/// belongs to the line, list, body or record that carried it.
///
/// # Errors
/// The first [`Fault`] found.
pub(crate) fn message(bytes: &Bytes, limits: CheckLimits) -> Result<Bytes, Fault> {
    let message = trimmed(bytes);
    check(&message, limits)?;
    Ok(message)
}

/// `bytes` without the white space around the message in it, which has been found to be one.
pub(crate) fn trimmed(bytes: &Bytes) -> Bytes {
    bytes.slice_ref(trim(bytes))
}

/// Whether `key` may be a partition key.
///
/// # Errors
/// A sentence that says why not.
pub(crate) fn key(key: &str) -> Result<(), String> {
    let chars = key.chars().count();
    if chars > KEY_CHARS_MAX {
        return Err(format!(
            "the partition key is {chars} characters long, and at most {KEY_CHARS_MAX} are accepted: send a shorter one"
        ));
    }
    Ok(())
}

/// `bytes` without the white space of JSON around them.
fn trim(bytes: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let start = bytes.iter().take_while(|byte| is_space(byte)).count();
    let end = bytes[start..].iter().rev().take_while(|byte| is_space(byte)).count();
    &bytes[start..bytes.len() - end]
}
