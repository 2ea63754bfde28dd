//! The key that tokens are signed with: Ed25519, in one file of the data folder. `ring.rs` has those before it.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use jsonwebtoken::EncodingKey;
use sha2::{Digest, Sha256};

use crate::files::{self, FileError};
use crate::{NoRandomness, random};

/// Name of the file in the data folder: PKCS #8, DER.
const FILE: &str = "issuer.pk8";

/// A signing key that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is there, and holds no key.
    #[error(
        "{} is empty, cut short or no Ed25519 key: bring it back, or remove it to have a new one made at the next start \
         (tokens given so far are then refused)",
        .0.display()
    )]
    Unreadable(PathBuf),
    /// The file of the keys before is there, and can't be read.
    #[error(
        "{} does not tell of the keys before: bring it back, or remove it (tokens that they signed are then refused)",
        .0.display()
    )]
    Old(PathBuf),
    /// A new key could not be put into a form to be kept.
    #[error("can't encode a new signing key")]
    Encode,
    /// No key could be made.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// The key, and the name under which its public half is known.
pub(super) struct SigningKey {
    id: String,
    public: [u8; 32],
    signs: EncodingKey,
}

impl SigningKey {
    /// Loads the key of the data folder `dir`, or makes it.
    pub(super) fn open(dir: &Path) -> Result<Self, KeyError> {
        let path = dir.join(FILE);
        if let Some(der) = files::read(&path)? {
            let key =
                ed25519_dalek::SigningKey::from_pkcs8_der(&der).map_err(|_| KeyError::Unreadable(path))?;
            return Self::new(&key);
        }
        let key = ed25519_dalek::SigningKey::from_bytes(&random::bytes()?);
        let der = key.to_pkcs8_der().map_err(|_| KeyError::Encode)?;
        files::create(&path, der.as_bytes())?;
        tracing::info!(path = %path.display(), "made a signing key");
        Self::new(&key)
    }

    /// Makes another key in place of the one in the data folder `dir`.
    pub(super) fn replace(dir: &Path) -> Result<Self, KeyError> {
        let key = ed25519_dalek::SigningKey::from_bytes(&random::bytes()?);
        let der = key.to_pkcs8_der().map_err(|_| KeyError::Encode)?;
        files::replace(&dir.join(FILE), der.as_bytes())?;
        Self::new(&key)
    }

    fn new(key: &ed25519_dalek::SigningKey) -> Result<Self, KeyError> {
        // Encoded anew, so that what is signed with has one form whatever the file's.
        let der = key.to_pkcs8_der().map_err(|_| KeyError::Encode)?;
        let public = key.verifying_key().to_bytes();
        Ok(Self { id: thumbprint(&public), public, signs: EncodingKey::from_ed_der(der.as_bytes()) })
    }

    /// Its name: the same for the same key, everywhere.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Its public half.
    pub(super) fn public(&self) -> &[u8; 32] {
        &self.public
    }

    pub(super) fn signs(&self) -> &EncodingKey {
        &self.signs
    }
}

/// The JWK thumbprint (RFC 7638) of an Ed25519 key (RFC 8037, appendix A.3).
pub(super) fn thumbprint(public: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public);
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_the_rfcs() {
        let x = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(thumbprint(&x.try_into().unwrap()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_key_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = SigningKey::open(dir.path()).unwrap();
        assert_eq!(SigningKey::open(dir.path()).unwrap().id(), first.id());
        assert_ne!(SigningKey::open(tempfile::tempdir().unwrap().path()).unwrap().id(), first.id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_torn_key_is_named_and_never_replaced() {
        let whole = tempfile::tempdir().unwrap();
        SigningKey::open(whole.path()).unwrap();
        let bytes = std::fs::read(whole.path().join(FILE)).unwrap();
        for length in 0..bytes.len() {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join(FILE), &bytes[..length]).unwrap();
            let Err(error) = SigningKey::open(dir.path()) else { panic!("{length} bytes were taken") };
            assert!(error.to_string().contains("issuer.pk8 is empty, cut short"), "{error}");
            assert_eq!(std::fs::read(dir.path().join(FILE)).unwrap().len(), length);
        }
    }
}
