//! Tokens that are good, and denied all the same: by what they are, at once, on sockets that are open, and after a crash.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::support::http::Request;
use crate::support::{Client, Done, Issuer, PATIENCE, Server, Setup, Socket, SocketEnd, tidegate, until};

const SECRET: &str = "0123456789abcdef";
const ALICE: &str =
    "[[client]]\nid = \"alice\"\nsecret_env = \"SECRET\"\nroles = [\"data.read\", \"data.write\"]\n";
const RECORD: &str = r#"{"Data": {"n": 1}, "PartitionKey": "k"}"#;
const FOLLOW: &str = r#"subscription { s(from: "now-1h") { message { data { n } } } }"#;

fn run(server: &Server, words: &[&str], stdin: &str) -> Done {
    let data = server.data().display().to_string();
    let done = tidegate(server.folder(), &[words, &["--data", &data]].concat(), stdin);
    assert_eq!(done.code, Some(0), "{words:?}: {done:?}");
    done
}

fn status(client: &Client) -> u16 {
    client.get("/data").status
}

/// A socket that follows and has heard something.
pub(super) async fn follow(client: &Client, query: &str) -> Socket {
    let mut socket = Socket::connect(client).await.unwrap();
    socket.subscribe("1", query, json!({})).await.unwrap();
    let heard = tokio::time::timeout(PATIENCE, socket.hear()).await.unwrap().unwrap();
    assert!(heard.contains("\"next\""), "{heard}");
    socket
}

/// How a socket that may have more to tell ends.
pub(super) async fn end(mut socket: Socket) -> (u16, String) {
    let end = async {
        loop {
            if let Err(end) = socket.hear().await {
                return end;
            }
        }
    };
    match tokio::time::timeout(PATIENCE, end).await.expect("it goes on") {
        SocketEnd::Closed(code, reason) => (code, reason),
        SocketEnd::Lost => panic!("no goodbye"),
    }
}

/// The lines of an event stream, until it ends.
pub(super) fn events(client: &Client, query: &str) -> Receiver<String> {
    let body = json!({ "query": query }).to_string();
    let mut stream = TcpStream::connect_timeout(&client.address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "POST /graphql HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: text/event-stream\r\n\
         Connection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        client.address,
        client.token,
        body.len()
    )
    .unwrap();
    let (say, said) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = say.send(line);
        }
    });
    said
}

/// The next thing that an event stream tells.
pub(super) fn told(events: &Receiver<String>) -> Option<Value> {
    loop {
        let line = events.recv_timeout(PATIENCE).ok()?;
        if let Some(data) = line.strip_prefix("data: ") {
            return serde_json::from_str(data).ok();
        }
    }
}

/// Whether an event stream ends, telling why.
#[track_caller]
pub(super) fn assert_ended(events: &Receiver<String>) {
    let last = std::iter::from_fn(|| told(events)).last().expect("a last event");
    assert_eq!(last["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{last}");
}

#[tokio::test]
async fn what_is_denied_ends_at_once_and_stays_so() {
    let mut server = Setup::configured(ALICE).env("SECRET", SECRET).start();
    let sign_in = |server: &Server| Client::sign_in(server.address, "alice", SECRET);
    let alice = sign_in(&server);
    alice.put("/streams/s/record", RECORD).expect(200);
    alice.raws("s", 1);
    let (socket, stream) = (follow(&alice, FOLLOW).await, events(&alice, FOLLOW));
    assert_eq!(told(&stream).unwrap()["data"]["s"]["message"]["data"]["n"], 1);
    let bystander = follow(&server.client(), FOLLOW).await;

    let denied = run(&server, &["revoke", "--client", "alice", "--reason", "its secret leaked"], "");
    assert!(denied.stdout.contains("client alice of embedded"), "{denied:?}");
    let (code, reason) = end(socket).await;
    assert!(code == 4401 && reason.starts_with("Revoked"), "{code} {reason}");
    assert_ended(&stream);
    let nonsense = Client { address: server.address, token: "nonsense".into() };
    assert_eq!(alice.get("/data").text(), nonsense.get("/data").text(), "told as any bad token");
    assert_eq!((status(&alice), status(&sign_in(&server))), (401, 401), "a new token is none the better");
    let refused = Socket::connect(&alice).await.unwrap_err();
    assert!(matches!(refused, SocketEnd::Closed(4403, _)), "{refused:?}");

    server.kill_9();
    server.restart();
    drop(bystander);
    let alice = sign_in(&server);
    assert_eq!((status(&alice), status(&server.client())), (401, 200));
    let listed = run(&server, &["revoke", "list"], "").stdout;
    assert!(listed.contains("client alice of embedded") && listed.contains("its secret leaked"), "{listed}");
    let id = listed.lines().nth(1).and_then(|line| line.split(' ').next()).unwrap();
    assert!(run(&server, &["revoke", "undo", id], "").stdout.contains("let in again: client alice"));
    assert_eq!(status(&alice), 200);
    assert!(run(&server, &["revoke", "list"], "").stdout.contains("nothing is revoked"));
}

#[tokio::test]
async fn one_token_or_all_before_a_time_can_be_denied() {
    let server = Setup::configured(ALICE).env("SECRET", SECRET).start();
    let sign_in = || Client::sign_in(server.address, "alice", SECRET);
    let (first, second, third) = (sign_in(), sign_in(), sign_in());
    // Its client gives one up; an administrator denies another.
    let form = format!("client_id=alice&client_secret={SECRET}&token={}", first.token);
    let given_up = Request::new("POST", "/oauth/revoke").body("application/x-www-form-urlencoded", form);
    assert_eq!(given_up.send(server.address).expect(200).text(), "");
    run(&server, &["revoke", "--token"], &format!("{}\n", second.token));
    assert_eq!([&first, &second, &third].map(status), [401, 401, 200]);
    let listed = run(&server, &["revoke", "list"], "").stdout;
    assert!(listed.contains("given up by its client") && listed.lines().count() == 3, "{listed}");
    assert!(!listed.contains(&second.token), "{listed}");

    run(&server, &["revoke", "--before", "now"], "");
    assert_eq!([&first, &second, &third].map(status), [401, 401, 401]);
    // Tokens tell the second in which they were given: what is given in the next one is newer.
    until("a newer token to be let in", || status(&sign_in()), |status| (*status == 200).then_some(()));
    assert_eq!(status(&third), 401);
}

#[tokio::test]
async fn somebody_of_an_issuer_elsewhere_can_be_denied() {
    let Some(issuer) = Issuer::start("denials of callers from elsewhere") else { return };
    let settings =
        format!("[[issuer]]\nname = \"corp\"\nurl = \"{}\"\naudiences = [\"tidegate\"]\n", issuer.url());
    let server = Setup::configured(&settings).start();
    let [reader, writer] =
        ["reader", "writer"].map(|client| Client { address: server.address, token: issuer.token(client) });
    writer.put("/streams/s/record", RECORD).expect(200);
    writer.raws("s", 1);
    let socket = follow(&reader, FOLLOW).await;
    run(&server, &["revoke", "--issuer", "embedded", "--subject", "reader"], "");
    assert_eq!((status(&reader), status(&writer)), (200, 200), "another issuer's");
    run(&server, &["revoke", "--issuer", "corp", "--subject", "reader"], "");
    assert_eq!(end(socket).await.0, 4401);
    let newer = Client { address: server.address, token: issuer.token("reader") };
    assert_eq!([&reader, &newer, &writer].map(status), [401, 401, 200]);
}
