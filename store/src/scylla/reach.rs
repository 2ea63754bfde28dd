//! Whether a host answers CQL, and if not, what stands in the way.
//!
//! The driver asks one host after the other, and waits without end for one that takes a connection and says nothing. So
//! all are asked here first, at once and within a time, and it is told of those that answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::place::Host;
use super::refused;

/// A frame of version 4 that asks what the server knows: it is answered before anybody logs in.
const OPTIONS: [u8; 9] = [4, 0, 0, 0, 5, 0, 0, 0, 0];
/// In a frame's first byte, where it is an answer.
const IS_ANSWER: u8 = 0x80;
/// The first byte of a record of TLS that says what is wrong.
const TLS_ALERT: u8 = 21;
/// Answers to it: what it knows, or that it knows no version 4, which the driver sees to.
const ANSWERS: [u8; 2] = [6, 0];

/// A host that answers.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    /// Which of its addresses.
    pub(super) address: SocketAddr,
    /// What it has shown, where TLS is spoken.
    pub(super) certificate: Option<CertificateDer<'static>>,
}

/// How far it went, and what is meant where no answer comes in time.
#[derive(Clone, Copy)]
struct Within {
    end: Instant,
    limit: Duration,
}

impl Within {
    async fn wait<T>(self, missing: &str, work: impl Future<Output = T>) -> Result<T, String> {
        let late = |_| format!("{missing} within {} ms (store.connect_ms)", self.limit.as_millis());
        timeout_at(self.end, work).await.map_err(late)
    }
}

/// Asks all hosts at once; each has `limit`.
pub(super) async fn all(
    hosts: &[Host],
    tls: Option<&Arc<ClientConfig>>,
    limit: Duration,
) -> Vec<Result<Reached, String>> {
    join_all(hosts.iter().map(|host| one(host, tls, limit))).await
}

/// Asks all addresses of a host at once: the first that answers will do.
async fn one(host: &Host, tls: Option<&Arc<ClientConfig>>, limit: Duration) -> Result<Reached, String> {
    let within = Within { end: Instant::now() + limit, limit };
    let found = tokio::net::lookup_host((host.name.as_str(), host.port));
    let found = within.wait("its name has no address", found).await?;
    let found = found.map_err(|error| format!("its name has no address: {error}"))?;
    let mut asked: FuturesUnordered<_> =
        found.map(|address| async move { (address, ask(address, tls, within).await) }).collect();
    let mut failures = Vec::new();
    while let Some((address, asked)) = asked.next().await {
        match asked {
            Ok(certificate) => return Ok(Reached { address, certificate }),
            Err(why) => failures.push((address, why)),
        }
    }
    // In the same order each time.
    failures.sort();
    match &failures[..] {
        [] => Err("its name has no address".into()),
        [(_, why)] => Err(why.clone()),
        several => {
            let each = several.iter().map(|(address, why)| format!("{}: {why}", address.ip()));
            Err(each.collect::<Vec<_>>().join("; "))
        }
    }
}

/// Connects, and asks what the server knows. Gives the certificate that it has shown.
async fn ask(
    address: SocketAddr,
    tls: Option<&Arc<ClientConfig>>,
    within: Within,
) -> Result<Option<CertificateDer<'static>>, String> {
    let stream = within.wait("it took no connection", TcpStream::connect(address)).await?;
    let mut stream = stream.map_err(|error| format!("it took no connection: {error}"))?;
    let Some(client) = tls else {
        let answer = within.wait("it answered nothing", greet(&mut stream)).await?;
        return answer.map_err(|error| refused::plain(&error)).and_then(is_cql).map(|()| None);
    };
    let name = ServerName::IpAddress(address.ip().into());
    let secured = TlsConnector::from(client.clone()).connect(name, stream);
    let secured = within.wait("it answered no TLS (store.tls)", secured).await?;
    let mut secured = secured.map_err(|error| refused::handshake(&error))?;
    let shown = secured.get_ref().1.peer_certificates().and_then(|shown| shown.first());
    let shown = shown.map(|certificate| certificate.clone().into_owned());
    let answer = within.wait("it answered nothing", greet(&mut secured)).await?;
    answer.map_err(|error| refused::secured(&error)).and_then(is_cql).map(|()| shown)
}

/// The head of the answer.
async fn greet(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<[u8; 9]> {
    stream.write_all(&OPTIONS).await?;
    stream.flush().await?;
    let mut head = [0; 9];
    // Whoever does not know CQL may say less than a head.
    stream.read_exact(&mut head[..1]).await?;
    if head[0] & IS_ANSWER != 0 {
        stream.read_exact(&mut head[1..]).await?;
    }
    Ok(head)
}

fn is_cql(head: [u8; 9]) -> Result<(), String> {
    match head[0] {
        TLS_ALERT => Err("it speaks TLS only: set store.tls = true".into()),
        first if first & IS_ANSWER != 0 && ANSWERS.contains(&head[4]) => Ok(()),
        _ => Err("what answers there does not speak CQL: is the port the right one?".into()),
    }
}
