//! Odd requests, as no client library would send them: each is answered or hung up on, memory stays bounded, and the server
//! lives on.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use super::routes::{JSON, NDJSON};
use crate::support::{Client, MEMORY_MAX, PATIENCE, Setup};

/// Sends bytes as they are, and gives the status of the first answer; 0 where the connection was closed without one.
fn send(client: &Client, pieces: impl IntoIterator<Item = Vec<u8>>) -> u16 {
    let mut socket = TcpStream::connect_timeout(&client.address, PATIENCE).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    // Who has heard enough stops reading, and may answer before.
    let _ = pieces.into_iter().try_for_each(|piece| socket.write_all(&piece));
    let _ = socket.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// A request to `POST /data` with these headers, each ended, and this body.
fn data(client: &Client, headers: &str, body: &str) -> u16 {
    let (address, token) = (client.address, &client.token);
    let text = format!(
        "POST /data HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: {JSON}\r\nConnection: close\r\n{headers}\r\n{body}"
    );
    send(client, [text.into_bytes()])
}

#[test]
fn what_is_no_request_is_refused_and_none_is_smuggled() {
    let server = Setup::empty().start();
    let client = server.client();
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (what, headers, body, status) in [
        ("two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n", "{}x", 400),
        ("a length below nothing", "Content-Length: -1\r\n", "{}", 400),
        ("a length with a sign", "Content-Length: +2\r\n", "{}", 400),
        ("a length beyond 64 bits", "Content-Length: 99999999999999999999\r\n", "{}", 400),
        ("a coding that is none", "Transfer-Encoding: gzip\r\n", "{}", 400),
        ("chunked, but not last", "Transfer-Encoding: chunked, gzip\r\n", "2\r\n{}\r\n0\r\n\r\n", 400),
        ("a chunk of no size", chunked, "x\r\n{}\r\n0\r\n\r\n", 400),
        ("a chunk beyond 64 bits", chunked, "fffffffffffffffff\r\n{}\r\n0\r\n\r\n", 400),
        ("a chunk that is longer than it says", chunked, "1\r\n{}\r\n0\r\n\r\n", 400),
        ("chunks that do not end", chunked, "2\r\n{}\r\n", 400),
        ("a header without a name", ": x\r\n", "", 400),
        ("NUL in a header", "X: a\0b\r\n", "", 400),
        ("a header folded over lines", "X: a\r\n b\r\n", "", 400),
    ] {
        let got = data(&client, headers, body);
        assert_eq!(got, status, "{what}");
    }
    let long = "x".repeat(70_000);
    for (what, text, status) in [
        (
            "an address of 70,000 bytes",
            format!("GET /{long} HTTP/1.1\r\nHost: {}\r\n\r\n", client.address),
            414,
        ),
        (
            "1,000 headers",
            format!("GET / HTTP/1.1\r\nHost: {}\r\n{}\r\n", client.address, "X: y\r\n".repeat(1_000)),
            431,
        ),
        (
            "headers of 1 MB",
            format!(
                "GET / HTTP/1.1\r\nHost: {}\r\n{}\r\n",
                client.address,
                format!("X: {long}\r\n").repeat(15)
            ),
            431,
        ),
        ("another protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), 0),
        ("no protocol", "GET /\r\n\r\n".into(), 400),
        ("bytes", "\x16\x03\x01\x02\0\x01\0".into(), 400),
    ] {
        assert_eq!(send(&client, [text.into_bytes()]), status, "{what}");
    }
    // A length beside chunks: whichever counted, nothing behind it may be taken for another request.
    let smuggled = format!("2\r\n{{}}\r\n0\r\n\r\nGET /data HTTP/1.1\r\nHost: {}\r\n\r\n", client.address);
    let both = data(&client, &format!("Content-Length: 4\r\n{chunked}"), &smuggled);
    assert!(both == 200 || both == 400, "a length beside chunks: {both}");
    assert_eq!(client.raws("data", usize::from(both == 200)).len(), usize::from(both == 200));
}

#[test]
fn a_hundred_megabytes_of_nothing_take_no_room() {
    let server = Setup::empty().start();
    let client = server.client();
    client.post("/data", JSON, "{}").expect(200);
    let before = server.resident_bytes();
    let mebibyte = vec![b' '; 1 << 20];
    let chunk = [b"100000\r\n", mebibyte.as_slice(), b"\r\n"].concat();
    for (method, path, content_type) in [
        ("POST", "/data", JSON),
        ("PUT", "/streams/bad/record", JSON),
        ("PUT", "/streams/bad/records", JSON),
        ("POST", "/streams/bad/messages", JSON),
        ("POST", "/streams/bad/messages", NDJSON),
        ("POST", "/graphql", JSON),
    ] {
        for (length, piece) in
            [("Content-Length: 104857600", &mebibyte), ("Transfer-Encoding: chunked", &chunk)]
        {
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: {content_type}\r\nConnection: close\r\n{length}\r\n\r\n",
                client.address, client.token
            );
            let pieces = std::iter::once(head.into_bytes()).chain(std::iter::repeat_n(piece.clone(), 100));
            let status = send(&client, pieces);
            // Whoever still sends when the server hangs up may not hear its answer.
            assert!(status == 413 || status == 0, "{method} {path} {content_type} {length}: {status}");
        }
    }
    let after = server.resident_bytes();
    assert!(after < MEMORY_MAX, "{before} bytes became {after}");
    assert_eq!(client.raws("data", 1), ["{}"]);
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for_without_end() {
    let settings = "[ingest]\nbody_wait_ms = 300\n[gateway]\nexecution_ms = 300\n";
    let server = Setup::configured(settings).start();
    let client = server.client();
    for (method, path, content_type) in [
        ("POST", "/data", JSON),
        ("PUT", "/streams/bad/record", JSON),
        ("POST", "/streams/bad/messages", NDJSON),
        ("POST", "/graphql", JSON),
    ] {
        let request =
            client.request(method, path).body(content_type, "{\"n\":1}").header("Content-Length", "100");
        let answer = request.send(server.address).expect(408).json();
        let told = answer["error"]["message"].as_str().or(answer["errors"][0]["message"].as_str());
        assert!(told.is_some_and(|told| told.contains("300 ms")), "{answer}");
    }
    client.put_record("good", "k", "{}");
}
