//! The text of an API key: `tgk_`, its id (16 hexadecimal digits), `_`, its secret (64), `_`, and a checksum (8).
//!
//! The form is one that scanners for leaked secrets can tell: the checksum is the beginning of the SHA-256 of all before it, so that
//! hardly any other text passes for a key.

use sha2::{Digest, Sha256};

use crate::secret::SecretHash;
use crate::{NoRandomness, Refusal, Secret, random};

/// What every key begins with. No other token does.
const PREFIX: &str = "tgk_";
const ID_DIGITS: usize = 16;
const SECRET_DIGITS: usize = 64;
const SUM_DIGITS: usize = 8;
const DIGITS: usize = PREFIX.len() + ID_DIGITS + 1 + SECRET_DIGITS + 1 + SUM_DIGITS;

/// Whether a token is to be taken for an API key.
pub(crate) fn is_key(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// A new id.
pub(super) fn new_id() -> Result<String, NoRandomness> {
    Ok(hex(&random::bytes::<{ ID_DIGITS / 2 }>()?))
}

/// A new key with this id.
pub(super) fn new_key(id: &str) -> Result<Secret, NoRandomness> {
    let secret = hex(&random::bytes::<{ SECRET_DIGITS / 2 }>()?);
    let text = format!("{PREFIX}{id}_{secret}");
    let sum = sum(&text);
    Ok(Secret::new(format!("{text}_{sum}")))
}

/// A key's id and its hash.
///
/// # Errors
/// [`Refusal::Malformed`] for what was never a key of ours.
pub(super) fn parse(token: &str) -> Result<(&str, SecretHash), Refusal> {
    let parts = || {
        let (text, sum_there) = token.split_at_checked(DIGITS - SUM_DIGITS - 1)?;
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_whole = token.len() == DIGITS && id.len() == ID_DIGITS && secret.len() == SECRET_DIGITS;
        (is_whole && sum_there.strip_prefix('_')? == sum(text)).then_some(id)
    };
    parts().map(|id| (id, SecretHash::of(token))).ok_or(Refusal::Malformed)
}

fn sum(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..SUM_DIGITS / 2])
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_form_that_can_be_told() {
        let id = new_id().unwrap();
        let key = new_key(&id).unwrap();
        let text = key.expose();
        assert_eq!(text.len(), 94);
        assert!(is_key(text) && text.starts_with(&format!("tgk_{id}_")), "{text}");
        assert!(text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'));
        let (found, hash) = parse(text).unwrap();
        assert!(found == id && hash.matches(text));
        assert_ne!(new_key(&id).unwrap(), key);
    }

    #[test]
    fn what_is_not_whole_is_no_key() {
        let key = new_key("0123456789abcdef").unwrap();
        let text = key.expose();
        for cut in 0..text.len() {
            assert_eq!(parse(&text[..cut]).err(), Some(Refusal::Malformed), "{cut}");
            let mut other = text.to_owned().into_bytes();
            other[cut] = if other[cut] == b'0' { b'1' } else { b'0' };
            assert!(parse(std::str::from_utf8(&other).unwrap()).is_err(), "another digit at {cut}");
        }
        for other in [format!("{text}0"), format!(" {text}"), text.replace('_', "ü"), text.to_uppercase()] {
            assert!(parse(&other).is_err(), "{other}");
        }
    }
}
