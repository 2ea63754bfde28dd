//! Tokens that were verified, by their hash, until they expire.

use quick_cache::sync::Cache;
use schema::Timestamp;
use sha2::{Digest, Sha256};

use super::Refusal;
use crate::Principal;

/// How many verified tokens are remembered.
pub(crate) const TOKENS_MAX: usize = 10_000;

/// What stands for a token.
pub(crate) type TokenHash = [u8; 32];

/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// The hash of a token: before anything else is done with it.
///
/// # Errors
/// [`Refusal::TooLong`].
pub(crate) fn hash(token: &str) -> Result<TokenHash, Refusal> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    Ok(Sha256::digest(token.as_bytes()).into())
}

/// What stands for a token that was verified by the keys of this serial.
pub(crate) fn by(mut hash: TokenHash, serial: u64) -> TokenHash {
    hash.iter_mut().zip(serial.to_be_bytes()).for_each(|(byte, other)| *byte ^= other);
    hash
}

/// Tokens that were verified.
pub(crate) struct Remembered(pub(super) Cache<TokenHash, Principal>);

impl Default for Remembered {
    fn default() -> Self {
        Self(Cache::new(TOKENS_MAX))
    }
}

impl Remembered {
    /// Whose token this is, if that is known.
    ///
    /// # Errors
    /// [`Refusal::Expired`], once: then it is not known any more.
    pub(crate) fn get(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<Principal>, Refusal> {
        match self.0.get(hash) {
            Some(principal) if principal.accepted_until() <= now => {
                self.0.remove(hash);
                Err(Refusal::Expired)
            }
            known => Ok(known),
        }
    }

    pub(crate) fn insert(&self, hash: TokenHash, principal: &Principal) {
        self.0.insert(hash, principal.clone());
    }
}
