//! `/data`: each caller has a topic of its own there, and sees no other.

use serde_json::{Value, json};

use crate::support::{Client, Server, Setup, sample, until};

const CONFIGURATION: &str = r#"
[[client]]
id = "alice"
secret_env = "ALICE_SECRET"
roles = ["data.read", "data.write"]

[[client]]
id = "bob"
secret_env = "BOB_SECRET"
roles = ["data.read", "data.write"]
"#;

const SECRETS: [(&str, &str); 2] = [("alice", "alice knows this secret"), ("bob", "and bob knows another")];

fn start() -> (Server, [Client; 2]) {
    let setup = Setup::configured(CONFIGURATION);
    let setup = setup.env("ALICE_SECRET", SECRETS[0].1).env("BOB_SECRET", SECRETS[1].1);
    let server = setup.start();
    let clients = SECRETS.map(|(id, secret)| Client::sign_in(server.address, id, secret));
    (server, clients)
}

fn own(client: &Client, path: &str, count: usize) -> Value {
    until(
        &format!("{count} messages of {path}"),
        || client.get(path).expect(200).json(),
        |answer| (answer["messages"].as_array()?.len() >= count).then(|| answer.clone()),
    )
}

#[test]
fn a_caller_sees_only_its_own() {
    let (_server, [alice, bob]) = start();
    alice.post("/data", "application/json", sample("data.post.json")).expect(200);
    alice
        .post("/data", "application/json", r#"{"informationOne": "second", "n": 9007199254740993}"#)
        .expect(200);
    bob.post("/data", "application/json", r#"{"informationOne":"bob's"}"#).expect(200);

    let answer = own(&alice, "/data", 2);
    assert_eq!(answer["messages"].as_array().map(Vec::len), Some(2), "{answer}");
    let first: Value = serde_json::from_slice(&sample("data.post.json")).unwrap();
    assert_eq!(answer["messages"][0]["data"], first);
    assert!(alice.get("/data").text().contains(r#"{"informationOne": "second", "n": 9007199254740993}"#));
    let answer = own(&bob, "/data", 1);
    assert_eq!(answer["messages"].as_array().map(Vec::len), Some(1), "{answer}");

    // Nor does GraphQL show more.
    for (client, topic, other) in [(&alice, "alice", "bob"), (&bob, "bob", "alice")] {
        let nodes = client.nodes("data", "{ data(last: 10) { nodes { topic } } }", 1);
        assert!(nodes.iter().all(|node| node["topic"] == topic), "{nodes:?}");
        let document = format!("{{ data(topic: \"{other}\", last: 10) {{ nodes {{ raw }} }} }}");
        let answer = client.graphql_answer(&document, &json!({})).json();
        assert!(answer["errors"].is_array(), "{answer}");
        assert!(!answer.to_string().contains("information"), "{answer}");
        let topics = client.graphql_answer("{ topics(stream: \"data\") { topic } }", &json!({})).text();
        assert!(!topics.contains(&format!("\"{other}\"")), "{topics}");
    }
    // Nor can one write for the other.
    let path = "/streams/data/messages?topic=alice";
    let answer = bob.post(path, "application/x-ndjson", "{\"forged\":true}").expect(403);
    assert!(answer.text().contains("forbidden"), "{}", answer.text());
    assert!(!own(&alice, "/data", 2).to_string().contains("forged"));
}

#[test]
fn pages_go_back_in_time() {
    let (_server, [alice, _]) = start();
    for n in 0..5 {
        alice.post("/data", "application/json", format!("{{\"n\":{n}}}")).expect(200);
    }
    own(&alice, "/data", 5);
    let numbers = |answer: &Value| -> Vec<u64> {
        let messages = answer["messages"].as_array().unwrap();
        messages.iter().map(|message| message["data"]["n"].as_u64().unwrap()).collect()
    };
    let (mut path, mut seen) = ("/data?last=2".to_owned(), Vec::new());
    loop {
        let answer = own(&alice, &path, 1);
        seen.splice(0..0, numbers(&answer));
        let Some(before) = answer["before"].as_str() else { break };
        path = format!("/data?last=2&before={before}");
    }
    assert_eq!(seen, [0, 1, 2, 3, 4]);
}
