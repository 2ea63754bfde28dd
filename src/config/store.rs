//! Where messages rest: `[store]`, for either kind of store.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use store::embedded::EmbeddedOptions;
use store::scylla::{Agreement, ScyllaOptions, Tls};

/// Settings of the store: those of the embedded one, and those of one that is reached by `url`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoreSettings {
    pub(crate) url: String,
    pub(crate) user: String,
    pub(crate) password_env: String,
    pub(crate) tls: bool,
    pub(crate) tls_ca: PathBuf,
    pub(crate) tls_cert: PathBuf,
    pub(crate) tls_key: PathBuf,
    pub(crate) datacenter: String,
    pub(crate) consistency: Agreement,
    pub(crate) replication_factor: u32,
    pub(crate) connect_ms: u64,
    pub(crate) request_ms: u64,
    pub(crate) call_ms: u64,
    pub(crate) requests_max: usize,
    pub(crate) topics_known: usize,
    pub(crate) journal_cache_bytes: u64,
    pub(crate) block_cache_bytes: u64,
    pub(crate) write_buffer_bytes: u64,
    pub(crate) journal_bytes_max: u64,
    pub(crate) topic_cache_bytes: u64,
    pub(crate) workers: usize,
    pub(crate) calls_max: usize,
    pub(crate) call_seconds_max: u64,
}

impl Default for StoreSettings {
    fn default() -> Self {
        let (cql, embedded) = (ScyllaOptions::default(), EmbeddedOptions::default());
        Self {
            url: cql.url,
            user: cql.user,
            password_env: String::new(),
            tls: cql.tls.on,
            tls_ca: cql.tls.ca,
            tls_cert: cql.tls.cert,
            tls_key: cql.tls.key,
            datacenter: cql.datacenter,
            consistency: cql.consistency,
            replication_factor: cql.replication_factor,
            connect_ms: cql.connect_ms,
            request_ms: cql.request_ms,
            call_ms: cql.call_ms,
            requests_max: cql.requests_max,
            topics_known: cql.topics_known,
            journal_cache_bytes: cql.journal_cache_bytes,
            block_cache_bytes: embedded.block_cache_bytes,
            write_buffer_bytes: embedded.write_buffer_bytes,
            journal_bytes_max: embedded.journal_bytes_max,
            topic_cache_bytes: embedded.topic_cache_bytes,
            workers: embedded.workers,
            calls_max: embedded.calls_max,
            call_seconds_max: embedded.call_seconds_max,
        }
    }
}

impl StoreSettings {
    /// Whether messages rest in the data folder.
    pub(crate) fn is_embedded(&self) -> bool {
        self.url.is_empty()
    }

    /// The embedded store's.
    pub(crate) fn embedded(&self) -> EmbeddedOptions {
        EmbeddedOptions {
            block_cache_bytes: self.block_cache_bytes,
            write_buffer_bytes: self.write_buffer_bytes,
            journal_bytes_max: self.journal_bytes_max,
            topic_cache_bytes: self.topic_cache_bytes,
            workers: self.workers,
            calls_max: self.calls_max,
            call_seconds_max: self.call_seconds_max,
        }
    }

    /// The CQL store's.
    pub(crate) fn cql(&self) -> ScyllaOptions {
        ScyllaOptions {
            url: self.url.clone(),
            user: self.user.clone(),
            tls: Tls {
                on: self.tls,
                ca: self.tls_ca.clone(),
                cert: self.tls_cert.clone(),
                key: self.tls_key.clone(),
            },
            datacenter: self.datacenter.clone(),
            consistency: self.consistency,
            replication_factor: self.replication_factor,
            connect_ms: self.connect_ms,
            request_ms: self.request_ms,
            call_ms: self.call_ms,
            requests_max: self.requests_max,
            topics_known: self.topics_known,
            journal_cache_bytes: self.journal_cache_bytes,
        }
    }

    /// The password that `password_env` names; none where nobody logs in.
    pub(crate) fn password(&self) -> Result<String, String> {
        match (self.user.is_empty(), self.password_env.as_str()) {
            (true, "") => Ok(String::new()),
            (true, _) => Err("store.password_env is set, and store.user is not: who is to log in?".into()),
            (false, "") => {
                Err("store.user is set: store.password_env must name the variable that holds the password"
                    .into())
            }
            (false, variable) => super::secret(variable)?.ok_or_else(|| {
                format!("store.password_env names {variable}, which is not set in the environment")
            }),
        }
    }

    /// Refuses what goes with no store.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.is_embedded() {
            let files = [&self.tls_ca, &self.tls_cert, &self.tls_key];
            let is_set = [
                ("user", !self.user.is_empty()),
                ("password_env", !self.password_env.is_empty()),
                ("tls", self.tls || files.iter().any(|file| !file.as_os_str().is_empty())),
                ("datacenter", !self.datacenter.is_empty()),
            ];
            if let Some((setting, _)) = is_set.into_iter().find(|(_, is_set)| *is_set) {
                return Err(format!(
                    "store.{setting} is for a CQL store: set store.url, as scylla://HOST:PORT/KEYSPACE"
                ));
            }
            return Ok(());
        }
        // What stands before the @ is not repeated: it may be a password.
        if self.url.contains('@') {
            return Err(
                "store.url names a user: set store.user, and store.password_env where there is a password"
                    .into(),
            );
        }
        self.cql().check().map_err(|error| format!("store: {error}"))?;
        self.password().map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_with_no_store_is_refused() {
        let with = |change: fn(&mut StoreSettings)| {
            let mut settings = StoreSettings::default();
            change(&mut settings);
            settings.check().err().unwrap_or_default()
        };
        assert_eq!(with(|_| {}), "");
        assert_eq!(with(|settings| settings.url = "scylla://a/k".into()), "");
        for (setting, change) in [
            ("store.user", (|settings| settings.user = "u".into()) as fn(&mut StoreSettings)),
            ("store.tls", |settings| settings.tls = true),
            ("store.tls", |settings| settings.tls_ca = "ca.pem".into()),
            ("store.datacenter", |settings| settings.datacenter = "a".into()),
        ] {
            let refused = with(change);
            assert!(refused.starts_with(setting) && refused.contains("set store.url"), "{refused}");
        }
        let ca = |settings: &mut StoreSettings| {
            (settings.url, settings.tls_ca) = ("scylla://a/k".into(), "ca.pem".into());
        };
        assert!(with(ca).contains("set store.tls = true"), "{}", with(ca));
        assert!(with(|settings| settings.url = "http://a/k".into()).contains("no scylla://"));
        let login = |settings: &mut StoreSettings| {
            settings.url = "scylla://a/k".into();
            settings.user = "u".into();
        };
        let mut settings = StoreSettings::default();
        login(&mut settings);
        assert!(settings.check().unwrap_err().contains("store.password_env must name"));
        settings.password_env = "TIDEGATE_NO_SUCH_VARIABLE".into();
        assert!(settings.check().unwrap_err().contains("is not set"));
    }
}
