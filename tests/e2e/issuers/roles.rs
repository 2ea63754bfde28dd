//! What those may do who come with a token of an issuer elsewhere, over each transport.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::{accepting, bearer};
use crate::support::{Client, Issuer, PATIENCE, Setup, Socket, SocketEnd as End, until};

const RECORD: &str = r#"{"Data": {"n": 1}, "PartitionKey": "k"}"#;
const PUBLISH: &str = r#"mutation { publish(stream: "s", key: "k", data: {n: 2}) { topic } }"#;

#[test]
fn a_token_reads_and_writes_by_its_roles() {
    let Some(issuer) = Issuer::start("roles of tokens from elsewhere") else { return };
    let server = Setup::configured(&accepting("corp", &issuer)).start();
    for (number, algorithm) in ["RS256", "ES256", "EdDSA"].into_iter().enumerate() {
        let [reader, writer] =
            ["reader", "writer"].map(|client| bearer(&server, issuer.token_by(client, algorithm)));
        for (client, name, roles) in [
            (&reader, "reader", json!(["data.read"])),
            (&writer, "writer", json!(["data.read", "data.write"])),
        ] {
            assert_eq!(
                client.graphql("{ me { subject clientId roles ownTopic } }")["me"],
                json!({ "subject": name, "clientId": name, "roles": roles, "ownTopic": format!("corp/{name}") }),
                "{algorithm}"
            );
        }
        writer.put("/streams/s/record", RECORD).expect(200);
        assert_eq!(writer.graphql(PUBLISH), json!({ "publish": { "topic": "k" } }));
        let count = 2 * (number + 1);
        assert_eq!(reader.raws("s", count).len(), count, "{algorithm}");

        let answer = reader.put("/streams/s/record", RECORD).expect(403);
        assert_eq!(answer.json()["error"], "insufficient_scope");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.starts_with("Bearer realm=\"tidegate\", error=\"insufficient_scope\""),
            "{challenge}"
        );
        assert!(challenge.contains("scope=\"data.write\""), "{challenge}");
        let answer = reader.graphql_answer(PUBLISH, &json!({})).json();
        let sentence = answer["errors"][0]["message"].as_str();
        assert!(sentence.is_some_and(|text| text.contains("data.write")), "{answer}");
        assert_eq!(reader.raws("s", count).len(), count, "what was refused was written");
    }
    assert_eq!(issuer.key_requests(), 1, "keys that are known are not asked for again");
}

#[test]
fn callers_of_two_issuers_are_two_whatever_they_are_called() {
    let Some(issuer) = Issuer::start("own topics of callers from elsewhere") else { return };
    let own =
        "[[client]]\nid = \"writer\"\nsecret_env = \"SECRET\"\nroles = [\"data.read\", \"data.write\"]\n";
    let settings = format!("{own}{}", accepting("corp", &issuer));
    let server = Setup::configured(&settings).env("SECRET", "0123456789abcdef").start();
    let ours = Client::sign_in(server.address, "writer", "0123456789abcdef");
    let theirs = bearer(&server, issuer.token("writer"));
    assert_eq!(ours.graphql("{ me { subject } }"), theirs.graphql("{ me { subject } }"));

    for (client, topic, other) in [(&ours, "writer", "corp/writer"), (&theirs, "corp/writer", "writer")] {
        client.post("/data", "application/json", json!({ "of": topic }).to_string()).expect(200);
        let page = until(
            "the own message",
            || client.get("/data").expect(200).json(),
            |page| page["messages"].as_array().is_some_and(|all| !all.is_empty()).then(|| page.clone()),
        );
        let all: Vec<&Value> = page["messages"].as_array().unwrap().iter().map(|one| &one["data"]).collect();
        assert_eq!(all, [&json!({ "of": topic })]);
        let nodes = client.nodes("data", "{ data(last: 10) { nodes { topic } } }", 1);
        assert_eq!(nodes, [json!({ "topic": topic })]);

        let document = format!("{{ data(topic: \"{other}\", last: 10) {{ nodes {{ raw }} }} }}");
        let answer = client.graphql_answer(&document, &json!({})).json();
        assert!(answer["errors"].is_array() && !answer.to_string().contains("\\\"of"), "{answer}");
        let path = format!("/streams/data/messages?topic={}", other.replace('/', "%2F"));
        client.post(&path, "application/x-ndjson", "{\"forged\":true}").expect(403);
    }
}

