//! A node whose messages rest on a CQL server.

mod credentials;
mod doctor;
mod outage;
mod roles;

use std::time::{Duration, Instant};

use crate::support::cql::Cql;
use crate::support::relay::Relay;
use crate::support::{Setup, store, tidegate, until};

/// A stream, after the store's table.
fn with_orders(store: &str) -> String {
    format!("{store}\n[[stream]]\nname = \"orders\"\ntopic = \"/region\"\nid = \"/id\"\n")
}

/// Settings with a keyspace that has its tables, on a server that `hosts` lead to.
fn migrated(server: &Cql, hosts: &str) -> String {
    let settings = with_orders(&server.settings_at(hosts, &store::fresh()));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tidegate.toml"), &settings).unwrap();
    let done = tidegate(folder.path(), &["migrate", "--config", "tidegate.toml"], "");
    assert_eq!(done.code, Some(0), "{done:?}");
    settings
}

/// The same on the server of the tests, unless it is left out.
fn keyspace(what: &str) -> Option<String> {
    Cql::server(what).map(|server| migrated(&server, &server.address))
}

fn order(number: usize) -> String {
    format!(r#"{{"id":"o-{number}","region":"{}","total":{number}.50}}"#, ["eu", "us"][number % 2])
}

#[test]
fn a_node_on_a_cql_store_answers_as_before_after_a_kill() {
    let Some(server) = Cql::server("the CQL store behind a node") else { return };
    let settings = with_orders(&server.settings(&store::fresh()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tidegate.toml");
    std::fs::write(&file, &settings).unwrap();
    let file = file.to_str().unwrap();

    // Without its schema, it says what to do, and does nothing else.
    let data = folder.path().join("data");
    let refused = tidegate(
        folder.path(),
        &["--config", file, "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()],
        "",
    );
    assert!(refused.stderr.contains("tidegate migrate"), "{refused:?}");
    let dry = tidegate(folder.path(), &["migrate", "--dry-run", "--config", file], "");
    assert!(dry.stdout.contains("CREATE TABLE") && dry.stdout.contains("Nothing was changed"), "{dry:?}");
    for _ in 0..2 {
        let done = tidegate(folder.path(), &["migrate", "--config", file], "");
        assert!(done.code == Some(0) && done.stdout.contains("up to date"), "{done:?}");
    }

    let mut node = Setup::configured(&settings).start();
    let count = 300;
    let client = node.client();
    for number in 0..count {
        client.put_record("orders", &format!("k{}", number % 7), &order(number));
    }
    // Sent twice, kept once.
    client.put_record("orders", "k1", &order(1));
    let answers = |node: &crate::support::Server| {
        let client = node.client();
        let raws = client.raws("orders", count);
        let topics = client.graphql("{ topics(stream: \"orders\") { topic } }");
        let newest = "{ orders(topic: \"eu\", last: 5) { nodes { position time data { id total } } } }";
        (raws, topics, client.graphql(newest), client.stored("orders", "us"))
    };
    let before = answers(&node);
    assert_eq!(before.0.len(), count);
    assert_eq!(before.2["orders"]["nodes"][4]["data"]["id"], "o-298");
    node.kill_9();
    node.restart();
    assert_eq!(answers(&node), before);

    // One log feeds a keyspace: a node with another folder would take the checkpoints for its own.
    let other = tidegate(
        folder.path(),
        &["--config", file, "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()],
        "",
    );
    assert!(other.stderr.contains("is fed by the embedded log of another data folder"), "{other:?}");
}

#[test]
fn a_node_that_can_not_reach_its_store_is_not_ready() {
    let Some(server) = Cql::server("a CQL store that is lost") else { return };
    let relay = Relay::start(&server.address);
    let node = Setup::configured(&migrated(&server, &relay.address().to_string())).start();
    let client = node.client();
    client.put_record("orders", "k", &order(1));
    client.raws("orders", 1);

    relay.set_cut(true);
    let cut = Instant::now();
    let status = || node.get("/readyz").status;
    until("/readyz to say that the store is lost", status, |status| (*status == 503).then_some(()));
    assert!(cut.elapsed() < Duration::from_secs(6), "{:?}", cut.elapsed());
    // What is accepted meanwhile waits in the log.
    for number in 2..20 {
        client.put_record("orders", "k", &order(number));
    }
    relay.set_cut(false);
    let back = Instant::now();
    assert_eq!(client.raws("orders", 19).len(), 19);
    until("/readyz to say that all is well", status, |status| (*status == 200).then_some(()));
    assert!(back.elapsed() < Duration::from_secs(30), "{:?}", back.elapsed());
}
