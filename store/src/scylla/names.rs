//! Whose certificate a server may show: one for its address, or for a host of `store.url`.
//!
//! The driver asks for a certificate of the address that it connects to, as that is all that it knows of most servers: one of
//! them has told it of the others. Certificates often name hosts instead. Whoever holds one for a host that the URL names
//! is one of those that were meant, at whichever address it is met.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// All that the library checks, with more than one name.
#[derive(Debug)]
pub(super) struct Names {
    known: Arc<WebPkiServerVerifier>,
    hosts: Vec<ServerName<'static>>,
}

impl Names {
    /// Certificates that `known` trusts, for the address or for one of `hosts`.
    pub(super) fn new(known: Arc<WebPkiServerVerifier>, hosts: Vec<ServerName<'static>>) -> Self {
        Self { known, hosts }
    }
}

impl ServerCertVerifier for Names {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        address: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_for = |name| self.known.verify_server_cert(certificate, between, name, ocsp, now);
        let by_address = is_for(address);
        let Err(Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) = by_address
        else {
            return by_address;
        };
        self.hosts.iter().find_map(|host| is_for(host).ok()).map_or(by_address, Ok)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.known.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.known.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.known.supported_verify_schemes()
    }
}
