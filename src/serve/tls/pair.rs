//! A certificate and its key, as they lie in their files.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::newest::showing;
use crate::config::TlsSettings;

/// What the two files held when they were read: bytes that may not be usable. Not to be printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pair {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Pair {
    /// Reads both files.
    ///
    /// # Errors
    /// A sentence that names the setting and the file.
    pub(super) fn read(settings: &TlsSettings) -> Result<Self, String> {
        let read = |setting, path: &Path| {
            std::fs::read(path)
                .map_err(|error| wrong(setting, path, format_args!("which can't be read: {error}")))
        };
        Ok(Self { cert: read("cert", &settings.cert)?, key: read("key", &settings.key)? })
    }

    /// What shows the certificate and signs with the key.
    ///
    /// # Errors
    /// A sentence that names the setting, the file of `settings`, and what is wrong with what was read of it.
    pub(super) fn server(
        &self,
        settings: &TlsSettings,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<ServerConfig>, String> {
        let TlsSettings { cert, key, .. } = settings;
        // The library's errors are not repeated: some show the line that they are about.
        let certificates: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(&self.cert).collect();
        let certificates = certificates.map_err(|_| wrong("cert", cert, "which is not whole, or no PEM"))?;
        if certificates.is_empty() {
            return Err(wrong("cert", cert, "which holds no certificate as PEM"));
        }
        let private = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| match error {
            PemError::NoItemsFound => wrong("key", key, "which holds no private key as PEM"),
            _ => wrong("key", key, "which is not whole, or no PEM"),
        })?;
        let certified = CertifiedKey::from_der(certificates, private, provider).map_err(|error| {
            wrong("key", key, format_args!("which does not go with {}: {error}", cert.display()))
        })?;
        showing(certified, provider.clone()).map_err(|error| format!("TLS can't be used: {error}"))
    }
}

fn wrong(setting: &str, path: &Path, fault: impl std::fmt::Display) -> String {
    format!("tls.{setting} names {}, {fault}", path.display())
}
