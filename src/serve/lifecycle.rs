//! Serving, stopping, and what is done meanwhile.
//!
//! The first signal stops taking requests and lets those under way finish; a second one ends the process at once.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use schema::Clock;
use store::embedded::Embedded;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::connections::{self, Served};
use crate::config::ServerSettings;

/// Listens for signals; what it gives becomes true with the first.
pub(super) fn signals(drain: Duration) -> io::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
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
    Ok(stopped)
}

/// Serves until a signal, then for at most `drain` more.
pub(super) async fn serve(
    listener: TcpListener,
    served: Served,
    drain: Duration,
    stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    if !connections::serve(listener, served, stopped, drain).await? {
        tracing::warn!("connections that were still open were cut");
    }
    Ok(())
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
