//! What is counted of data coming in. Names are without the prefix that the registry gives them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use store::PublishError;

/// Why a message was refused, as a label: one word of a fixed few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Refused {
    reason: &'static str,
}

/// What the way in counts.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) accepted: Counter,
    pub(crate) accepted_bytes: Counter,
    pub(crate) refused: Family<Refused, Counter>,
    pub(crate) log: Arc<LogMetrics>,
    pub(crate) rows: Counter,
    pub(crate) folded: Counter,
    pub(crate) dead_letters: Counter,
}

/// What the log counts.
#[derive(Debug)]
pub struct LogMetrics {
    syncs: Counter<u64, AtomicU64>,
    sync_seconds: Histogram,
}

impl Default for LogMetrics {
    fn default() -> Self {
        // From a disk with a battery behind its cache to one that is failing.
        let buckets = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
        Self { syncs: Counter::default(), sync_seconds: Histogram::new(buckets) }
    }
}

impl LogMetrics {
    /// A group was made durable, and that took so long.
    pub(crate) fn synced(&self, took: Duration) {
        self.syncs.inc();
        self.sync_seconds.observe(took.as_secs_f64());
    }

    /// How many syncs there were.
    pub fn syncs(&self) -> u64 {
        self.syncs.get()
    }
}

impl Metrics {
    /// Counts a refusal.
    pub(crate) fn refuse(&self, error: &PublishError) {
        let reason = match error {
            PublishError::NotJson(_) => "not_json",
            PublishError::Unroutable(_) => "unroutable",
            PublishError::Invalid(_) => "invalid",
            PublishError::UnknownStream(..) => "unknown_stream",
            PublishError::Denied(_) => "denied",
            PublishError::Elsewhere(_) => "elsewhere",
            PublishError::Unavailable(_) => "unavailable",
        };
        self.refused.get_or_create(&Refused { reason }).inc();
    }

    /// Registers everything but what [`Standing`] asks for.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter("ingest_messages_accepted", "Messages made durable in the log", &self.accepted);
        counter("ingest_bytes_accepted", "Bytes of messages made durable in the log", &self.accepted_bytes);
        counter("ingest_rows_written", "Messages written to the store", &self.rows);
        counter("ingest_messages_folded", "Messages left out, as their id had come before", &self.folded);
        counter("ingest_dead_letters", "Records set aside as dead letters", &self.dead_letters);
        counter("ingest_log_syncs", "Syncs of the log, each for a group of messages", &self.log.syncs);
        registry.register("ingest_messages_refused", "Messages refused, by reason", self.refused.clone());
        registry.register_with_unit(
            "ingest_log_sync",
            "How long a sync of the log took",
            Unit::Seconds,
            self.log.sync_seconds.clone(),
        );
    }
}

/// What is asked for at the moment of a scrape.
pub(crate) struct Standing<F>(pub(crate) F);

/// The answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Gauges {
    pub(crate) lag_records: u64,
    pub(crate) checkpoint_age: Duration,
    pub(crate) log_bytes: u64,
}

impl<F> fmt::Debug for Standing<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Standing")
    }
}

impl<F: Fn() -> Gauges + Send + Sync + 'static> Collector for Standing<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let gauges = (self.0)();
        let mut gauge = |name: &str, help: &str, value: f64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge(
            "ingest_consumer_lag_records",
            "Records in the log that are not in the store yet",
            gauges.lag_records as f64,
        )?;
        gauge(
            "ingest_checkpoint_age_seconds",
            "How long the oldest work without a checkpoint has waited for one",
            gauges.checkpoint_age.as_secs_f64(),
        )?;
        gauge("ingest_log_bytes", "Size of the log's files", gauges.log_bytes as f64)
    }
}
