//! Clients that are made while a node runs.

use crate::support::{Client, Done, Server, Setup, ask_for_token, tidegate};

const ALICE: &str = "[[client]]\nid = \"alice\"\nsecret_env = \"SECRET\"\nroles = [\"data.read\"]\n";

fn run(server: &Server, words: &[&str]) -> Done {
    let data = server.data().display().to_string();
    tidegate(server.folder(), &[words, &["--data", &data]].concat(), "")
}

fn secret(done: &Done) -> String {
    assert!(done.code == Some(0) && done.stdout.trim().len() >= 43, "{done:?}");
    done.stdout.trim().to_owned()
}

#[test]
fn a_client_gets_tokens_from_its_making_to_its_end() {
    let mut server = Setup::configured(ALICE).env("SECRET", "0123456789abcdef").start();
    assert!(run(&server, &["clients", "list"]).stdout.contains("there are no clients beside"));
    let create = ["clients", "create", "app", "--role", "data.read", "--role", "data.write"];
    let first = secret(&run(&server, &create));
    let app = Client::sign_in(server.address, "app", &first);
    app.put("/streams/s/record", r#"{"Data": {"n": 1}, "PartitionKey": "k"}"#).expect(200);
    assert_eq!(app.graphql("{ me { subject ownTopic } }")["me"]["ownTopic"], "app");
    for (words, part) in [
        (&create[..], "there is a client \"app\" already"),
        (&["clients", "create", "alice", "--role", "data.read"], "is one of the configuration"),
        (&["clients", "rotate", "alice"], "there is no client \"alice\" but perhaps in the configuration"),
        (&["clients", "remove", "nobody"], "there is no client \"nobody\""),
    ] {
        let refused = run(&server, words);
        assert!(refused.code == Some(1) && refused.stderr.contains(part), "{refused:?}");
    }
    let listed = run(&server, &["clients", "list"]).stdout;
    assert!(listed.contains("app") && listed.contains("data.read data.write") && !listed.contains(&first));

    let second = secret(&run(&server, &["clients", "rotate", "app", "--overlap", "1h"]));
    let status = |server: &Server, secret: &str| ask_for_token(server.address, "app", secret, "").status;
    assert_eq!([&first, &second].map(|secret| status(&server, secret)), [200, 200]);
    let third = secret(&run(&server, &["clients", "rotate", "app"]));
    assert_eq!([&first, &second, &third].map(|secret| status(&server, secret)), [401, 401, 200]);
    server.kill_9();
    server.restart();
    assert_eq!([&second, &third].map(|secret| status(&server, secret)), [401, 200]);

    let app = Client::sign_in(server.address, "app", &third);
    let removed = run(&server, &["clients", "remove", "app"]);
    assert!(removed.stdout.contains("tidegate revoke --client app"), "{removed:?}");
    assert_eq!((status(&server, &third), app.get("/data").status), (401, 200));
    assert_eq!(run(&server, &["revoke", "--client", "app"]).code, Some(0));
    assert_eq!(app.get("/data").status, 401);
    assert!(!server.log().contains(&first) && !server.log().contains(&third));
}
