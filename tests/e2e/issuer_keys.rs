//! The key that a node's own issuer signs by, changed while it runs.

use std::net::TcpListener;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::issuers::bearer;
use crate::support::{Client, Done, Server, Setup, tidegate};

const SECRET: &str = "0123456789abcdef";
const ALICE: &str = "[[client]]\nid = \"alice\"\nsecret_env = \"SECRET\"\nroles = [\"data.read\"]\n";

fn rotate(server: &Server, more: &[&str]) -> Done {
    let data = server.data().display().to_string();
    tidegate(server.folder(), &[&["issuer", "rotate", "--data", &data], more].concat(), "")
}

fn signed_by(client: &Client) -> String {
    let header = client.token.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

fn published(server: &Server) -> Vec<String> {
    let keys = server.get("/oauth/jwks").expect(200).json();
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_key_is_followed_by_another_and_nobody_notices() {
    let server = Setup::configured(ALICE).env("SECRET", SECRET).start();
    let alice = || Client::sign_in(server.address, "alice", SECRET);
    let first = alice();
    assert_eq!(published(&server), [signed_by(&first)]);
    let done = rotate(&server, &[]);
    assert!(
        done.code == Some(0) && done.stdout.contains("what the one before has signed is good until"),
        "{done:?}"
    );
    let second = alice();
    assert!(signed_by(&second) != signed_by(&first) && done.stdout.contains(&signed_by(&second)), "{done:?}");
    assert_eq!(published(&server), [signed_by(&second), signed_by(&first)]);
    let status = |client: &Client| client.get("/data").status;
    assert_eq!([&first, &second].map(status), [200, 200]);

    let done = rotate(&server, &["--drop-old"]);
    assert!(done.code == Some(0) && done.stdout.contains("is good no more"), "{done:?}");
    let third = alice();
    assert_eq!([&first, &second, &third].map(status), [401, 401, 200]);
    assert_eq!(published(&server), [signed_by(&third)]);
}

#[test]
fn keys_outlive_a_crash() {
    // The address is in all tokens, so it has to be the same again.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let setup = Setup::configured(ALICE).env("SECRET", SECRET).listen(&format!("127.0.0.1:{port}"));
    let mut server = setup.start();
    let sign_in = |server: &Server| Client::sign_in(server.address, "alice", SECRET).token;
    let status = |server: &Server, token: &str| bearer(server, token).get("/data").status;
    let first = sign_in(&server);
    server.client().post("/oauth/rotate", "application/json", "{}").expect(200);
    let (second, keys) = (sign_in(&server), published(&server));
    server.kill_9();
    server.restart();
    assert_eq!([&first, &second].map(|token| status(&server, token)), [200, 200]);
    assert_eq!(published(&server), keys);
    server.client().post("/oauth/rotate", "application/json", "{\"drop_old\":true}").expect(200);
    server.kill_9();
    server.restart();
    let third = sign_in(&server);
    assert_eq!([&first, &second, &third].map(|token| status(&server, token)), [401, 401, 200]);
}

#[test]
fn keys_are_for_administrators() {
    let server = Setup::configured(ALICE).env("SECRET", SECRET).start();
    let (alice, before) = (Client::sign_in(server.address, "alice", SECRET), published(&server));
    let refused = alice.post("/oauth/rotate", "application/json", "{}").expect(403).text();
    assert!(refused.contains("data.admin"), "{refused}");
    for body in ["{\"drop\":true}", "7", "{\"drop_old\":1}"] {
        server.client().post("/oauth/rotate", "application/json", body).expect(400);
    }
    assert_eq!(server.get("/oauth/rotate").status, 405);
    assert_eq!(published(&server), before);
}
