//! One node that takes messages, and others that answer queries: what they share is the store.

use std::time::Duration;

use serde_json::json;

use super::{keyspace, order};
use crate::support::http::Request;
use crate::support::{Server, Setup, run, tidegate, until};

const NEWEST: &str = "{ orders(last: 1000) { nodes { data { id } } } }";

fn ids(node: &Server, count: usize) -> Vec<String> {
    let nodes = node.client().nodes("orders", NEWEST, count);
    nodes.iter().map(|node| node["data"]["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn gateways_answer_what_another_node_takes() {
    let Some(settings) = keyspace("nodes with roles") else { return };
    let start = |role| Setup::configured(&settings).role(role).start();
    let mut ingest = start("ingest");
    let taker = ingest.client();
    for number in 0..10 {
        taker.put_record("orders", "k", &order(number));
    }
    let gateways = [start("gateway"), start("gateway")];
    let before = ids(&gateways[0], 10);
    assert_eq!(before.len(), 10);
    assert_eq!(ids(&gateways[1], 10), before);

    // Those who follow at a gateway see what the other node takes, through its death and return.
    let data = gateways[0].data().display().to_string();
    let tail = run(gateways[0].folder(), &["tail", "orders", "--data", &data, "--from", "now-1h"]);
    tail.wait_for(10);
    for number in 10..20 {
        taker.put_record("orders", "k", &order(number));
    }
    tail.wait_for(20);
    ingest.kill_9();
    assert_eq!(ids(&gateways[1], 20).len(), 20);
    ingest.restart();
    let taker = ingest.client();
    for number in 20..30 {
        taker.put_record("orders", "k", &order(number));
    }
    let lines = tail.wait_for(30);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(tail.lines().len(), 30, "no line comes twice: {lines:?}");
    let all = ids(&gateways[1], 30);
    for number in 0..30 {
        let id = format!("o-{number}");
        assert_eq!(all.iter().filter(|found| **found == id).count(), 1, "{id} in {all:?}");
        assert_eq!(
            lines.iter().filter(|line| line.contains(&format!("\"{id}\""))).count(),
            1,
            "{id} in {lines:?}"
        );
    }

    // Who asks the wrong node is told which is the right one.
    let gateway = gateways[0].client();
    let told =
        gateway.put("/streams/orders/record", format!(r#"{{"Data":{},"PartitionKey":"k"}}"#, order(99)));
    assert!(told.status == 421 && told.text().contains("tidegate ingest"), "{told:?}");
    let told = gateway.post("/data", "application/json", "{}");
    assert!(told.status == 421 && told.text().contains("tidegate ingest"), "{told:?}");
    let publish = r#"mutation { publish(stream: "orders", data: {id: "x"}) { position } }"#;
    let told = gateway.graphql_answer(publish, &json!({})).json();
    assert_eq!(told["errors"][0]["extensions"]["code"], "MISDIRECTED", "{told}");
    let replay = r#"mutation { replayDeadLetters(stream: "orders", positions: ["p:1"]) { verdict } }"#;
    let done = gateway.graphql(replay);
    assert_eq!(done["replayDeadLetters"], json!([{"verdict": "NOT_FOUND"}]));
    let discard = r#"mutation { discardDeadLetters(stream: "orders", positions: ["p:1"]) { verdict } }"#;
    let done = gateway.graphql(discard);
    assert_eq!(done["discardDeadLetters"], json!([{"verdict": "NOT_FOUND"}]));
    for path in ["/graphql", "/data", "/"] {
        let told = taker.get(path);
        assert!(told.status == 421 && told.text().contains("tidegate gateway"), "{path}: {told:?}");
    }
    assert_eq!(ids(&gateways[0], 30).len(), 30);

    // Each part says whether it is ready, and a gateway has no lag to tell of.
    let ready = gateways[0].get("/readyz").expect(200).json();
    assert_eq!(ready, json!({ "store": "ok" }));
    assert_eq!(ingest.get("/readyz").expect(200).json(), json!({ "store": "ok", "ingest": "ok" }));
    let metrics = gateways[0].get("/metrics").text();
    assert!(!metrics.contains("consumer_lag") && metrics.contains("tidegate_gateway_sockets"), "{metrics}");
    assert!(!ingest.get("/metrics").text().contains("tidegate_gateway_sockets"));

    // A second log may not feed the same keyspace; a gateway needs no log, and is none.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tidegate.toml");
    std::fs::write(&file, &settings).unwrap();
    let other = ["ingest", "--config", file.to_str().unwrap(), "--listen", "127.0.0.1:0", "--data", "other"];
    let refused = tidegate(folder.path(), &other, "");
    assert!(refused.stderr.contains("one log only may feed a keyspace"), "{refused:?}");
}

#[test]
fn a_part_needs_a_store_that_can_be_shared() {
    let here = tempfile::tempdir().unwrap();
    for role in ["ingest", "gateway"] {
        let refused = tidegate(here.path(), &[role, "--listen", "127.0.0.1:0", "--data", "data"], "");
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("set store.url to a CQL store"), "{refused:?}");
        assert!(!here.path().join("data").exists(), "it leaves no trace");
    }
    let with_demo = tidegate(here.path(), &["gateway", "--demo"], "");
    assert_eq!(with_demo.code, Some(2), "{with_demo:?}");
}

#[test]
fn a_command_says_whether_a_node_is_ready() {
    let mut server = Setup::empty().start();
    let ready = |server: &Server| tidegate(server.folder(), &["ready", "--url", &server.url()], "");
    let done = ready(&server);
    assert!(done.code == Some(0) && done.stdout.contains("\"store\":\"ok\""), "{done:?}");
    let (url, health) = (server.url(), Request::new("GET", "/healthz"));
    server.kill_9();
    until("it to be gone", || health.try_send(server.address).is_err(), |gone| gone.then_some(()));
    let done = ready(&server);
    assert!(done.code == Some(1) && done.stderr.contains(&format!("no node answers at {url}")), "{done:?}");
}
