//! What stands before the tests' server: a relay that can fall silent, and one that speaks TLS with certificates of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// A port of its own, which leads to the tests' server.
pub(super) struct Front {
    pub(super) address: SocketAddr,
    silent: watch::Sender<bool>,
}

impl Front {
    /// Passes on what it gets; behind TLS where that is given.
    pub(super) async fn start(server: String, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = Self { address: listener.local_addr().unwrap(), silent: watch::Sender::new(false) };
        let silent = front.silent.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, tls, silent) = (server.clone(), tls.clone(), silent.clone());
                tokio::spawn(async move {
                    let behind = TcpStream::connect(server).await.unwrap();
                    match tls {
                        None => pass(client, behind, silent).await,
                        Some(tls) => {
                            let Ok(client) = TlsAcceptor::from(tls).accept(client).await else { return };
                            pass(client, behind, silent).await;
                        }
                    }
                });
            }
        });
        front
    }

    /// From now on, connections stay open and nothing comes over them; or it comes again.
    pub(super) fn set_silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }
}

async fn pass(client: impl AsyncRead + AsyncWrite, behind: TcpStream, silent: watch::Receiver<bool>) {
    let (from_client, to_client) = tokio::io::split(client);
    let (from_behind, to_behind) = behind.into_split();
    tokio::join!(copy(from_client, to_behind, silent.clone()), copy(from_behind, to_client, silent));
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut silent: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if silent.wait_for(|silent| !silent).await.is_err() || to.write_all(&bytes[..count]).await.is_err() {
            break;
        }
        let _ = to.flush().await;
    }
    let _ = to.shutdown().await;
}

/// An authority, and files of what it has certified.
pub(super) struct Authority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    /// Its own certificate.
    pub(super) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for these names until `year`, and its key.
    pub(super) fn certify(&self, names: &[&str], year: i32) -> (PathBuf, PathBuf) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let file = |end: &str| self.folder.path().join(format!("{}-{year}.{end}", names.join("-")));
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(file("pem"), certificate.pem()).unwrap();
        std::fs::write(file("key"), key.serialize_pem()).unwrap();
        (file("pem"), file("key"))
    }

    /// A server's side of TLS; with `asks`, it wants a client's certificate by this authority.
    pub(super) fn server(&self, names: &[&str], year: i32, asks: bool) -> Arc<ServerConfig> {
        let (certificate, key) = self.certify(names, year);
        let provider = Arc::new(default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(certificates(&self.ca()).remove(0)).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let clients = if asks { clients.build().unwrap() } else { WebPkiClientVerifier::no_client_auth() };
        let server =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        Arc::new(
            server
                .with_client_cert_verifier(clients)
                .with_single_cert(certificates(&certificate), key)
                .unwrap(),
        )
    }
}

fn certificates(file: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(file).unwrap().map(Result::unwrap).collect()
}
