//! Servers that speak TLS: the authority that a test makes for them, and by which its clients know them.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use tempfile::TempDir;

/// An authority, with the files that it gives out. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Authority(Arc<Files>);

#[derive(Debug)]
struct Files {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// One that has certified the loopback addresses.
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Some clients take a certificate that bears its issuer's name for the issuer's own.
        params.distinguished_name.push(DnType::CommonName, "Authority of the tests");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        let this = Self(Arc::new(Files { folder, issuer }));
        let (cert, key) = this.certify();
        this.put(&cert, &key);
        this
    }

    /// A new certificate and its key, as PEM.
    pub(crate) fn certify(&self) -> (String, String) {
        let params = CertificateParams::new(vec!["127.0.0.1".into(), "localhost".into()]).unwrap();
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Puts these where the server looks for them.
    pub(crate) fn put(&self, cert: &str, key: &str) {
        std::fs::write(self.file("cert.pem"), cert).unwrap();
        std::fs::write(self.file("key.pem"), key).unwrap();
    }

    /// `ca.pem`, `cert.pem` or `key.pem`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.folder.path().join(name)
    }

    /// What a server reads them by.
    pub(super) fn environment(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        [
            ("TIDEGATE__TLS__CERT", self.file("cert.pem")),
            ("TIDEGATE__TLS__KEY", self.file("key.pem")),
            ("TIDEGATE__TLS__CA", self.file("ca.pem")),
        ]
        .into_iter()
    }

    /// A client that knows servers by it, and speaks these versions.
    pub(crate) fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.file("ca.pem")).unwrap()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

static KNOWN: Mutex<Option<HashMap<SocketAddr, Arc<ClientConfig>>>> = Mutex::new(None);

/// From now on who connects to `address` speaks TLS, as clients of `authority` do; without one, plain HTTP.
pub(super) fn know(address: SocketAddr, authority: Option<&Authority>) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    match authority {
        Some(authority) => _ = known.insert(address, Arc::new(authority.client(rustls::ALL_VERSIONS))),
        None => _ = known.remove(&address),
    }
}

/// What is spoken with a server, by how it is known.
pub(super) fn over(socket: TcpStream, address: SocketAddr) -> Wire {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match known.as_ref().and_then(|known| known.get(&address)) {
        Some(config) => Wire::Tls(Box::new(handshaking(socket, config.clone()))),
        None => Wire::Plain(socket),
    }
}

/// A connection whose handshake begins with the first byte.
pub(crate) fn handshaking(
    socket: TcpStream,
    config: Arc<ClientConfig>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    StreamOwned::new(ClientConnection::new(config, name).unwrap(), socket)
}

/// A connection, plain or not.
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    /// Says that nothing more is written.
    pub(super) fn finish(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(socket) => socket.shutdown(Shutdown::Write),
            Self::Tls(tls) => {
                tls.conn.send_close_notify();
                tls.flush()
            }
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// The certificate of a server's, as `tls` was shown it.
pub(crate) fn shown(tls: &StreamOwned<ClientConnection, TcpStream>) -> Vec<u8> {
    tls.conn.peer_certificates().unwrap()[0].to_vec()
}

/// The bytes of the first certificate of a PEM text.
pub(crate) fn bytes_of(pem: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}
