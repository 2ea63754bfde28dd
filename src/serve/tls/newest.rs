//! What handshakes are made with from now on.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, ServerConfig};

/// Holds it. It is read once a connection.
pub(super) struct Newest(RwLock<Arc<ServerConfig>>);

impl Newest {
    pub(super) fn new(first: Arc<ServerConfig>) -> Self {
        Self(RwLock::new(first))
    }

    pub(super) fn get(&self) -> Arc<ServerConfig> {
        // A pointer is whole whatever its last user met with.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, next: Arc<ServerConfig>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

impl fmt::Debug for Newest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Newest")
    }
}

/// What shows this certificate. Sessions that clients resume are its own, too: nobody goes on by a certificate that was replaced.
///
/// # Errors
/// The library's, where the provider knows no cipher of TLS 1.2 or 1.3.
pub(super) fn showing(
    certified: CertifiedKey,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<ServerConfig>, Error> {
    // TLS 1.2 and 1.3: the library knows nothing older.
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(server))
}
