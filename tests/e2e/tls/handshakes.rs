//! Handshakes that are agreed on, and those that are not.

use std::io::{ErrorKind, Read, Write};

use rustls::version::{TLS12, TLS13};
use rustls::{ALL_VERSIONS, ProtocolVersion};

use super::{ask, connect, kept};
use crate::support::Setup;
use crate::support::tls::{Authority, handshaking};

/// The head of what a client of TLS 1.1 says first: it knows no newer version, and a few ciphers of its time.
fn hello_of_1_1() -> Vec<u8> {
    let ciphers = [0, 6, 0xc0, 0x14, 0x00, 0x35, 0x00, 0x2f];
    // It names algorithms of signatures, so that its version alone is what is wrong with it.
    let extensions = [0, 8, 0, 13, 0, 4, 0, 2, 4, 3];
    let body = [&[3, 2][..], &[7; 32], &[0], &ciphers, &[1, 0], &extensions].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_nothing_older() {
    let authority = Authority::new();
    let server = Setup::empty().over_tls(&authority).start();
    for (versions, expect) in [
        (&[&TLS12][..], ProtocolVersion::TLSv1_2),
        (&[&TLS13], ProtocolVersion::TLSv1_3),
        (ALL_VERSIONS, ProtocolVersion::TLSv1_3),
    ] {
        let mut client = authority.client(versions);
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut tls = kept(&server, &client).unwrap();
        assert_eq!(tls.conn.protocol_version(), Some(expect));
        assert_eq!(tls.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        ask(&server, &mut tls).unwrap();
    }
    let mut client = authority.client(ALL_VERSIONS);
    client.alpn_protocols = vec![b"h2".to_vec()];
    let refused = kept(&server, &client).unwrap_err().to_string();
    assert!(refused.contains("NoApplicationProtocol"), "{refused}");

    let mut socket = connect(&server);
    socket.write_all(&hello_of_1_1()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    // A fatal alert: protocol_version (RFC 8446, section 6).
    assert!(matches!(answer[..], [21, _, _, 0, 2, 2, 70]), "{answer:?}");
    // Who knows servers by another authority does not know this one.
    let stranger = Authority::new().client(ALL_VERSIONS);
    let refused = kept(&server, &stranger).unwrap_err().to_string();
    assert!(refused.contains("invalid peer certificate"), "{refused}");
}

/// More of each than there are places, one after another: none of them keeps one.
#[test]
fn what_is_no_handshake_is_cut_and_keeps_no_place() {
    let authority = Authority::new();
    let server = Setup::configured("[server]\nconnections_max = 2\n").over_tls(&authority).start();
    let plain = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    for bytes in [plain.as_bytes(), b"\x16\x03\x01\x40\x01", b"\x00\x00\x00\x00\x00", &hello_of_1_1()] {
        for _ in 0..4 {
            let mut socket = connect(&server);
            socket.write_all(bytes).unwrap();
            let mut answer = Vec::new();
            if let Err(error) = socket.read_to_end(&mut answer) {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            }
            assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
            assert!(answer.len() < 16, "an alert and no more: {answer:?}");
        }
    }
    let client = authority.client(ALL_VERSIONS);
    let (_one, _other) = (kept(&server, &client).unwrap(), kept(&server, &client).unwrap());
    // The places of those two are all there are.
    let mut third = handshaking(connect(&server), std::sync::Arc::new(client));
    third.write_all(plain.as_bytes()).unwrap();
    let mut answer = Vec::new();
    third.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 503"), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn a_slow_handshake_is_dropped_and_holds_up_nobody() {
    let authority = Authority::new();
    let settings = "[server]\nheader_ms = 1500\nconnections_max = 5\n";
    let server = Setup::configured(settings).over_tls(&authority).start();
    let mut slow = vec![connect(&server), connect(&server), connect(&server)];
    slow[1].write_all(&[22]).unwrap();
    slow[2].write_all(&hello_of_1_1()[..20]).unwrap();
    // Others are served meanwhile, and are not cut afterwards.
    let mut tls = kept(&server, &authority.client(ALL_VERSIONS)).unwrap();
    for socket in &mut slow {
        match socket.read(&mut [0]) {
            Ok(0) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            other => panic!("it was not closed: {other:?}"),
        }
    }
    ask(&server, &mut tls).unwrap();
}