#[tokio::test]
async fn the_same_token_opens_sockets_and_event_streams() {
    let Some(issuer) = Issuer::start("sockets of callers from elsewhere") else { return };
    let server = Setup::configured(&accepting("corp", &issuer)).start();
    let (reader, writer) = (bearer(&server, issuer.token("reader")), bearer(&server, issuer.token("writer")));
    writer.put("/streams/s/record", RECORD).expect(200);
    reader.raws("s", 1);
    let query = r#"subscription { s(from: "now-1h") { message { data { n } } } }"#;
    let expect = json!({ "data": { "s": { "message": { "data": { "n": 1 } } } } });

    let mut socket = Socket::connect(&reader).await.unwrap();
    socket.subscribe("1", query, json!({})).await.unwrap();
    let heard = tokio::time::timeout(PATIENCE, socket.hear()).await.unwrap().unwrap();
    let heard: Value = serde_json::from_str(&heard).unwrap();
    assert_eq!((&heard["type"], &heard["payload"]), (&json!("next"), &expect));

    assert_eq!(first_event(&reader, query), expect);
}

#[tokio::test]
async fn a_socket_outlives_its_token_by_a_ping_with_the_next_one() {
    let Some(issuer) = Issuer::start("sockets whose token is renewed") else { return };
    let server = Setup::configured(&accepting("corp", &issuer)).start();
    let token = |seconds: i64, scope: &str| {
        let mut claims = super::claims(&issuer);
        (claims["exp"], claims["scope"]) = (json!(super::after(seconds)), json!(scope));
        issuer.mint(&json!({}), &claims)
    };
    let writer = bearer(&server, issuer.token("writer"));
    writer.put("/streams/s/record", RECORD).expect(200);
    bearer(&server, token(300, "data.read")).raws("s", 1);
    let query = "subscription { s { message { data { n } } } }";
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let mut socket = Socket::connect(&bearer(&server, token(1, "data.read"))).await.unwrap();
        socket.subscribe("1", query, json!({})).await.unwrap();
        sockets.push(socket);
    }
    let [mut renewed, mut ended, mut other] = <[Socket; 3]>::try_from(sockets).ok().unwrap();
    renewed.renew(&token(300, "data.read")).await.unwrap();
    let pong = hear(&mut renewed, "pong").await.unwrap();
    assert!(pong.contains("\"expiresAt\":\"20"), "{pong}");
    // Another caller's, and one with more rights.
    other.renew(&token(300, "data.read data.write")).await.unwrap();
    let end = hear(&mut other, "nothing").await;
    assert!(matches!(&end, Err(End::Closed(4403, why)) if why.contains("other rights")), "{end:?}");
    let end = hear(&mut ended, "nothing").await;
    assert!(matches!(&end, Err(End::Closed(4403, why)) if why.contains("has expired")), "{end:?}");
    // The one is closed by now, and the other goes on.
    writer.put("/streams/s/record", RECORD.replace('1', "2")).expect(200);
    hear(&mut renewed, "\"n\":2").await.unwrap();
}

/// What a socket says that has `word` in it, or how it ended before.
async fn hear(socket: &mut Socket, word: &str) -> Result<String, End> {
    loop {
        let heard = tokio::time::timeout(PATIENCE, socket.hear()).await.unwrap()?;
        if heard.contains(word) {
            return Ok(heard);
        }
    }
}

/// What the first event of an event stream says, which may have no end.
fn first_event(client: &Client, query: &str) -> Value {
    let body = json!({ "query": query }).to_string();
    let mut stream = TcpStream::connect_timeout(&client.address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "POST /graphql HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: text/event-stream\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        client.address,
        client.token,
        body.len()
    )
    .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("HTTP/1.1 200 OK"));
    let data = lines.find_map(|line| line.strip_prefix("data: ").map(str::to_owned));
    serde_json::from_str(&data.expect("an event")).unwrap()
}
