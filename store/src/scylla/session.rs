//! The connection to the servers.

use std::sync::Arc;
use std::time::Duration;

use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::statement::{Consistency, SerialConsistency};

use super::options::{Agreement, Place, ScyllaOptions};
use crate::StoreError;

/// Connects, and uses the keyspace of `place` where one is given: it must be there.
pub(super) async fn connect(
    options: &ScyllaOptions,
    password: &str,
    place: Option<&Place>,
) -> Result<Session, StoreError> {
    let hosts = options.place()?.hosts;
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
    let wait = Duration::from_millis(options.connect_ms);
    let mut builder = SessionBuilder::new()
        .known_nodes(&hosts)
        .default_execution_profile_handle(profile.into_handle())
        .connection_timeout(wait);
    if !options.user.is_empty() {
        builder = builder.user(&options.user, password);
    }
    if let Some(place) = place {
        builder = builder.keyspaces_to_fetch([&place.keyspace]);
    }
    let failed = |why: String| {
        StoreError::Open(format!("the CQL store at {} can't be opened: {why}", hosts.join(",")))
    };
    // Twice the time: for the connection, and for what is asked over it about the cluster.
    let session = tokio::time::timeout(wait * 2, builder.build()).await;
    let session =
        session.map_err(|_| failed(format!("nobody answered within {} ms", wait.as_millis() * 2)))?;
    let session = session.map_err(|error| failed(error.to_string()))?;
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
