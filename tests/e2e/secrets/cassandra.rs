//! What a CQL server says until somebody has shown a password, which it does not let in.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Operations of the protocol's fourth version.
const ERROR: u8 = 0;
const STARTUP: u8 = 1;
const AUTHENTICATE: u8 = 3;
const OPTIONS: u8 = 5;
const SUPPORTED: u8 = 6;
const AUTH_RESPONSE: u8 = 15;

/// A server on a port of its own, and what it was shown.
pub(super) struct Doorman {
    pub(super) address: SocketAddr,
    pub(super) shown: Arc<Mutex<Vec<u8>>>,
}

impl Doorman {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let doorman = Self { address: listener.local_addr().unwrap(), shown: Arc::default() };
        let shown = doorman.shown.clone();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let shown = shown.clone();
                // Whoever goes away has heard enough.
                thread::spawn(move || converse(socket, &shown));
            }
        });
        doorman
    }
}

fn converse(mut socket: TcpStream, shown: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    loop {
        let mut head = [0; 9];
        socket.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut body = vec![0; length as usize];
        socket.read_exact(&mut body)?;
        let text =
            |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
        let (operation, answer) = match head[4] {
            OPTIONS => (SUPPORTED, vec![0, 0]),
            STARTUP => (AUTHENTICATE, text("org.apache.cassandra.auth.PasswordAuthenticator")),
            AUTH_RESPONSE => {
                shown.lock().unwrap().extend(body);
                (ERROR, [&256_u32.to_be_bytes()[..], &text("not you")].concat())
            }
            _ => (ERROR, [&10_u32.to_be_bytes()[..], &text("what?")].concat()),
        };
        let length = u32::try_from(answer.len()).unwrap().to_be_bytes();
        socket.write_all(&[&[0x84, 0, head[2], head[3], operation][..], &length, &answer].concat())?;
    }
}
