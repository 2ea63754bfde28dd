//! What is seen of a CQL store without changing it, setting by setting, for whoever asks why it does not open.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use schema::Timestamp;
use scylla::client::session::{Session, TlsContext};

use super::call;
use super::dialect::Dialect;
use super::fault::Fault;
use super::migrate;
use super::options::ScyllaOptions;
use super::place::Host;
use super::refused::Refusal;
use super::{reach, session, validity};
use crate::StoreError;

/// What was seen, in the order in which opening the store meets it.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The hosts of the URL, and what each answered, or why not.
    pub hosts: Vec<(String, Result<Answering, String>)>,
    /// What the cluster told; `None` where no host answers.
    pub cluster: Option<Result<Cluster, Refusal>>,
}

/// A host that answers CQL.
#[derive(Clone, Debug)]
pub struct Answering {
    /// Which of its addresses.
    pub address: SocketAddr,
    /// When its certificate ends, where TLS is spoken.
    pub certificate_until: Option<Timestamp>,
}

/// What the cluster told whoever logged in.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The server's kind, and where it tells it its version.
    pub server: String,
    /// Its datacenters by name.
    pub datacenters: BTreeMap<String, Nodes>,
    /// Whether the datacenter that the options name is one of them.
    pub datacenter: Result<(), String>,
    /// The keyspace; `None` if it is not there.
    pub keyspace: Result<Option<Keyspace>, String>,
}

/// The nodes of a datacenter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nodes {
    /// As many as the cluster counts.
    pub all: usize,
    /// Those that can be connected to from here.
    pub up: usize,
}

/// A keyspace that is there.
#[derive(Clone, Debug)]
pub struct Keyspace {
    /// Copies of each row by datacenter; those over all datacenters under the name "".
    pub copies: BTreeMap<String, usize>,
    /// What reading it with the consistency of the options gave.
    pub contents: Result<Contents, String>,
}

/// What a keyspace holds.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The schema's version; 0 before the first.
    pub version: i32,
    /// The log that feeds it; none yet if `None`.
    pub log: Option<String>,
    /// How long a small read took: the least of several.
    pub round_trip: Duration,
}

/// Reads to find the least.
const READS: usize = 5;

/// Looks at everything that can be seen.
///
/// # Errors
/// [`StoreError::Open`] if the options can't be used, which nobody was asked about.
pub async fn examine(options: &ScyllaOptions, password: &str) -> Result<Examined, StoreError> {
    let place = options.place()?;
    let tls = options.tls.client(&place.hosts)?;
    let found = reach::all(&place.hosts, tls.as_ref(), Duration::from_millis(options.connect_ms)).await;
    let answering: Vec<&Host> =
        place.hosts.iter().zip(&found).filter(|(_, found)| found.is_ok()).map(|(host, _)| host).collect();
    let tls = tls.map(TlsContext::from);
    let cluster = match answering.is_empty() {
        true => None,
        false => Some(cluster(options, password, &answering, tls, &place.keyspace).await),
    };
    let hosts = place.hosts.iter().zip(found).map(|(host, found)| {
        let answering = found.map(|found| Answering {
            address: found.address,
            certificate_until: found.certificate.and_then(|shown| validity::until(&shown)),
        });
        (host.to_string(), answering)
    });
    Ok(Examined { hosts: hosts.collect(), cluster })
}

async fn cluster(
    options: &ScyllaOptions,
    password: &str,
    hosts: &[&Host],
    tls: Option<TlsContext>,
    keyspace: &str,
) -> Result<Cluster, Refusal> {
    // By any datacenter first: one that is not there answers nothing, not even which there are.
    let anywhere = ScyllaOptions { datacenter: String::new(), ..options.clone() };
    let mut session = session::open(&anywhere, password, hosts, tls.clone(), None).await?;
    let datacenter = session::datacenter(options, &session::datacenters(&session));
    if datacenter.is_ok() && !options.datacenter.is_empty() {
        session = session::open(options, password, hosts, tls, None).await?;
    }
    let mut datacenters: BTreeMap<String, Nodes> = BTreeMap::new();
    for node in session.get_cluster_state().get_nodes_info() {
        let nodes = datacenters.entry(node.datacenter.clone().unwrap_or_default()).or_default();
        nodes.all += 1;
        nodes.up += usize::from(node.is_connected());
    }
    let server = server(&session).await.map_err(|fault| Refusal::Other(fault.into_text()))?;
    let keyspace = look_at(&session, keyspace).await.map_err(Fault::into_text);
    Ok(Cluster { server, datacenters, datacenter, keyspace })
}

