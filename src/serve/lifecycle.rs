//! Serving, stopping, and what is done meanwhile.
//!
//! The first signal stops taking requests and lets those under way finish; a second one ends the process at once.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use axum::Router;
use schema::Clock;
use store::embedded::Embedded;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::ServerSettings;

/// Serves until a signal, then for at most `drain` more.
pub(super) async fn serve(listener: TcpListener, app: Router, drain: Duration) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if *stop.borrow() {
                tracing::warn!("stopped at once, by a second signal");
                std::process::exit(130);
            }
            tracing::info!(drain_ms = drain.as_millis() as u64, "stopping; a second signal stops at once");
            let _ = stop.send(true);
        }
    });
    let mut signalled = stopped.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        let _ = signalled.wait_for(|stop| *stop).await;
    });
    tokio::select! {
        result = server => result,
        () = async {
            let _ = stopped.wait_for(|stop| *stop).await;
            tokio::time::sleep(drain).await;
        } => {
            tracing::warn!("connections that were still open were cut");
            Ok(())
        }
    }
}

/// Removes what retention has passed, a bounded piece at a time.
pub(super) async fn sweep(store: Embedded, clock: Clock, settings: ServerSettings) {
    let pause = Duration::from_millis(settings.sweep_ms);
    loop {
        tokio::time::sleep(pause).await;
        loop {
            match store.sweep(clock(), settings.sweep_rows).await {
                Ok(swept) if swept.more => tokio::task::yield_now().await,
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a sweep failed; trying again later"
                    );
                    break;
                }
            }
        }
    }
}
