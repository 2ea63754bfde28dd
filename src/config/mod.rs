//! The configuration: every setting of every part, joined.
//!
//! `default.toml` is the reference that people read; a test holds it to the defaults in the code.

mod load;
mod secrets;
mod store;
mod tls;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use access::{
    ClientSettings, CredentialSettings, ForeignSettings, InvalidRule, IssuerSettings, Policy, RateSettings,
    RuleSettings,
};
use gateway::{GatewaySettings, LiveSettings};
use ingest::IngestSettings;
use ingest::kinesis::KinesisSettings;
use schema::{Limits, Stream};
use serde::{Deserialize, Serialize};

pub(crate) use self::store::StoreSettings;
pub(crate) use self::tls::TlsSettings;
pub(crate) use load::load;
pub(crate) use secrets::{Secrets, secret};

use crate::telemetry::LogSettings;

/// Every setting, with its meaning and default.
pub(crate) const REFERENCE: &str = include_str!("default.toml");

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) server: ServerSettings,
    pub(crate) tls: TlsSettings,
    pub(crate) log: LogSettings,
    pub(crate) limits: Limits,
    pub(crate) ingest: IngestSettings,
    pub(crate) kinesis: KinesisSettings,
    pub(crate) store: StoreSettings,
    pub(crate) gateway: GatewaySettings,
    pub(crate) live: LiveSettings,
    pub(crate) rate: RateSettings,
    pub(crate) embedded_issuer: IssuerSettings,
    pub(crate) credentials: CredentialSettings,
    pub(crate) issuer: Vec<ForeignSettings>,
    pub(crate) client: Vec<ClientSettings>,
    pub(crate) rule: Vec<RuleSettings>,
    pub(crate) stream: Vec<Stream>,
}

impl Config {
    /// The rules in force.
    pub(crate) fn policy(&self) -> Result<Policy, InvalidRule> {
        Policy::new(self.rule.clone(), self.issuer.iter().map(|issuer| issuer.name.as_str()))
    }
}

/// The process: `[server]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSettings {
    pub(crate) listen: SocketAddr,
    pub(crate) url: String,
    pub(crate) origins: Vec<String>,
    pub(crate) proxies: Vec<String>,
    pub(crate) data: PathBuf,
    pub(crate) header_ms: u64,
    pub(crate) idle_ms: u64,
    pub(crate) connections_max: u32,
    pub(crate) drain_ms: u64,
    pub(crate) sweep_ms: u64,
    pub(crate) sweep_rows: usize,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4000)),
            url: String::new(),
            origins: Vec::new(),
            proxies: Vec::new(),
            data: "./tidegate-data".into(),
            header_ms: 10_000,
            idle_ms: 75_000,
            connections_max: 10_000,
            drain_ms: 25_000,
            sweep_ms: 10_000,
            sweep_rows: 2_000,
        }
    }
}

/// What a number of milliseconds or connections may be at most: above it, it says no more than "without limit".
const LARGEST: u64 = 1_000_000_000;

impl ServerSettings {
    /// Checks what a type can't say; the sentence names the setting, its value and what was expected.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (key, value) in [
            ("header_ms", self.header_ms),
            ("idle_ms", self.idle_ms),
            ("connections_max", self.connections_max.into()),
        ] {
            if !(1..=LARGEST).contains(&value) {
                return Err(format!("server.{key} is {value}: expected a number from 1 to {LARGEST}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_shows_the_defaults() {
        assert_eq!(toml::from_str::<Config>(REFERENCE).unwrap(), Config::default());
        let toml::Value::Table(sections) = toml::Value::try_from(Config::default()).unwrap() else {
            panic!()
        };
        let shown: toml::Table = REFERENCE.parse().unwrap();
        for (section, value) in sections {
            let toml::Value::Table(keys) = value else { continue };
            for key in keys.keys() {
                assert!(shown[&section].get(key).is_some(), "{section}.{key} is not in the reference");
            }
        }
    }

    #[test]
    fn the_examples_in_the_reference_can_be_used() {
        let lines = REFERENCE.lines().skip_while(|line| !line.starts_with("# [[stream]]"));
        let lines = lines.filter_map(|line| line.strip_prefix("# "));
        let example: String = lines
            .filter(|line| line.starts_with('[') || line.contains(" = "))
            .flat_map(|line| [line, "\n"])
            .collect();
        let config: Config = toml::from_str(&example).unwrap();
        assert_eq!((config.stream.len(), config.client.len(), config.issuer.len()), (1, 1, 1));
        assert_eq!(config.rule.len(), 2);
        config.policy().unwrap();
    }
}
