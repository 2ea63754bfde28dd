//! Three nodes that bring in what a Kinesis stream has, and one that answers queries: what they share is a CQL store.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::cql::Cql;
use crate::support::kinesis::Emulator;
use crate::support::kinesis::producer::has_boto3;
use crate::support::relay::Relay;
use crate::support::{Client, Server, Setup, store, tidegate, until};

/// The stream of all these tests: what is put twice is folded.
pub(super) const STREAM: &str = "orders";
const STREAMS: &str = "[[stream]]\nname = \"orders\"\nid = \"/id\"\n";

/// A key that is put once, so that the stream has a shape: nobody counts it.
pub(super) const FIRST: &str = "first";

/// Settings of a node whose log is the emulator, after those of its store.
pub(super) fn settings(emulator: &Emulator, store: &str) -> String {
    format!("{store}\n{}\n{STREAMS}", emulator.settings())
}

/// What a node says of a partition.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub(super) owner: Option<String>,
    /// Everything up to this sequence is in the store; empty: nothing is known to be.
    pub(super) checkpoint: String,
    pub(super) ended: bool,
    pub(super) parents: Vec<String>,
}

/// All partitions of the stream, by name.
pub(super) fn partitions(client: &Client) -> BTreeMap<String, Partition> {
    let document = format!(
        "{{ stream(name: \"{STREAM}\") {{ partitions {{ partition owner checkpoint ended parents }} }} }}"
    );
    let mut answer = client.graphql(&document);
    let Value::Array(partitions) = answer["stream"]["partitions"].take() else { panic!("{answer}") };
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let partition = |value: Value| {
        let parents = value["parents"].as_array().into_iter().flatten().filter_map(text).collect();
        let partition = Partition {
            owner: text(&value["owner"]),
            checkpoint: text(&value["checkpoint"]).unwrap_or_default(),
            ended: value["ended"] == true,
            parents,
        };
        (text(&value["partition"]).unwrap(), partition)
    };
    partitions.into_iter().map(partition).collect()
}

/// How many partitions that go on each owner has.
pub(super) fn loads(client: &Client) -> BTreeMap<Option<String>, usize> {
    let mut loads = BTreeMap::new();
    for partition in partitions(client).into_values().filter(|partition| !partition.ended) {
        *loads.entry(partition.owner).or_default() += 1;
    }
    loads
}

/// Whether a partition's owner is this process.
pub(super) fn is_of(owner: &str, node: &Server) -> bool {
    owner.contains(&format!("-{}-", node.process()))
}

/// Waits until so many owners share all partitions, none with two more than another; gives their names.
pub(super) fn balanced(client: &Client, owners: usize) -> Vec<String> {
    until(
        &format!("{owners} owners to share the partitions"),
        || loads(client),
        |loads| {
            let (least, greatest) = (loads.values().min()?, loads.values().max()?);
            let names: Option<Vec<String>> = loads.keys().cloned().collect();
            names.filter(|names| names.len() == owners && greatest - least <= 1)
        },
    )
}

/// Puts the first message, and waits until it can be queried: from then on the stream has a field.
pub(super) fn put_first(emulator: &Emulator, client: &Client) {
    emulator.put(STREAM, FIRST, br#"{"id":"first","key":"first","n":0,"pad":""}"#);
    client.nodes(STREAM, "{ orders(topic: \"first\") { nodes { data { n } } } }", 1);
}

/// An emulator, nodes that read from it, and one that answers.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) workers: Vec<Server>,
    pub(super) gateway: Server,
    pub(super) emulator: Emulator,
    /// Between the workers and their store.
    pub(super) store: Relay,
    _keyspace: Keyspace,
}

/// A keyspace, which goes with the nodes that use it: it is the last of their cluster's fields.
#[derive(Debug)]
pub(super) struct Keyspace(String);

impl Keyspace {
    pub(super) fn name(&self) -> &str {
        &self.0
    }
}

impl Drop for Keyspace {
    fn drop(&mut self) {
        store::discard(std::mem::take(&mut self.0));
    }
}

impl Cluster {
    /// Starts three workers for a stream of so many shards, unless what they need is left out: then it is said of what.
    pub(super) fn start(what: &str, emulator: Emulator, shards: u32) -> Option<Self> {
        Self::start_on(&Cql::server(what)?, what, emulator, shards)
    }

    /// As [`Self::start`], on this CQL server.
    pub(super) fn start_on(server: &Cql, what: &str, emulator: Emulator, shards: u32) -> Option<Self> {
        if !has_boto3(what) {
            return None;
        }
        let relay = Relay::start(&server.address);
        let keyspace = migrated(server);
        emulator.create(STREAM, shards);
        let start = |role, hosts: &str| {
            let settings = settings(&emulator, &server.settings_at(hosts, &keyspace.0));
            Setup::configured(&settings).role(role).with_credentials().start()
        };
        let gateway = start("gateway", &server.address);
        let hosts = relay.address().to_string();
        let workers = (0..3).map(|_| start("ingest", &hosts)).collect();
        let cluster = Self { workers, gateway, emulator, store: relay, _keyspace: keyspace };
        put_first(&cluster.emulator, &cluster.client());
        Some(cluster)
    }

    /// Somebody who asks the node that answers.
    pub(super) fn client(&self) -> Client {
        self.gateway.client()
    }
}

/// A keyspace that has its tables.
pub(super) fn migrated(server: &Cql) -> Keyspace {
    let keyspace = Keyspace(store::fresh());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tidegate.toml"), server.settings(&keyspace.0)).unwrap();
    let done = tidegate(folder.path(), &["migrate", "--config", "tidegate.toml"], "");
    assert_eq!(done.code, Some(0), "{done:?}");
    keyspace
}
