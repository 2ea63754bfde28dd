//! What can be set about Kinesis, and the defaults.

use std::time::Duration;

use schema::Timestamp;
use serde::{Deserialize, Serialize};

use crate::InvalidSetting;

/// Settings of Kinesis as the log: `[kinesis]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KinesisSettings {
    /// The region, such as `eu-central-1`. Where there is one, Kinesis is the log.
    pub region: String,
    /// Where Kinesis answers, if that is not the region's own address.
    pub endpoint: String,
    /// Where a stream begins of which no shard is known yet; what its shards are split or merged into begins there, too.
    pub start: Start,
    /// How often a shard is asked for more, in milliseconds. Kinesis allows five times a second, for all who read it together.
    pub poll_ms: u64,
    /// Most records that a shard gives at once; Kinesis gives at most 10,000, and 10 MiB.
    pub records_max: u32,
    /// Most bytes of records, of all shards together, that were read and are not stored yet.
    pub read_bytes: u64,
    /// How often shards and their owners are looked at, in milliseconds.
    pub look_ms: u64,
    /// How long an owner may be silent before its shards are taken by others, in milliseconds.
    pub lease_ms: u64,
    /// Longest that one request may take, in milliseconds.
    pub request_ms: u64,
    /// Most requests that put messages at once.
    pub puts_max: usize,
}

/// Where a stream begins of which no shard is known yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Start {
    /// With the oldest record that is still there.
    #[default]
    TrimHorizon,
    /// With what comes from now on.
    Latest,
    /// With what has come since.
    At(Timestamp),
}

impl Start {
    /// The time that it stands for now; with none, all that there is.
    pub(super) fn at(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::TrimHorizon => None,
            Self::Latest => Some(now),
            Self::At(time) => Some(time),
        }
    }
}

impl TryFrom<String> for Start {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "trim_horizon" => Ok(Self::TrimHorizon),
            "latest" => Ok(Self::Latest),
            time => Timestamp::from_text(time).map(Self::At).ok_or_else(|| {
                format!("{text:?} is no start: expected trim_horizon, latest, or a time such as 2026-01-31T12:00:00Z")
            }),
        }
    }
}

impl From<Start> for String {
    fn from(start: Start) -> Self {
        match start {
            Start::TrimHorizon => "trim_horizon".into(),
            Start::Latest => "latest".into(),
            Start::At(time) => time.to_string(),
        }
    }
}

/// Most bytes that Kinesis gives at once.
pub(super) const ANSWER_BYTES: u64 = 10 << 20;

impl Default for KinesisSettings {
    fn default() -> Self {
        Self {
            region: String::new(),
            endpoint: String::new(),
            start: Start::TrimHorizon,
            poll_ms: 250,
            records_max: 10_000,
            read_bytes: 64 << 20,
            look_ms: 1_000,
            lease_ms: 10_000,
            request_ms: 10_000,
            puts_max: 64,
        }
    }
}

impl KinesisSettings {
    /// Whether Kinesis is the log.
    pub fn is_on(&self) -> bool {
        !self.region.is_empty()
    }

    /// Checks what a type can't say.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first key whose value can't be used, the value and what was expected.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let refuse = |key, value, expected| Err(InvalidSetting { section: "kinesis", key, value, expected });
        if !self.endpoint.is_empty() && !self.is_on() {
            return refuse(
                "endpoint",
                self.endpoint.clone(),
                "kinesis.region beside it, as requests are signed for a region",
            );
        }
        if !self.endpoint.is_empty()
            && !self.endpoint.starts_with("http://")
            && !self.endpoint.starts_with("https://")
        {
            return refuse("endpoint", self.endpoint.clone(), "http://HOST:PORT or https://HOST:PORT");
        }
        for (key, value, least, most, expected) in [
            ("poll_ms", self.poll_ms, 200, 60_000, "a number from 200 to 60000"),
            ("records_max", self.records_max.into(), 1, 10_000, "a number from 1 to 10000"),
            ("read_bytes", self.read_bytes, ANSWER_BYTES, 1 << 31, "a number from 10485760 to 2147483648"),
            ("look_ms", self.look_ms, 50, 60_000, "a number from 50 to 60000"),
            ("lease_ms", self.lease_ms, 1_000, 600_000, "a number from 1000 to 600000"),
            ("request_ms", self.request_ms, 100, 600_000, "a number from 100 to 600000"),
            ("puts_max", self.puts_max as u64, 1, 10_000, "a number from 1 to 10000"),
        ] {
            if !(least..=most).contains(&value) {
                return refuse(key, value.to_string(), expected);
            }
        }
        if self.look_ms.saturating_mul(2) > self.lease_ms {
            return refuse("look_ms", self.look_ms.to_string(), "at most half of kinesis.lease_ms");
        }
        Ok(())
    }

    pub(super) fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    pub(super) fn look(&self) -> Duration {
        Duration::from_millis(self.look_ms)
    }

    pub(super) fn term(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_used_and_a_bad_value_is_named() {
        let on = || KinesisSettings { region: "eu-central-1".into(), ..Default::default() };
        assert_eq!(KinesisSettings::default().check(), Ok(()));
        assert!(on().is_on() && !KinesisSettings::default().is_on());
        for (settings, expect) in [
            (
                KinesisSettings { poll_ms: 100, ..on() },
                "kinesis.poll_ms is 100: expected a number from 200 to 60000",
            ),
            (
                KinesisSettings { endpoint: "http://127.0.0.1:1".into(), ..Default::default() },
                "kinesis.endpoint is http://127.0.0.1:1: expected kinesis.region beside it, as requests are signed for a region",
            ),
            (
                KinesisSettings { endpoint: "localhost:4567".into(), ..on() },
                "kinesis.endpoint is localhost:4567: expected http://HOST:PORT or https://HOST:PORT",
            ),
            (
                KinesisSettings { look_ms: 900, lease_ms: 1_000, ..on() },
                "kinesis.look_ms is 900: expected at most half of kinesis.lease_ms",
            ),
        ] {
            assert_eq!(settings.check().map_err(|error| error.to_string()), Err(expect.to_owned()));
        }
    }

    #[test]
    fn a_start_is_written_as_it_is_read() {
        for text in ["trim_horizon", "latest", "2026-01-31T12:00:00Z"] {
            let start = Start::try_from(text.to_owned()).unwrap();
            assert_eq!(Start::try_from(String::from(start)), Ok(start), "{text}");
        }
        assert!(Start::try_from("newest".to_owned()).unwrap_err().contains("expected trim_horizon"));
    }
}
