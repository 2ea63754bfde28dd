//! Connections, bounded in number and in the time that they may keep this node waiting.
//!
//! Where as many are open as may be, the next ones are taken for as long as it takes to say so; where many are being told,
//! the rest wait to be accepted.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use access::rate::Peer;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::answer::Tracked;
use super::phase::Phase;
use super::timed::{Timed, Waits};
use super::tls::Tls;

/// Connections beyond the most that are told so at the same time.
const TOLD_MAX: u32 = 64;

/// Pause after an accept that failed, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// What is served, and to how many.
#[derive(Clone, Debug)]
pub(super) struct Served {
    /// Answers requests.
    pub(super) app: Router,
    /// Answers those that come over a connection too many.
    pub(super) full: Router,
    /// Most connections.
    pub(super) connections: u32,
    pub(super) waits: Waits,
    /// What they begin with; none: nothing, and HTTP is plain.
    pub(super) tls: Option<Tls>,
}

/// How many connections there may be, if `wanted` are: half of the files that the process may open are for the data.
pub(super) fn at_most(wanted: u32) -> u32 {
    let limit = getrlimit(Resource::Nofile);
    // What it may have without asking anybody, it takes.
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let bound = files.map_or(u32::MAX, |files| u32::try_from(files / 2).unwrap_or(u32::MAX).max(1));
    if bound < wanted {
        tracing::info!(
            connections = bound,
            wanted,
            files,
            "fewer connections than configured: the process may open no more files"
        );
    }
    wanted.min(bound)
}

/// Serves until `stopped`, then lets requests under way finish for at most `drain`. Whether all of them did.
pub(super) async fn serve(
    listener: TcpListener,
    served: Served,
    mut stopped: watch::Receiver<bool>,
    drain: Duration,
) -> io::Result<bool> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (open, told) = (places(served.connections), places(TOLD_MAX));
    let mut tasks = JoinSet::new();
    loop {
        let next = async {
            // Only this task takes places, so what is free now still is once somebody comes.
            tokio::select! {
                _ = open.acquire() => {}
                _ = told.acquire() => {}
            }
            accepted(|| listener.accept()).await
        };
        let socket = tokio::select! {
            () = told_to(&mut stopped) => break,
            socket = next => socket,
        };
        while tasks.try_join_next().is_some() {}
        let (place, app, keep_alive) = match open.clone().try_acquire_owned() {
            Ok(place) => (place, served.app.clone(), true),
            Err(_) => match told.clone().try_acquire_owned() {
                Ok(place) => (place, served.full.clone(), false),
                Err(_) => continue,
            },
        };
        let (socket, peer) = socket;
        let peer = Peer(peer.ip());
        let http = Http { app, keep_alive, waits: served.waits, peer, place, stopped: stopped.clone() };
        // Answers are small and whole: waiting for more to send would only delay them.
        let _ = socket.set_nodelay(true);
        match served.tls.clone() {
            None => tasks.spawn(http.serve(socket)),
            Some(tls) => tasks.spawn(http.serve_over(tls, socket)),
        };
    }
    drop(listener);
    let all_gone = async {
        let _ = open.acquire_many(served.connections).await;
        let _ = told.acquire_many(TOLD_MAX).await;
    };
    let all_gone = tokio::time::timeout(drain, all_gone).await.is_ok();
    // What is left is cut.
    drop(tasks);
    Ok(all_gone)
}

async fn told_to(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn places(count: u32) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(count as usize))
}

/// What comes next, however often accepting fails before.
async fn accepted<T, F: Future<Output = io::Result<T>>>(mut accept: impl FnMut() -> F) -> T {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    loop {
        match accept().await {
            Ok(accepted) => return accepted,
            // Of that one connection: its client is gone.
            Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "no connection can be accepted now");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// What is spoken on one connection.
struct Http {
    app: Router,
    keep_alive: bool,
    waits: Waits,
    peer: Peer,
    place: OwnedSemaphorePermit,
    stopped: watch::Receiver<bool>,
}

impl Http {
    /// Serves the connection to its end; or, once stopped, to the end of the request under way.
    async fn serve<S>(mut self, socket: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let phase = Phase::new();
        let io = TokioIo::new(Timed::new(socket, self.waits, phase.clone(), self.place));
        let app = TowerToHyperService::new(self.app);
        let peer = self.peer;
        let service = service_fn(|request| answer(&app, &phase, peer, request));
        let mut http = http1::Builder::new();
        let http = http.keep_alive(self.keep_alive).header_read_timeout(None);
        let mut connection = pin!(http.serve_connection(io, service).with_upgrades());
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = told_to(&mut self.stopped) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(error = &error as &dyn std::error::Error, "a connection broke off");
        }
    }

    /// The same, after a handshake. Whoever is at that has a place, as everybody who is connected.
    async fn serve_over(mut self, tls: Tls, socket: TcpStream) {
        let socket = tokio::select! {
            socket = tls.accept(socket, self.waits.header) => socket,
            () = told_to(&mut self.stopped) => return,
        };
        match socket {
            Ok(socket) => self.serve(Box::new(socket)).await,
            Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "no TLS was agreed on"),
        }
    }
}

/// Answers a request, whose connection waits for its client again once the answer was taken from here.
fn answer(
    app: &TowerToHyperService<Router>,
    phase: &Phase,
    peer: Peer,
    mut request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Tracked>, Infallible>> + Send + use<> {
    let answering = phase.answering();
    request.extensions_mut().insert(peer);
    let response = app.call(request);
    async move {
        let response = response.await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response.map(|body| Tracked::new(body, Some(answering))));
        }
        answering.for_good();
        Ok(response.map(|body: Body| Tracked::new(body, None)))
    }
}

#[cfg(test)]
mod tests;
