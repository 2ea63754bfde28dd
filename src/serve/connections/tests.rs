//! What no route of a node shows yet, or not in a few seconds: upgrades, slow readers, accepts that fail.

use std::future::{pending, poll_fn};
use std::io::{Error, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, UPGRADE};
use axum::routing::get;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;
use crate::config::TlsSettings;

const PATIENCE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(1);
/// More than the buffers of two sockets hold.
const LARGE: usize = 64 << 20;
/// Less than TLS holds back.
const PIECE: usize = 16 << 10;

struct Node {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<io::Result<bool>>,
}

fn start(app: Router, connections: u32, drain: Duration) -> Node {
    start_over(None, app, connections, drain)
}

fn start_over(tls: Option<Tls>, app: Router, connections: u32, drain: Duration) -> Node {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let full = Router::new().fallback(|| async { StatusCode::SERVICE_UNAVAILABLE });
    let waits = Waits { header: PATIENCE, idle: IDLE };
    let (stop, stopped) = watch::channel(false);
    let served = Served { app, full, connections, waits, tls };
    Node { address, stop, served: tokio::spawn(serve(listener, served, stopped, drain)) }
}

impl Node {
    fn ask(&self, path: &str, more: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n").unwrap();
        socket
    }
}

fn head(socket: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).unwrap() > 0 {
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

/// Switches to a protocol in which the server echoes what it reads.
async fn echo(request: Request) -> impl axum::response::IntoResponse {
    tokio::spawn(async move {
        let mut socket = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
        loop {
            let mut space = [0; 16];
            let mut buffer = ReadBuf::new(&mut space);
            let read = poll_fn(|cx| Pin::new(&mut socket).poll_read(cx, &mut buffer)).await;
            if read.is_err() || buffer.filled().is_empty() {
                return;
            }
            poll_fn(|cx| Pin::new(&mut socket).poll_write(cx, buffer.filled())).await.unwrap();
        }
    });
    (StatusCode::SWITCHING_PROTOCOLS, [(CONNECTION, "upgrade"), (UPGRADE, "echo")])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgraded_connection_may_be_silent_and_keeps_its_place() {
    let node = start(Router::new().route("/", get(echo)), 1, PATIENCE);
    let mut socket = node.ask("/", "Connection: upgrade\r\nUpgrade: echo\r\n");
    assert!(head(&mut socket).starts_with("HTTP/1.1 101"));
    std::thread::sleep(IDLE * 4);
    socket.write_all(b"still here").unwrap();
    let mut echoed = [0; 10];
    socket.read_exact(&mut echoed).unwrap();
    assert_eq!(&echoed, b"still here");
    assert!(head(&mut node.ask("/", "")).starts_with("HTTP/1.1 503"), "its place is taken");
    node.stop.send(true).unwrap();
    drop(socket);
    assert!(node.served.await.unwrap().unwrap(), "its end is waited for, and seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_slowly_is_waited_for_and_one_that_does_not_read_is_cut() {
    let app = Router::new().route("/", get(|| async { vec![b'x'; LARGE] }));
    let node = start(app, 2, Duration::ZERO);
    let mut slow = node.ask("/", "Connection: close\r\n");
    let began = Instant::now();
    let (mut read, mut piece) = (head(&mut slow).len(), vec![0; 1 << 20]);
    let before = read;
    loop {
        match slow.read(&mut piece).unwrap() {
            0 => break,
            bytes => read += bytes,
        }
        if began.elapsed() < IDLE * 4 {
            std::thread::sleep(IDLE / 20);
        }
    }
    assert_eq!(read - before, LARGE);
    assert!(began.elapsed() > IDLE * 2, "it was not slow");

    let mut deaf = node.ask("/", "");
    assert!(head(&mut deaf).starts_with("HTTP/1.1 200"));
    std::thread::sleep(IDLE * 4);
    let mut rest = Vec::new();
    let _ = deaf.read_to_end(&mut rest);
    assert!(rest.len() < LARGE, "it was waited for without end");
}

/// TLS holds back what it could not send, which is not to be waited for without end either.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_read_is_cut_over_tls_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name| folder.path().join(name);
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(file("cert.pem"), cert.pem()).unwrap();
    std::fs::write(file("key.pem"), key.serialize_pem()).unwrap();
    let settings = TlsSettings { cert: file("cert.pem"), key: file("key.pem"), ca: PathBuf::new() };
    let (tls, _) = Tls::open(&settings).unwrap().unwrap();

    let app = Router::new().route("/piece", get(|| async { vec![b'x'; PIECE] }));
    let app = app.route("/small", get(|| async { "small" }));
    let node = start_over(Some(tls), app, 1, Duration::ZERO);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let client = Arc::new(client.unwrap().with_root_certificates(roots).with_no_client_auth());
    let ask = |path: &str| {
        let socket = TcpStream::connect(node.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let connection = rustls::ClientConnection::new(client.clone(), name).unwrap();
        let mut socket = rustls::StreamOwned::new(connection, socket);
        write!(socket, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut head = [0; 12];
        socket.read_exact(&mut head).unwrap();
        (socket, String::from_utf8(head.to_vec()).unwrap())
    };
    // Small answers, so that it is their flush that waits; more of them than the buffers of two sockets hold.
    let (mut deaf, head) = ask("/piece");
    assert_eq!(head, "HTTP/1.1 200");
    let requests = "GET /piece HTTP/1.1\r\nHost: x\r\n\r\n".repeat(LARGE / PIECE);
    let asking = std::thread::spawn(move || (deaf.write_all(requests.as_bytes()), deaf));
    let began = Instant::now();
    // Its place is the only one: who comes next has it, once it was cut.
    while ask("/small").1 != "HTTP/1.1 200" {
        assert!(began.elapsed() < PATIENCE, "it was waited for without end");
        std::thread::sleep(IDLE / 10);
    }
    assert!(began.elapsed() > IDLE / 2, "it was not given its time");
    drop(asking.join().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_after_the_drain_is_cut() {
    let app = Router::new().route("/", get(pending::<()>));
    let node = start(app, 2, IDLE);
    let mut stuck = node.ask("/", "");
    // Taken up, as they are in order.
    let _ = head(&mut node.ask("/nothing", ""));
    node.stop.send(true).unwrap();
    assert!(!node.served.await.unwrap().unwrap(), "it was not waited for without end");
    let ended = stuck.read(&mut [0]);
    assert!(!matches!(ended, Ok(1..)), "{ended:?}");
    let _ = stuck.shutdown(Shutdown::Both);
}

#[tokio::test]
async fn an_accept_that_fails_is_tried_again_after_a_pause() {
    let tries = AtomicUsize::new(0);
    let began = Instant::now();
    let accept = || {
        std::future::ready(match tries.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Error::from(io::ErrorKind::ConnectionAborted)),
            // EMFILE: the process has no more files.
            1 => Err(Error::from_raw_os_error(24)),
            n => Ok(n),
        })
    };
    assert_eq!(accepted(accept).await, 2);
    assert!(began.elapsed() >= ACCEPT_PAUSE);
}
