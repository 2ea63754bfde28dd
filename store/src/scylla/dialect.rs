//! Where ScyllaDB and Apache Cassandra differ: all of it.
//!
//! What a compare-and-set answers differs too (Cassandra adds the row's columns only where it was not applied, ScyllaDB
//! always), so nothing but the first column, `[applied]`, is ever read of it: see [`super::call`].

use scylla::client::session::Session;

use super::call;
use super::fault::Fault;

/// Which server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// ScyllaDB 6 or later.
    Scylla,
    /// Apache Cassandra 4.1 or later.
    Cassandra,
}

const IS_SCYLLA: &str = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'system' AND table_name = 'scylla_local'";

impl Dialect {
    /// Asks the server.
    pub(super) async fn of(session: &Session) -> Result<Self, Fault> {
        let answer = session.query_unpaged(IS_SCYLLA, &[]).await?;
        let rows = call::rows(answer)?;
        Ok(if rows.rows_num() == 0 { Self::Cassandra } else { Self::Scylla })
    }

    /// A migration's text, with what differs filled in.
    pub(super) fn fill(self, statement: &str) -> String {
        // Nothing is deleted in these tables: rows expire on each replica by themselves, so no tombstone must wait for a
        // repair. Cassandra keeps hints no longer than its grace period, so that is three hours and not none.
        let expiring = match self {
            Self::Scylla => "AND tombstone_gc = {'mode': 'immediate'}",
            Self::Cassandra => "AND gc_grace_seconds = 10800",
        };
        let windows = "{'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': 1}";
        statement.replace("{{windows}}", windows).replace("{{expiring}}", expiring)
    }

    /// Makes the keyspace.
    pub(super) fn create_keyspace(self, keyspace: &str, replication_factor: u32) -> String {
        let tablets = match self {
            // Compare-and-set does not work on tablets in all versions that have them.
            Self::Scylla => " AND tablets = {'enabled': false}",
            Self::Cassandra => "",
        };
        format!(
            "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {{'class': 'NetworkTopologyStrategy', 'replication_factor': {replication_factor}}}{tablets}"
        )
    }
}
