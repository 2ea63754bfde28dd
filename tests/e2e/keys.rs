//! API keys, from the command that makes one to the socket that ends with it.

use std::path::Path;

use serde_json::json;

use crate::support::{Client, Done, PATIENCE, Server, Setup, Socket, SocketEnd, tidegate, until};

const RECORD: &str = r#"{"Data": {"n": 1}, "PartitionKey": "k"}"#;
const FOLLOW: &str = r#"subscription { s(from: "now-1h") { message { data { n } } } }"#;

/// A command, with the node's folder behind it.
fn run(server: &Server, words: &[&str]) -> Done {
    let data = server.data().display().to_string();
    tidegate(server.folder(), &[words, &["--data", &data]].concat(), "")
}

/// The key that a command prints.
fn printed(done: &Done) -> String {
    assert_eq!(done.code, Some(0), "{done:?}");
    let key = done.stdout.trim();
    assert!(key.starts_with("tgk_") && key.len() == 94, "{done:?}");
    assert!(!done.stderr.contains(&key[21..85]), "it is said once: {done:?}");
    key.to_owned()
}

fn bearer(server: &Server, key: &str) -> Client {
    Client { address: server.address, token: key.into() }
}

fn status(server: &Server, key: &str) -> u16 {
    bearer(server, key).get("/data").status
}

/// Whether a key is answered as what was never a token is.
fn assert_refused(server: &Server, key: &str) {
    let answer = |token: &str| {
        let answer = bearer(server, token).get("/data");
        (answer.status, answer.header("www-authenticate").map(ToOwned::to_owned), answer.text())
    };
    assert_eq!(answer(key), answer("nonsense"));
    assert_eq!(answer(key).0, 401);
}

/// Whether these digits stand in a file below `folder`.
fn is_written(folder: &Path, digits: &str) -> bool {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let holds = |path: &Path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(digits.len()).any(|window| window == digits.as_bytes())
    };
    entries
        .map(|entry| entry.path())
        .any(|path| if path.is_dir() { is_written(&path, digits) } else { holds(&path) })
}