async fn server(session: &Session) -> Result<String, Fault> {
    let version = "SELECT release_version FROM system.local";
    let version = call::rows(session.query_unpaged(version, &[]).await?)?;
    let (version,) = version.first_row::<(String,)>().map_err(Fault::answer)?;
    Ok(match Dialect::of(session).await? {
        // What it gives there is the version of Cassandra that it is like.
        Dialect::Scylla => "ScyllaDB".into(),
        Dialect::Cassandra => format!("Apache Cassandra {version}"),
    })
}

async fn look_at(session: &Session, keyspace: &str) -> Result<Option<Keyspace>, Fault> {
    let text = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?";
    let rows = call::rows(session.query_unpaged(text, (keyspace,)).await?)?;
    let found = rows.maybe_first_row::<(BTreeMap<String, String>,)>().map_err(Fault::answer)?;
    let Some((replication,)) = found else { return Ok(None) };
    let contents = read(session, keyspace).await.map_err(|error| error.to_string());
    Ok(Some(Keyspace { copies: copies(&replication), contents }))
}

/// Copies by datacenter, of what the servers call replication.
fn copies(replication: &BTreeMap<String, String>) -> BTreeMap<String, usize> {
    let counts = replication.iter().filter_map(|(name, count)| {
        // ScyllaDB and Cassandra may add how many of them are transient.
        let count = count.split('/').next().and_then(|count| count.parse().ok())?;
        let everywhere = name == "replication_factor";
        Some((if everywhere { String::new() } else { name.clone() }, count))
    });
    counts.collect()
}

async fn read(session: &Session, keyspace: &str) -> Result<Contents, StoreError> {
    let version = migrate::version(session, keyspace).await?;
    if version == 0 {
        return Ok(Contents { version, log: None, round_trip: Duration::ZERO });
    }
    let failed = |fault: Fault| StoreError::Open(fault.into_text());
    let text = format!(
        "SELECT document FROM {keyspace}.catalog WHERE shelf = 0 AND kind = 'log' AND name = 'embedded'"
    );
    let statement = session.prepare(text).await.map_err(|error| StoreError::Open(error.to_string()))?;
    let (mut round_trip, mut log) = (Duration::MAX, None);
    for _ in 0..READS {
        let asked = Instant::now();
        let answer = session.execute_unpaged(&statement, &[]).await.map_err(|error| failed(error.into()))?;
        round_trip = round_trip.min(asked.elapsed());
        let rows = call::rows(answer).map_err(failed)?;
        let row = rows.maybe_first_row::<(String,)>().map_err(|error| failed(Fault::answer(error)))?;
        log = row.and_then(|(document,)| serde_json::from_str(&document).ok());
    }
    Ok(Contents { version, log, round_trip })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_counted_by_datacenter() {
        let check = |replication: &[(&str, &str)], expect: &[(&str, usize)]| {
            let own = replication.iter().map(|&(name, count)| (name.to_owned(), count.to_owned()));
            let expect = expect.iter().map(|&(name, count)| (name.to_owned(), count));
            assert_eq!(copies(&own.collect()), expect.collect());
        };
        let class = ("class", "org.apache.cassandra.locator.NetworkTopologyStrategy");
        check(&[class, ("eu", "3"), ("us", "2")], &[("eu", 3), ("us", 2)]);
        check(&[("class", "SimpleStrategy"), ("replication_factor", "1")], &[("", 1)]);
        check(&[class, ("eu", "3/1")], &[("eu", 3)]);
    }
}
