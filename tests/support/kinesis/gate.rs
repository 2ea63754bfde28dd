//! The emulator's door: it can be shut, which ends all connections, on a port that stays its own meanwhile.

use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};

/// Shuts and opens a [`Door`].
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    cut: bool,
    sockets: Vec<std::net::TcpStream>,
}

/// What axum serves.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    gate: Gate,
}

impl Gate {
    /// A door on a free port.
    pub(super) async fn open(&self) -> Door {
        Door { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), gate: self.clone() }
    }

    /// Ends all connections; with `cut`, new ones end at once, too.
    pub(super) fn set_cut(&self, cut: bool) {
        let mut state = self.0.lock().unwrap();
        state.cut = cut;
        for socket in state.sockets.drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Lets a connection in, unless it is cut.
    fn pass(&self, socket: TcpStream) -> std::io::Result<Option<TcpStream>> {
        socket.set_nodelay(true)?;
        let socket = socket.into_std()?;
        let mut state = self.0.lock().unwrap();
        if state.cut {
            return Ok(None);
        }
        state.sockets.push(socket.try_clone()?);
        Ok(Some(TcpStream::from_std(socket)?))
    }
}

impl Door {
    pub(super) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }
}

impl Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((socket, from)) => {
                    if let Ok(Some(socket)) = self.gate.pass(socket) {
                        return (socket, from);
                    }
                }
                // Too many files, say: others close theirs.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
