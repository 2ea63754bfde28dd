//! The connection to the servers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::{Session, TlsContext};
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::statement::{Consistency, SerialConsistency};

use super::options::{Agreement, ScyllaOptions};
use super::place::{Host, Place};
use super::reach;
use super::refused::{self, Refusal};
use crate::StoreError;

/// Connects, and uses the keyspace of `place` where one is given: it must be there.
pub(super) async fn connect(
    options: &ScyllaOptions,
    password: &str,
    place: Option<&Place>,
) -> Result<Session, StoreError> {
    let there = options.place()?;
    let tls = options.tls.client(&there.hosts)?;
    let limit = Duration::from_millis(options.connect_ms);
    let failed =
        |why: String| StoreError::Open(format!("the CQL store at {} can't be opened: {why}", there.listed()));
    let found = reach::all(&there.hosts, tls.as_ref(), limit).await;
    let (mut answering, mut silent) = (Vec::new(), Vec::new());
    for (host, found) in there.hosts.iter().zip(found) {
        match found {
            Ok(_) => answering.push(host),
            Err(why) => silent.push((host, why)),
        }
    }
    if answering.is_empty() {
        let each = silent.iter().map(|(host, why)| format!("{host}: {why}"));
        return Err(failed(each.collect::<Vec<_>>().join("; ")));
    }
    for (host, why) in &silent {
        tracing::warn!(%host, why, "a host of store.url does not answer");
    }
    let session = open(options, password, &answering, tls.map(TlsContext::from), place).await;
    let session = session.map_err(|refusal| failed(refusal.into_text()))?;
    datacenter(options, &datacenters(&session)).map_err(&failed)?;
    if let Some(place) = place {
        session.use_keyspace(&place.keyspace, false).await.map_err(|error| {
            failed(format!(
                "keyspace {} can't be used ({error}); if it is not there yet, `tidegate migrate` makes it",
                place.keyspace
            ))
        })?;
    }
    Ok(session)
}

/// A session by hosts that answer.
pub(super) async fn open(
    options: &ScyllaOptions,
    password: &str,
    hosts: &[&Host],
    tls: Option<TlsContext>,
    place: Option<&Place>,
) -> Result<Session, Refusal> {
    let (consistency, serial) = match options.consistency {
        Agreement::LocalQuorum => (Consistency::LocalQuorum, SerialConsistency::LocalSerial),
        Agreement::Quorum => (Consistency::Quorum, SerialConsistency::Serial),
    };
    let mut policy = DefaultPolicy::builder().token_aware(true);
    if !options.datacenter.is_empty() {
        policy = policy.prefer_datacenter(options.datacenter.clone()).permit_dc_failover(false);
    }
    let profile = ExecutionProfile::builder()
        .consistency(consistency)
        .serial_consistency(Some(serial))
        .request_timeout(Some(Duration::from_millis(options.request_ms)))
        .retry_policy(Arc::new(FallthroughRetryPolicy::new()))
        .load_balancing_policy(policy.build())
        .build();
    let limit = Duration::from_millis(options.connect_ms);
    let mut builder = SessionBuilder::new()
        .known_nodes(hosts.iter().map(|host| host.to_string()))
        .default_execution_profile_handle(profile.into_handle())
        .connection_timeout(limit)
        .tls_context(tls);
    if !options.user.is_empty() {
        builder = builder.user(&options.user, password);
    }
    builder = match place {
        Some(place) => builder.keyspaces_to_fetch([&place.keyspace]),
        // Whoever comes for none changes tables or looks at servers. The driver would read the tables of all keyspaces after
        // each change.
        None => builder.fetch_schema_metadata(false).refresh_metadata_on_auto_schema_agreement(false),
    };
    // Twice the time: for the connection, and for what is asked over it about the cluster.
    let late = |_| {
        let waited = limit.as_millis() * 2;
        Refusal::Other(format!(
            "they did not tell of their cluster within {waited} ms, twice store.connect_ms"
        ))
    };
    let session = tokio::time::timeout(limit * 2, builder.build()).await.map_err(late)?;
    session.map_err(|error| refused::session(&error, &options.user))
}

/// The datacenters of the cluster, as its servers call them.
pub(super) fn datacenters(session: &Session) -> BTreeSet<String> {
    let cluster = session.get_cluster_state();
    cluster.get_nodes_info().iter().filter_map(|node| node.datacenter.clone()).collect()
}

/// Refuses a datacenter that the cluster has not, and none where there are several and agreement is sought in one:
/// what is written in one would not be read in another.
pub(super) fn datacenter(options: &ScyllaOptions, there: &BTreeSet<String>) -> Result<(), String> {
    let quoted = || there.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    match options.datacenter.as_str() {
        "" if there.len() > 1 && options.consistency == Agreement::LocalQuorum => Err(format!(
            "the cluster has the datacenters {}, and agreement in one of them, store.consistency = \"local_quorum\", does not \
             reach the others: set store.datacenter to the nearest, or store.consistency to \"quorum\"",
            quoted()
        )),
        "" => Ok(()),
        named if there.contains(named) => Ok(()),
        named => Err(format!(
            "store.datacenter is {named:?}, and the cluster has {}: names are written as the servers write them",
            if there.is_empty() { "told of none".into() } else { quoted() }
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_is_sought_where_it_is_found() {
        let check = |datacenter: &str, consistency, there: &[&str]| {
            let options =
                ScyllaOptions { datacenter: datacenter.into(), consistency, ..ScyllaOptions::default() };
            let there = there.iter().map(|&name| name.to_owned()).collect();
            super::datacenter(&options, &there).err().unwrap_or_default()
        };
        let (local, all) = (Agreement::LocalQuorum, Agreement::Quorum);
        assert_eq!(check("", local, &["a"]), "");
        assert_eq!(check("", all, &["a", "b"]), "");
        assert_eq!(check("b", local, &["a", "b"]), "");
        assert!(check("", local, &["a", "b"]).contains("\"a\", \"b\""));
        let unknown = check("B", local, &["a", "b"]);
        assert!(
            unknown.starts_with("store.datacenter is \"B\", and the cluster has \"a\", \"b\""),
            "{unknown}"
        );
        assert!(check("a", local, &[]).contains("told of none"));
    }
}
