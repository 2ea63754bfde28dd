//! A relay before a TCP server, which a test can cut: what the server's clients see is the server lost.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A relay on a port of its own.
#[derive(Debug)]
pub(crate) struct Relay {
    address: SocketAddr,
    open: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    cut: bool,
    sockets: Vec<TcpStream>,
}

impl Relay {
    /// Stands before `server`, HOST:PORT.
    pub(crate) fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self { address: listener.local_addr().unwrap(), open: Arc::default() };
        let (open, server) = (relay.open.clone(), server.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut open = open.lock().unwrap();
                if open.cut {
                    continue;
                }
                let Ok(behind) = TcpStream::connect(&server) else { continue };
                // It is no place to wait for more to send.
                if client.set_nodelay(true).and(behind.set_nodelay(true)).is_err() {
                    continue;
                }
                open.sockets.extend([client.try_clone().unwrap(), behind.try_clone().unwrap()]);
                copy(client.try_clone().unwrap(), behind.try_clone().unwrap());
                copy(behind, client);
            }
        });
        relay
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections; with `cut`, new ones end at once, too.
    pub(crate) fn set_cut(&self, cut: bool) {
        let mut open = self.open.lock().unwrap();
        open.cut = cut;
        for socket in open.sockets.drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
