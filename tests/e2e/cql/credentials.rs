//! Keys and denials where nodes share a store: what one changes, all go by.

use super::{keyspace, order};
use crate::e2e::revocation::{assert_ended, end, events, follow, told};
use crate::support::{Client, Issuer, Server, Setup, tidegate, until};

const FOLLOW: &str = r#"subscription { orders(from: "now-1h") { message { data { id } } } }"#;

fn run(server: &Server, words: &[&str]) -> String {
    let data = server.data().display().to_string();
    let done = tidegate(server.folder(), &[words, &["--data", &data]].concat(), "");
    assert_eq!(done.code, Some(0), "{words:?}: {done:?}");
    done.stdout.trim().to_owned()
}

fn status(client: &Client) -> u16 {
    client.get("/data").status
}

/// Waits until a node answers so: it looks for changes twice a second.
#[track_caller]
fn becomes(client: &Client, expect: u16) {
    until("a node to see a change", || status(client), |status| (*status == expect).then_some(()));
}

#[tokio::test]
async fn what_one_node_is_told_all_nodes_go_by() {
    let Some(settings) = keyspace("credentials that nodes share") else { return };
    let issuer = Issuer::start("denials on several nodes");
    let accepted = issuer.as_ref().map(|issuer| {
        format!("[[issuer]]\nname = \"corp\"\nurl = \"{}\"\naudiences = [\"tidegate\"]\n", issuer.url())
    });
    let settings = settings + &accepted.unwrap_or_default();
    let start = |role| Setup::configured(&settings).role(role).start();
    let (ingest, mut gateway, other) = (start("ingest"), start("gateway"), start("gateway"));
    for number in 0..3 {
        ingest.client().put_record("orders", "k", &order(number));
    }
    gateway.client().raws("orders", 3);
    other.client().raws("orders", 3);

    // A key that one gateway makes is good at another, and where messages are taken.
    let words = ["keys", "create", "meter", "--role", "data.read", "--role", "data.write"];
    let key = run(&gateway, &words);
    let with = |node: &Server, token: &str| Client { address: node.address, token: token.into() };
    becomes(&with(&other, &key), 200);
    let taker = with(&ingest, &key);
    let record =
        || taker.put("/streams/orders/record", format!(r#"{{"Data":{},"PartitionKey":"k"}}"#, order(9)));
    until(
        "the node that takes messages to know it",
        || record().status,
        |status| (*status == 200).then_some(()),
    );
    let (socket, stream) = (follow(&with(&other, &key), FOLLOW).await, events(&with(&other, &key), FOLLOW));
    assert!(told(&stream).is_some());

    run(&gateway, &["keys", "revoke", "meter"]);
    assert_eq!(status(&with(&gateway, &key)), 401, "the node itself goes by it at once");
    becomes(&with(&other, &key), 401);
    assert_eq!(end(socket).await.0, 4401);
    assert_ended(&stream);
    until(
        "the node that takes messages to refuse it",
        || record().status,
        |status| (*status == 401).then_some(()),
    );

    // So it is with tokens from elsewhere, also after a crash of whoever was told.
    let Some(issuer) = issuer else { return };
    let token = issuer.token("reader");
    assert_eq!(status(&with(&other, &token)), 200);
    let socket = follow(&with(&other, &token), FOLLOW).await;
    run(&gateway, &["revoke", "--issuer", "corp", "--subject", "reader"]);
    gateway.kill_9();
    becomes(&with(&other, &token), 401);
    assert_eq!(end(socket).await.0, 4401);
    gateway.restart();
    assert_eq!(status(&with(&gateway, &token)), 401, "it is known before anything is served");
    assert!(run(&other, &["revoke", "list"]).contains("subject reader of corp"));
}
