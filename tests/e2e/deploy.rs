//! The files of `docker-compose.yml`: the program takes the settings, and shows the metrics that the dashboard asks for.

use std::collections::BTreeSet;
use std::fs::read_to_string;

use serde_json::Value;

use crate::support::{Client, Setup, bare, finish, repository, sample, store, until};

const SECRET: &str = "TIDEGATE_CLIENT_SECRET";

fn text(path: &str) -> String {
    let path = repository().join(path);
    read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the compose file sets a variable to that whoever starts it has not set.
fn default(variable: &str) -> String {
    let compose = text("docker-compose.yml");
    let (_, rest) = compose.split_once(&format!("${{{variable}:-")).expect("the compose file sets it");
    rest.split_once('}').expect("a default ends").0.to_owned()
}

#[test]
fn the_settings_are_accepted_with_the_secret_of_the_compose_file() {
    let here = tempfile::tempdir().unwrap();
    let file = repository().join("deploy/tidegate.toml").display().to_string();
    let check = |secret: Option<&str>| {
        let mut command = bare();
        command.args(["config", "check", "--config", &file]).current_dir(here.path());
        command.envs(secret.map(|secret| (SECRET, secret)));
        finish(command, "")
    };
    let done = check(Some(&default(SECRET)));
    assert_eq!(done.stdout, format!("{file}: 1 streams, 1 clients, listening on 0.0.0.0:4000\n"), "{done:?}");
    let done = check(None);
    assert!(done.code == Some(1) && done.stderr.contains(SECRET), "{done:?}");
}

#[test]
fn the_stream_and_the_client_of_the_settings_are_of_use() {
    // As the compose file starts it, but for the store, and for the address, which is the test's own.
    let mut setup = Setup::configured(&text("deploy/tidegate.toml")).env("TIDEGATE__SERVER__URL", "");
    if !store::is_cql() {
        setup = setup.env("TIDEGATE__STORE__URL", "");
    }
    let secret = default(SECRET);
    let server = setup.env(SECRET, &secret).start();
    let client = Client::sign_in(server.address, "operator", &secret);
    client.put("/streams/user-events/record", sample("user-events.put.json")).expect(200);
    let document = r#"{ userEvents(from: "2020-06-01", to: "2020-06-02") { nodes { time data { message { color } } } } }"#;
    let nodes = client.nodes("userEvents", document, 1);
    assert_eq!(nodes[0]["data"]["message"]["color"], "#6d8d79", "{nodes:?}");
}

#[test]
fn a_node_shows_every_metric_that_the_dashboard_asks_for() {
    let dashboard: Value = serde_json::from_str(&text("deploy/grafana/dashboards/tidegate.json")).unwrap();
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("a panel has targets"));
    let queries: Vec<&str> = targets.map(|target| target["expr"].as_str().expect("a query")).collect();
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = queries.iter().flat_map(|query| query.split(|c: char| !is_of_name(c)));
    let asked: BTreeSet<&str> = words.filter(|word| word.starts_with("tidegate_")).collect();
    assert!(asked.len() > 9, "{queries:?}");

    let server = Setup::empty().start();
    let client = server.client();
    // Some series are there once they have something to count.
    client.put_record("s", "k", "{\"n\":1}");
    client.put("/streams/s/record", r#"{"Data":{"a":1,"a":1},"PartitionKey":"k"}"#).expect(400);
    until(
        "every metric of the dashboard",
        || {
            let metrics = server.get("/metrics").expect(200).text();
            let samples = metrics.lines().filter(|line| !line.starts_with('#'));
            let shown: BTreeSet<&str> = samples.filter_map(|line| line.split([' ', '{']).next()).collect();
            asked.difference(&shown).map(ToString::to_string).collect::<Vec<_>>()
        },
        |missing| missing.is_empty().then_some(()),
    );
}
