//! A signal stops the server cleanly; a second one at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{PATIENCE, Server, Setup, until};

/// Waits until the server has taken up a request whose beginning was sent. Connections are accepted in order; a signal
/// before that would find nothing to wait for.
fn taken_up(server: &Server) {
    server.get("/healthz").expect(200);
    std::thread::sleep(Duration::from_millis(300));
}

#[test]
fn a_signal_lets_requests_finish_and_ends_well() {
    let mut server = Setup::empty().start();
    let client = server.client();
    client.put_record("s", "k", r#"{"n": 0}"#);
    let lines = client
        .request("POST", "/streams/s/messages?key=k")
        .body("application/x-ndjson", "{\"n\":1}\n{\"n\":2}\n")
        .chunked(8);
    let answer = lines.send_in_two(server.address, 2, || {
        taken_up(&server);
        server.terminate();
        until("the log to say that it stops", || server.log(), |log| log.contains("stopping").then_some(()));
        let refused = client.request("GET", "/healthz");
        until(
            "new connections to be refused",
            || refused.try_send(server.address),
            |answer| answer.is_err().then_some(()),
        );
    });
    assert_eq!(answer.expect(200).json()["accepted"], 2);
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    assert!(server.log().contains("stopped"), "{}", server.log());
    server.restart();
    assert_eq!(server.client().raws("s", 3), [r#"{"n": 0}"#, "{\"n\":1}", "{\"n\":2}"]);
}

/// It would be waited for until the drain's end, or longer.
#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let mut server = Setup::empty().env("TIDEGATE__SERVER__DRAIN_MS", "600000").start();
    let mut idle = TcpStream::connect(server.address).unwrap();
    idle.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(idle, "GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).unwrap();
    let mut answer = [0; 15];
    idle.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    let silent = TcpStream::connect(server.address).unwrap();
    taken_up(&server);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    assert!(!server.log().contains("were cut"), "{}", server.log());
    drop(silent);
}

#[test]
fn a_request_that_does_not_end_is_cut_when_the_drain_is_over() {
    let mut server = Setup::empty().env("TIDEGATE__SERVER__DRAIN_MS", "1000").start();
    let client = server.client();
    let waiting = client.request("POST", "/streams/s/messages").body("application/x-ndjson", "{}").chunked(1);
    let address = server.address;
    let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        waiting.send_in_two(address, 2, || {
            taken_up(&server);
            server.terminate();
            server.wait();
        })
    }));
    assert!(sent.is_err(), "it was cut");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    assert!(server.log().contains("were cut"), "{}", server.log());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Setup::empty().start();
    let client = server.client();
    client.put_record("s", "k", r#"{"n": 0}"#);
    let waiting = client.request("POST", "/streams/s/messages").body("application/x-ndjson", "{}").chunked(1);
    let (address, (release, held)) = (server.address, std::sync::mpsc::channel::<()>());
    let (began, begun) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        // Here, so that a test that fails does not wait for the other thread.
        let release = release;
        // A request that would not end for as long as the server waits for it.
        scope.spawn(move || {
            let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                waiting.send_in_two(address, 2, || {
                    began.send(()).unwrap();
                    let _ = held.recv();
                })
            }));
            assert!(sent.is_err(), "it was cut");
        });
        begun.recv().unwrap();
        taken_up(&server);
        server.terminate();
        until("the log to say that it stops", || server.log(), |log| log.contains("stopping").then_some(()));
        server.terminate();
        assert_eq!(server.wait().code(), Some(130), "{}", server.log());
        release.send(()).unwrap();
    });
    server.restart();
    assert_eq!(server.client().raws("s", 1), [r#"{"n": 0}"#], "what was acknowledged is there");
}
