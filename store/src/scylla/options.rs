//! Where the CQL store is, and what it may use.

use serde::{Deserialize, Serialize};

use crate::StoreError;

/// How a CQL store is reached, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScyllaOptions {
    /// `scylla://HOST:PORT,HOST:PORT/KEYSPACE`. The first host that answers tells of all others.
    pub url: String,
    /// The user to log in as; without one, nobody logs in.
    pub user: String,
    /// The datacenter whose nodes are asked. Without one, all are.
    pub datacenter: String,
    /// How many replicas must answer reads and writes.
    pub consistency: Agreement,
    /// Copies of each row, used where `migrate` makes the keyspace.
    pub replication_factor: u32,
    /// Longest that opening a connection may take, in milliseconds.
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

/// What a URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) hosts: Vec<String>,
    pub(super) keyspace: String,
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
        let wrong = |what: &str| {
            let url = &self.url;
            StoreError::Open(format!("{what} in {url:?}: expected scylla://HOST:PORT,HOST:PORT/KEYSPACE"))
        };
        let rest = self.url.strip_prefix("scylla://").ok_or_else(|| wrong("no scylla://"))?;
        let (hosts, keyspace) = rest.split_once('/').ok_or_else(|| wrong("no keyspace"))?;
        let hosts: Vec<String> = hosts.split(',').map(with_port).collect();
        if hosts.iter().any(|host| host.starts_with(':') || host.contains('@')) {
            return Err(wrong("a host that is none"));
        }
        let is_name = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        let sound = keyspace.starts_with(|c: char| c.is_ascii_lowercase())
            && keyspace.len() <= 48
            && keyspace.bytes().all(is_name);
        if !sound {
            return Err(wrong(
                "a keyspace that is not of a-z, 0-9 and _, a letter first, at most 48 of them",
            ));
        }
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
        Ok(Place { hosts, keyspace: keyspace.to_owned() })
    }
}

/// A host with the port of CQL, where it names none.
fn with_port(host: &str) -> String {
    let named = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if named { host.to_owned() } else { format!("{host}:9042") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Result<Place, String> {
        let options = ScyllaOptions { url: url.into(), ..ScyllaOptions::default() };
        options.place().map_err(|error| error.to_string())
    }

    #[test]
    fn a_url_names_hosts_and_a_keyspace() {
        let found = place("scylla://a:19042,b/tide_gate").unwrap();
        assert_eq!(found.hosts, ["a:19042", "b:9042"]);
        assert_eq!(found.keyspace, "tide_gate");
        for (url, expect) in [
            ("cassandra://a/k", "no scylla://"),
            ("scylla://a", "no keyspace"),
            ("scylla:///k", "a host that is none"),
            ("scylla://user:pass@a/k", "a host that is none"),
            ("scylla://a/K", "a keyspace that is not"),
            ("scylla://a/", "a keyspace that is not"),
            ("scylla://a/k; DROP", "a keyspace that is not"),
        ] {
            let error = place(url).unwrap_err();
            assert!(error.contains(expect) && error.contains(url), "{error}");
        }
    }
}
