//! Secrets that don't print, and hashes of them that compare in constant time.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Something that opens a door. It prints as `…` and can't be serialised by accident.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one who has to send it. Never to be logged.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// SHA-256 of a secret: enough to recognise it. Not a password hash, as secrets here are long and random.
#[derive(Clone)]
pub(crate) struct SecretHash([u8; 32]);

impl SecretHash {
    pub(crate) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// The hash of nothing anybody knows: it stands in where there is no secret to compare with.
    pub(crate) fn impossible() -> Self {
        Self([0; 32])
    }

    /// Whether `candidate` is the secret.
    pub(crate) fn matches(&self, candidate: &str) -> bool {
        self.is(&Self::of(candidate))
    }

    /// Whether both are of the same secret; as slow for a near miss as for a far one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Serialize for SecretHash {
    /// As 64 hexadecimal digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

impl<'de> Deserialize<'de> for SecretHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("expected 64 hexadecimal digits"))
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        let secret = Secret::new("open sesame".into());
        assert_eq!(format!("{secret:?} {:?}", SecretHash::of(secret.expose())), "… …");
        assert!(SecretHash::of("open sesame").matches(secret.expose()));
        assert!(!SecretHash::of("open sesame").matches("open sesamE"));
    }

    #[test]
    fn a_hash_is_kept_as_digits() {
        let kept = serde_json::to_string(&SecretHash::of("open sesame")).unwrap();
        assert_eq!(kept.len(), 66);
        let read: SecretHash = serde_json::from_str(&kept).unwrap();
        assert!(read.matches("open sesame") && !read.matches("open sesamE"));
        for bad in ["\"\"", "\"0g\"", "\"00\"", "0", &kept.replacen('"', "\"0", 1), "\"üü\""] {
            assert!(serde_json::from_str::<SecretHash>(bad).is_err(), "{bad}");
        }
    }
}
