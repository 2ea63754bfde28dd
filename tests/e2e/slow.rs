//! Clients that take their time, and many of them: connections are bounded in time and in number.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, Server, Setup, until};

/// Longer than a test may take.
const LONG: &str = "600000";

/// A connection that is kept.
struct Kept(BufReader<TcpStream>);

impl Kept {
    fn new(server: &Server) -> Self {
        let socket = TcpStream::connect(server.address).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(socket))
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Asks for `/healthz`; gives the status, the headers and the body.
    fn ask(&mut self, server: &Server) -> (u16, Vec<String>, String) {
        self.write(format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).as_bytes()).unwrap();
        self.answer()
    }

    fn answer(&mut self) -> (u16, Vec<String>, String) {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "it was closed after {lines:?}");
            if line == "\r\n" {
                break;
            }
            lines.push(line.trim_end().to_ascii_lowercase());
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        (status, lines, String::from_utf8(body).unwrap())
    }

    /// Waits for the server to close it.
    #[track_caller]
    fn is_closed(&mut self) {
        match self.0.read(&mut [0]) {
            Ok(0) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            other => panic!("it was not closed: {other:?}"),
        }
    }
}

fn setup(header_ms: &str, idle_ms: &str) -> Setup {
    Setup::empty().env("TIDEGATE__SERVER__HEADER_MS", header_ms).env("TIDEGATE__SERVER__IDLE_MS", idle_ms)
}

#[test]
fn a_head_that_does_not_come_to_its_end_is_cut() {
    let server = setup("2000", LONG).start();
    let mut silent = Kept::new(&server);
    let mut again = Kept::new(&server);
    assert_eq!(again.ask(&server).0, 200);
    let mut trickling = Kept::new(&server);
    trickling.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ").unwrap();
    again.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ").unwrap();
    // A byte now and then does not prolong it, on a first request or on a later one.
    let end = Instant::now() + PATIENCE;
    while trickling.write(b"x").is_ok() | again.write(b"x").is_ok() {
        assert!(Instant::now() < end, "it goes on without end");
        sleep(Duration::from_millis(100));
    }
    silent.is_closed();
    server.get("/healthz").expect(200);
}

#[test]
fn a_connection_waits_longer_for_a_request_than_for_its_head() {
    let server = setup("1000", LONG).start();
    let mut kept = Kept::new(&server);
    assert_eq!(kept.ask(&server).0, 200);
    sleep(Duration::from_millis(3000));
    assert_eq!(kept.ask(&server).0, 200, "another request on the same connection");

    let server = setup(LONG, "1000").start();
    let mut kept = Kept::new(&server);
    assert_eq!(kept.ask(&server).0, 200);
    kept.is_closed();
}

/// A body is bounded by its route: these connections are neither idle nor in a head.
#[test]
fn a_request_may_take_longer_than_its_head_and_than_an_idle_connection() {
    let server = setup("1000", "1000").start();
    let client = server.client();
    let request = client
        .request("POST", "/streams/s/messages?key=k")
        .body("application/x-ndjson", "{\"n\":1}\n{\"n\":2}\n")
        .chunked(8);
    let answer = request.send_in_two(server.address, 2, || sleep(Duration::from_millis(4000)));
    assert_eq!(answer.expect(200).json()["accepted"], 2);
}

/// Strangers, too, may send one.
#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let server = setup("1000", LONG).start();
    let mut kept = Kept::new(&server);
    let pieces =
        "Transfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n5\r\ngrant";
    kept.write(format!("POST /oauth/token HTTP/1.1\r\nHost: {}\r\n{pieces}", server.address).as_bytes())
        .unwrap();
    let (status, ..) = kept.answer();
    assert_eq!(status, 408);
}

/// As many connections as there may be, each of which was answered.
fn fill(server: &Server, most: usize) -> Vec<Kept> {
    let end = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    while all.len() < most {
        let mut next = Kept::new(server);
        match next.ask(server).0 {
            200 => all.push(next),
            // Those of before take a moment to go.
            _ => assert!(Instant::now() < end, "only {} are answered", all.len()),
        }
    }
    all
}

#[test]
fn a_connection_too_many_is_told_so_and_the_others_go_on() {
    const MOST: usize = 8;
    let server = setup("2000", LONG).env("TIDEGATE__SERVER__CONNECTIONS_MAX", &MOST.to_string()).start();
    let mut kept = fill(&server, MOST);
    // More than are told at the same time; those wait their turn.
    let silent: Vec<_> = (0..100).map(|_| Kept::new(&server)).collect();
    let mut next = Kept::new(&server);
    let (status, head, body) = next.ask(&server);
    let sentence = "8 connections are open, which is the most: try again in a moment";
    let expect = format!(r#"{{"error":{{"code":"unavailable","message":"{sentence}"}}}}"#);
    assert_eq!((status, body.as_str()), (503, expect.as_str()));
    assert!(head.iter().any(|line| line == "retry-after: 1"), "{head:?}");
    next.is_closed();
    for kept in &mut kept {
        assert_eq!(kept.ask(&server).0, 200, "those that are open go on");
    }
    kept.pop();
    until("a place", || server.get("/healthz"), |answer| (answer.status == 200).then_some(()));
    drop(silent);
}

#[test]
fn connections_leave_files_for_the_data() {
    const FILES: usize = 256;
    let limit = format!("ulimit -n {FILES}; exec \"$0\" \"$@\"");
    let server = setup(LONG, LONG).within(&["sh", "-c", &limit]).start();
    let client = server.client();
    let kept = fill(&server, FILES / 2);
    let (status, _, body) = Kept::new(&server).ask(&server);
    assert!(status == 503 && body.contains("128 connections are open"), "{body}");
    drop(kept);
    until("a place", || server.get("/healthz"), |answer| (answer.status == 200).then_some(()));
    client.put_record("s", "k", r#"{"n": 0}"#);
    assert_eq!(client.raws("s", 1), [r#"{"n": 0}"#]);
}
