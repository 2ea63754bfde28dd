//! TLS of our own: each connection begins with a handshake, by the newest certificate.

mod newest;
mod pair;
mod renew;

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use self::newest::Newest;
use self::pair::Pair;
use self::renew::Renewal;
use crate::config::TlsSettings;

/// What handshakes are made with. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Tls(Arc<Newest>);

impl Tls {
    /// Reads certificate and key; none where the settings name none. The second is to be run for as long as handshakes are made:
    /// it sees to it that a renewed certificate is used.
    ///
    /// # Errors
    /// A sentence that names the setting, the file and what is wrong with it.
    pub(super) fn open(
        settings: &TlsSettings,
    ) -> Result<Option<(Self, impl Future<Output = ()> + Send + use<>)>, String> {
        if !settings.is_on() {
            return Ok(None);
        }
        let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
        let pair = Pair::read(settings)?;
        let newest = Arc::new(Newest::new(pair.server(settings, &provider)?));
        let renewal = Renewal::new(settings.clone(), provider, newest.clone(), pair);
        Ok(Some((Self(newest), renewal.follow())))
    }

    /// The handshake, which may take so long.
    ///
    /// # Errors
    /// What came is no handshake, or one that can't be agreed on, or was too slow. There is nobody to be told.
    pub(super) async fn accept(
        &self,
        socket: TcpStream,
        wait: Duration,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let handshake = TlsAcceptor::from(self.0.get()).accept(socket);
        tokio::time::timeout(wait, handshake).await?
    }
}
