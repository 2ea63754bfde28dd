//! What all live transports of a node share: their limits, the sign to stop, and counts.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use access::Access;
use tokio::sync::watch;

use crate::settings::LiveSettings;

/// Shared by every socket and event stream.
pub(crate) struct Live {
    pub(super) settings: LiveSettings,
    stopping: watch::Receiver<bool>,
    sockets: watch::Sender<usize>,
    operations: AtomicUsize,
}

impl Live {
    /// Live transports that end once `stopping` is true.
    pub(crate) fn new(settings: LiveSettings, stopping: watch::Receiver<bool>) -> Arc<Self> {
        Arc::new(Self {
            settings,
            stopping,
            sockets: watch::Sender::new(0),
            operations: AtomicUsize::default(),
        })
    }

    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.clone()
    }

    /// Sockets that are open.
    pub(crate) fn sockets(&self) -> usize {
        *self.sockets.borrow()
    }

    /// Operations that run on sockets and event streams.
    pub(crate) fn operations(&self) -> usize {
        self.operations.load(Ordering::Relaxed)
    }

    /// Resolves once no socket is open.
    pub(crate) async fn closed(&self) {
        // Its sender is here, so there is always an answer.
        let _ = self.sockets.subscribe().wait_for(|open| *open == 0).await;
    }

    /// Counts a socket until the guard is dropped.
    pub(super) fn open_socket(self: &Arc<Self>) -> Guard {
        self.sockets.send_modify(|open| *open += 1);
        Guard { live: self.clone(), counted: Counted::Socket }
    }

    /// Counts an operation until the guard is dropped.
    pub(super) fn open_operation(self: &Arc<Self>) -> Guard {
        self.operations.fetch_add(1, Ordering::Relaxed);
        Guard { live: self.clone(), counted: Counted::Operation }
    }
}

/// One that is counted.
pub(super) struct Guard {
    live: Arc<Live>,
    counted: Counted,
}

#[derive(Clone, Copy)]
enum Counted {
    Socket,
    Operation,
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self.counted {
            Counted::Socket => self.live.sockets.send_modify(|open| *open -= 1),
            Counted::Operation => {
                self.live.operations.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

/// Tells when others may be let in than before.
pub(super) struct Changes(watch::Receiver<u64>);

impl Changes {
    /// Those from now on.
    pub(super) fn of(access: &Access) -> Self {
        Self(access.changes())
    }

    /// Resolves at the next one. Where nothing ever changes, it never does.
    pub(super) async fn next(mut self) -> Self {
        self.changed().await;
        self
    }

    /// Resolves at the next one.
    pub(super) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            pending::<()>().await;
        }
    }
}

/// Resolves once the node stops. Whoever could say so may be gone, and then it never does.
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stop| *stop).await.is_err() {
        pending::<()>().await;
    }
}
