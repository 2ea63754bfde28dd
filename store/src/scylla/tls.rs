//! TLS to the servers: whom to trust, and who we are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use super::names::Names;
use super::place::Host;
use crate::StoreError;

/// How connections are encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether they are.
    pub on: bool,
    /// PEM file of the authorities that servers' certificates must be by; empty: those that the system trusts.
    pub ca: PathBuf,
    /// PEM file of the certificate that servers may ask for, with the authorities between, and of its key; empty: none.
    pub cert: PathBuf,
    /// See `cert`.
    pub key: PathBuf,
}

impl Tls {
    /// Whether the settings go together. No file is read.
    pub(super) fn check(&self) -> Result<(), String> {
        let files = [("tls_ca", &self.ca), ("tls_cert", &self.cert), ("tls_key", &self.key)];
        let set = files.into_iter().find(|(_, path)| !path.as_os_str().is_empty());
        match set {
            Some((setting, _)) if !self.on => {
                Err(format!("store.{setting} is set, and TLS is off: set store.tls = true, too"))
            }
            _ if self.cert.as_os_str().is_empty() != self.key.as_os_str().is_empty() => {
                Err("store.tls_cert and store.tls_key go together: set both, or neither".into())
            }
            _ => Ok(()),
        }
    }

    /// What connections are made with; none where they are plain. Reads the files.
    ///
    /// # Errors
    /// [`StoreError::Open`] names the setting, the file and what is wrong with it.
    pub(super) fn client(&self, hosts: &[Host]) -> Result<Option<Arc<ClientConfig>>, StoreError> {
        self.on.then(|| self.load(hosts).map(Arc::new).map_err(StoreError::Open)).transpose()
    }

    fn load(&self, hosts: &[Host]) -> Result<ClientConfig, String> {
        let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
        let unusable = |error: &dyn std::fmt::Display| format!("TLS can't be used: {error}");
        let known = WebPkiServerVerifier::builder_with_provider(Arc::new(self.roots()?), provider.clone())
            .build()
            .map_err(|error| unusable(&error))?;
        let hosts = hosts.iter().filter_map(|host| ServerName::try_from(host.name.clone()).ok());
        let names = Names::new(known, hosts.collect());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            // Checks what the library itself checks, and knows the hosts' names besides.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(names));
        if self.cert.as_os_str().is_empty() {
            return Ok(client.with_no_client_auth());
        }
        let (certificates, key) = (certificates("tls_cert", &self.cert)?, key("tls_key", &self.key)?);
        client.with_client_auth_cert(certificates, key).map_err(|error| {
            let (cert, key) = (self.cert.display(), self.key.display());
            format!("store.tls_key names {key}, which does not go with {cert} of store.tls_cert: {error}")
        })
    }

    fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        if self.ca.as_os_str().is_empty() {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                return Err(
                    "store.tls is on, and this system trusts no authority: name a file in store.tls_ca"
                        .into(),
                );
            }
            return Ok(roots);
        }
        for certificate in certificates("tls_ca", &self.ca)? {
            roots.add(certificate).map_err(|error| {
                format!(
                    "store.tls_ca names {}, with a certificate that can't be used: {error}",
                    self.ca.display()
                )
            })?;
        }
        Ok(roots)
    }
}

fn certificates(setting: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, PemError> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let found = found.map_err(|error| unreadable(setting, path, &error))?;
    match found.is_empty() {
        true => Err(format!("store.{setting} names {}, which holds no certificate as PEM", path.display())),
        false => Ok(found),
    }
}

fn key(setting: &str, path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        PemError::NoItemsFound => {
            format!("store.{setting} names {}, which holds no private key as PEM", path.display())
        }
        error => unreadable(setting, path, &error),
    })
}

fn unreadable(setting: &str, path: &Path, error: &PemError) -> String {
    let path = path.display();
    match error {
        PemError::Io(error) => format!("store.{setting} names {path}, which can't be read: {error}"),
        error => format!("store.{setting} names {path}, which is not PEM: {error}"),
    }
}
