//! Where the CQL store is, and what it may use.

use serde::{Deserialize, Serialize};

use super::place::Place;
use super::tls::Tls;
use crate::StoreError;

/// How a CQL store is reached, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScyllaOptions {
    /// `scylla://HOST:PORT,HOST:PORT/KEYSPACE`. The first host that answers tells of all others.
    pub url: String,
    /// The user to log in as; without one, nobody logs in.
    pub user: String,
    /// Whether and how connections are encrypted.
    pub tls: Tls,
    /// The datacenter whose nodes are asked. Without one, all are.
    pub datacenter: String,
    /// How many replicas must answer reads and writes.
    pub consistency: Agreement,
    /// Copies of each row, used where `migrate` makes the keyspace.
    pub replication_factor: u32,
    /// Longest that a host may take to accept a connection and to answer its first question, in milliseconds.
    pub connect_ms: u64,
    /// Longest that one request may take, in milliseconds.
    pub request_ms: u64,
    /// Longest that a call tries again, in milliseconds; then it fails as unavailable, and may be repeated.
    pub call_ms: u64,
    /// Most requests under way at once.
    pub requests_max: usize,
    /// Topics whose buckets and times are kept in memory.
    pub topics_known: usize,
    /// Messages of the journal that are kept in memory for those who follow, in bytes.
    pub journal_cache_bytes: u64,
}

/// How many replicas must answer. Reads and writes meet in at least one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// Most replicas of the datacenter; compare-and-set is decided within it, too.
    #[default]
    LocalQuorum,
    /// Most replicas of all datacenters.
    Quorum,
}

impl Default for ScyllaOptions {
    fn default() -> Self {
        Self {
            url: String::new(),
            user: String::new(),
            tls: Tls::default(),
            datacenter: String::new(),
            consistency: Agreement::LocalQuorum,
            replication_factor: 3,
            connect_ms: 5_000,
            request_ms: 5_000,
            call_ms: 15_000,
            requests_max: 256,
            topics_known: 100_000,
            journal_cache_bytes: 16 << 20,
        }
    }
}

impl ScyllaOptions {
    /// Whether they can be used: nobody is asked.
    ///
    /// # Errors
    /// [`StoreError::Open`] names what can't.
    pub fn check(&self) -> Result<(), StoreError> {
        self.place().map(|_| ())
    }

    /// Takes the URL apart, and refuses what can't be used.
    pub(super) fn place(&self) -> Result<Place, StoreError> {
        let place = Place::of(&self.url).map_err(|what| {
            let url = &self.url;
            StoreError::Open(format!("{what} in {url:?}: expected scylla://HOST:PORT,HOST:PORT/KEYSPACE"))
        })?;
        for (setting, value) in [
            ("connect_ms", self.connect_ms),
            ("request_ms", self.request_ms),
            ("call_ms", self.call_ms),
            ("requests_max", self.requests_max as u64),
            ("topics_known", self.topics_known as u64),
            ("replication_factor", self.replication_factor.into()),
        ] {
            if value == 0 {
                return Err(StoreError::Open(format!("the CQL store's {setting} must be at least 1")));
            }
        }
        self.tls.check().map_err(StoreError::Open)?;
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_used_is_refused() {
        let with = |change: fn(&mut ScyllaOptions)| {
            let mut options = ScyllaOptions { url: "scylla://a/k".into(), ..ScyllaOptions::default() };
            change(&mut options);
            options.check().map_or_else(|error| error.to_string(), |()| String::new())
        };
        assert_eq!(with(|_| {}), "");
        assert!(with(|options| options.url = "scylla://a".into()).contains("no keyspace in \"scylla://a\""));
        assert!(with(|options| options.connect_ms = 0).contains("connect_ms must be at least 1"));
        assert!(with(|options| options.tls.ca = "ca.pem".into()).contains("store.tls = true"));
    }
}
