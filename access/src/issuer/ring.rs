//! The issuer's keys: the one that signs, and those before it, which verify until what they have signed has ended.

use std::path::Path;

use schema::Timestamp;
use serde::{Deserialize, Serialize};

use super::key::{KeyError, SigningKey, thumbprint};
use crate::files;
use crate::verify::VerifyingKey;

/// Name of the file in the data folder that tells of the keys before the one that signs.
const FILE: &str = "issuer-old.json";

/// The keys of one moment.
pub(super) struct Ring {
    pub(super) signs: SigningKey,
    old: Vec<OldKey>,
}

/// A key that signs no more. Of it, the public half is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OldKey {
    public: [u8; 32],
    until: Timestamp,
}

impl Ring {
    /// Loads the keys of the data folder `dir`, or makes the first.
    pub(super) fn open(dir: &Path, now: Timestamp) -> Result<Self, KeyError> {
        let path = dir.join(FILE);
        let old = match files::read(&path)? {
            Some(json) => serde_json::from_slice(&json).map_err(|_| KeyError::Old(path))?,
            None => Vec::new(),
        };
        Ok(Self { signs: SigningKey::open(dir)?, old: valid(old, now) })
    }

    /// These, after another key was made that signs from now on. The one before it verifies until `old_until`, and none of the old
    /// ones does without it.
    ///
    /// Should this be cut short, the folder has either the keys of before or those of after, as far as anybody can tell: the key that
    /// signs is replaced last, and old ones that are there twice are one.
    pub(super) fn rotated(
        &self,
        dir: &Path,
        old_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, KeyError> {
        let old = match old_until {
            None => Vec::new(),
            Some(until) => {
                let before = OldKey { public: *self.signs.public(), until };
                let mut old = valid(self.old.clone(), now);
                old.retain(|key| key.public != before.public);
                old.push(before);
                old
            }
        };
        let path = dir.join(FILE);
        let json = serde_json::to_vec_pretty(&old).map_err(|_| KeyError::Encode)?;
        files::replace(&path, &json)?;
        Ok(Self { signs: SigningKey::replace(dir)?, old })
    }

    /// All that verify, the one that signs first.
    pub(super) fn verifying(&self) -> Vec<VerifyingKey> {
        let first = VerifyingKey { id: self.signs.id().into(), public: *self.signs.public(), until: None };
        let old = self.old.iter().filter(|key| key.public != first.public);
        let old = old.map(|key| VerifyingKey {
            id: thumbprint(&key.public),
            public: key.public,
            until: Some(key.until),
        });
        let old: Vec<_> = old.collect();
        std::iter::once(first).chain(old).collect()
    }
}

fn valid(mut old: Vec<OldKey>, now: Timestamp) -> Vec<OldKey> {
    old.retain(|key| key.until > now);
    old
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_before_verify_until_what_they_signed_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let at = Timestamp;
        let first = Ring::open(dir.path(), at(0)).unwrap();
        let second = first.rotated(dir.path(), Some(at(100)), at(10)).unwrap();
        let third = second.rotated(dir.path(), Some(at(200)), at(20)).unwrap();
        let ids = |ring: &Ring| ring.verifying().into_iter().map(|key| key.id).collect::<Vec<_>>();
        let [a, b, c] = [&first, &second, &third].map(|ring| ring.signs.id().to_owned());
        assert!(a != b && b != c && a != c);
        assert_eq!(ids(&third), [c.clone(), a, b.clone()]);
        // Over restarts, too.
        assert_eq!(Ring::open(dir.path(), at(99)).unwrap().verifying(), third.verifying());
        assert_eq!(ids(&Ring::open(dir.path(), at(100)).unwrap()), [c.clone(), b]);
        assert_eq!(ids(&Ring::open(dir.path(), at(200)).unwrap()), [c]);
        // One that got into wrong hands takes all with it.
        let fourth = third.rotated(dir.path(), None, at(30)).unwrap();
        assert_eq!(ids(&fourth), [fourth.signs.id()]);
        assert_eq!(Ring::open(dir.path(), at(31)).unwrap().verifying(), fourth.verifying());
    }

    #[test]
    fn a_rotation_that_is_cut_short_leaves_keys_that_work() {
        let dir = tempfile::tempdir().unwrap();
        let before = Ring::open(dir.path(), Timestamp(0)).unwrap();
        let key = std::fs::read(dir.path().join("issuer.pk8")).unwrap();
        before.rotated(dir.path(), Some(Timestamp(100)), Timestamp(1)).unwrap();
        // As it was between the two files.
        std::fs::write(dir.path().join("issuer.pk8"), key).unwrap();
        let after = Ring::open(dir.path(), Timestamp(2)).unwrap();
        assert_eq!(after.verifying(), before.verifying());
        for torn in ["", "{", "[1]", "[{\"public\":[1],\"until\":1}]"] {
            std::fs::write(dir.path().join(FILE), torn).unwrap();
            let error = Ring::open(dir.path(), Timestamp(2)).err().unwrap().to_string();
            assert!(error.contains("issuer-old.json"), "{error}");
        }
    }
}
