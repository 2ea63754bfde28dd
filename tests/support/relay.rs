//! A relay before a TCP server, which a test can cut, or hold still: what the server's clients see is the server lost, or one that
//! takes all and answers nothing.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// A relay on a port of its own.
#[derive(Debug)]
pub(crate) struct Relay {
    address: SocketAddr,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    open: Mutex<State>,
    goes_on: Condvar,
}

#[derive(Debug, Default)]
struct State {
    cut: bool,
    still: bool,
    sockets: Vec<TcpStream>,
}

impl Relay {
    /// Stands before `server`, HOST:PORT.
    pub(crate) fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self { address: listener.local_addr().unwrap(), gate: Arc::default() };
        let (gate, server) = (relay.gate.clone(), server.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut open = gate.open.lock().unwrap();
                if open.cut {
                    continue;
                }
                let Ok(behind) = TcpStream::connect(&server) else { continue };
                // It is no place to wait for more to send.
                if client.set_nodelay(true).and(behind.set_nodelay(true)).is_err() {
                    continue;
                }
                open.sockets.extend([client.try_clone().unwrap(), behind.try_clone().unwrap()]);
                copy(&gate, client.try_clone().unwrap(), behind.try_clone().unwrap());
                copy(&gate, behind, client);
            }
        });
        relay
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections; with `cut`, new ones end at once, too.
    pub(crate) fn set_cut(&self, cut: bool) {
        let mut open = self.gate.open.lock().unwrap();
        open.cut = cut;
        for socket in open.sockets.drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Holds all back that comes, of either side, and what connects; all of it goes on once that is over.
    pub(crate) fn set_still(&self, still: bool) {
        self.gate.open.lock().unwrap().still = still;
        self.gate.goes_on.notify_all();
    }
}

fn copy(gate: &Arc<Gate>, mut from: TcpStream, mut to: TcpStream) {
    let gate = gate.clone();
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            drop(gate.goes_on.wait_while(gate.open.lock().unwrap(), |open| open.still).unwrap());
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
