//! TLS of our own: handshakes, renewal, and the clients that speak it.

mod commands;
mod handshakes;
mod renewal;
mod settings;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::support::tls::handshaking;
use crate::support::{PATIENCE, Server};

fn connect(server: &Server) -> TcpStream {
    let socket = TcpStream::connect(server.address).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A connection that is kept, and has asked once.
fn kept(server: &Server, config: &ClientConfig) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut tls = handshaking(connect(server), Arc::new(config.clone()));
    ask(server, &mut tls)?;
    Ok(tls)
}

/// Asks for `/healthz`, which is answered in one piece.
fn ask(server: &Server, tls: &mut StreamOwned<ClientConnection, TcpStream>) -> std::io::Result<()> {
    write!(tls, "GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.address)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nok\n") {
        let mut piece = [0; 4096];
        match tls.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => answer.extend_from_slice(&piece[..read]),
        }
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    Ok(())
}