#[tokio::test]
async fn a_key_lives_from_its_making_to_its_end() {
    let mut server = Setup::empty().env("TIDEGATE__LOG__LEVEL", "trace").start();
    assert!(run(&server, &["keys", "list"]).stdout.contains("there are no keys"));
    let roles = ["--role", "data.write", "--role", "data.read"];
    let create = [&["keys", "create", "meter"], roles.as_slice(), &["--expires", "now+30d"]].concat();
    let first = printed(&run(&server, &create));
    let client = bearer(&server, &first);
    let me = client.graphql("{ me { subject clientId roles ownTopic } }")["me"].clone();
    let expect = json!({ "subject": "meter", "clientId": "meter", "roles": ["data.read", "data.write"], "ownTopic": "keys/meter" });
    assert_eq!(me, expect);
    client.put("/streams/s/record", RECORD).expect(200);
    client.raws("s", 1);
    client.post("/data", "application/json", "{}").expect(200);
    assert_eq!(client.nodes("data", "{ data(last: 1) { nodes { topic } } }", 1)[0]["topic"], "keys/meter");
    let refused = client.graphql_answer("{ keys { name } }", &json!({})).json();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");

    let again = run(&server, &create);
    assert!(again.code == Some(1) && again.stderr.contains("there is a key \"meter\" already"), "{again:?}");
    let listed = run(&server, &["keys", "list"]);
    assert!(listed.stdout.contains("meter") && listed.stdout.contains(&first[..20]), "{listed:?}");
    assert!(listed.stdout.contains("data.read data.write") && !listed.stdout.contains(&first[21..85]));

    // Both secrets for a time, then the newest alone; what the old one follows ends.
    let second = printed(&run(&server, &["keys", "rotate", "meter", "--overlap", "1h"]));
    assert_eq!([&first, &second].map(|key| status(&server, key)), [200, 200]);
    let mut socket = Socket::connect(&client).await.unwrap();
    socket.subscribe("1", FOLLOW, json!({})).await.unwrap();
    let heard = tokio::time::timeout(PATIENCE, socket.hear()).await.unwrap().unwrap();
    assert!(heard.contains("\"next\""), "{heard}");
    let third = printed(&run(&server, &["keys", "rotate", "meter"]));
    assert_eq!([&second, &third].map(|key| status(&server, key)), [401, 200]);
    assert_refused(&server, &first);
    let end = tokio::time::timeout(PATIENCE, socket.hear()).await.unwrap().unwrap_err();
    assert!(matches!(&end, SocketEnd::Closed(4401, reason) if reason.starts_with("Revoked")), "{end:?}");
    let refused = Socket::connect(&client).await.unwrap_err();
    assert!(matches!(refused, SocketEnd::Closed(4403, _)), "{refused:?}");

    server.kill_9();
    server.restart();
    assert_eq!([&second, &third].map(|key| status(&server, key)), [401, 200]);
    let revoked = run(&server, &["keys", "revoke", "meter"]);
    assert!(revoked.code == Some(0) && revoked.stdout.contains("key meter is revoked"), "{revoked:?}");
    assert_refused(&server, &third);
    assert!(run(&server, &["keys", "list"]).stdout.contains("there are no keys"));
    let gone = run(&server, &["keys", "rotate", "meter"]);
    assert!(gone.code == Some(1) && gone.stderr.contains("there is no key \"meter\""), "{gone:?}");
    server.kill_9();
    server.restart();
    assert_refused(&server, &third);

    // Their secrets are nowhere.
    let log = server.log();
    assert!(log.contains("key made") && log.contains("key rotated") && log.contains("key revoked"), "{log}");
    assert!(is_written(server.folder(), "key rotated"), "the log is looked at");
    for key in [&first, &second, &third] {
        assert!(!is_written(server.folder(), &key[21..85]), "a secret was written down");
    }
}

#[test]
fn a_key_ends_by_itself() {
    let server = Setup::empty().start();
    let key =
        printed(&run(&server, &["keys", "create", "short", "--role", "data.read", "--expires", "now+3s"]));
    until("its end", || status(&server, &key), |status| (*status == 401).then_some(()));
    assert_refused(&server, &key);
}

#[test]
fn a_wrong_command_says_what_is_expected() {
    let server = Setup::empty().start();
    for (words, code, part) in [
        (&["keys", "create", "a"][..], 2, "--role"),
        (&["keys", "create", "a b", "--role", "data.read"], 1, "can't be a name"),
        (&["keys", "create", "a", "--role", "data.raed"], 1, "there is no role \"data.raed\""),
        (&["keys", "create", "a", "--role", "data.read", "--expires", "tomorrow"], 2, "is not a time"),
        (&["keys", "create", "a", "--role", "data.read", "--expires", "now-1s"], 1, "must lie ahead"),
        (&["keys", "rotate", "a", "--overlap", "1y"], 2, "expected such as 30s, 1h or 2d"),
        (&["keys", "rotate", "a", "--overlap", "31d"], 1, "0 seconds to 30 days"),
        (&["keys", "revoke", "a"], 1, "there is no key \"a\""),
        (&["revoke"], 2, "--token-id"),
        (&["revoke", "--subject", "a", "--client", "b"], 2, "cannot be used with"),
        (&["revoke", "--issuer", "crop", "--subject", "a"], 1, "there is no issuer \"crop\""),
        (&["revoke", "--client", "tidegate-dev"], 1, "that is yourself"),
        (&["revoke", "--token"], 1, "expected a token on standard input"),
        (&["revoke", "undo", "a"], 1, "there is no denial \"a\""),
    ] {
        let done = run(&server, words);
        assert!(done.code == Some(code) && done.stderr.contains(part), "{words:?}: {done:?}");
    }
}
