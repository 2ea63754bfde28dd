//! What a scrape is told of the shards that are consumed here.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::status::{Counts, ShardStatus, Status, lock};

/// A name, what it means, and how it is read.
type Metric<T, V> = (&'static str, &'static str, fn(&T) -> V);

/// What a scrape is told of shards.
pub(super) struct Shards(pub(super) Arc<Status>);

impl fmt::Debug for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shards")
    }
}

impl Collector for Shards {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let shards = lock(&self.0.shards).clone();
        let seconds: [Metric<ShardStatus, f64>; 2] = [
            (
                "kinesis_shard_lag_seconds",
                "How long ago what comes next of a shard was put, as Kinesis says",
                |shard| shard.lag_ms.load(Ordering::Relaxed) as f64 / 1e3,
            ),
            (
                "kinesis_shard_checkpoint_age_seconds",
                "How long the oldest work of a shard without a checkpoint has waited for one",
                |shard| shard.checkpoint_age().as_secs_f64(),
            ),
        ];
        for (name, help, value) in seconds {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for ((stream, shard), status) in &shards {
                let labels = [("stream", stream.as_str()), ("shard", shard.as_str())];
                ConstGauge::new(value(status)).encode(metric.encode_family(&labels)?)?;
            }
        }
        let counts: [Metric<Counts, u64>; 3] = [
            ("kinesis_records_read", "Records that Kinesis gave", |counts| {
                counts.records.load(Ordering::Relaxed)
            }),
            ("kinesis_throttles", "Requests for records that Kinesis refused as too many", |counts| {
                counts.throttles.load(Ordering::Relaxed)
            }),
            ("kinesis_read_failures", "Requests for records that failed, and were made again", |counts| {
                counts.failures.load(Ordering::Relaxed)
            }),
        ];
        for (name, help, count) in counts {
            let total = count(&self.0.past) + shards.values().map(|shard| count(&shard.counts)).sum::<u64>();
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(total).encode(metric)?;
        }
        let metric = encoder.encode_descriptor(
            "kinesis_shards",
            "Shards that are consumed here",
            None,
            MetricType::Gauge,
        )?;
        ConstGauge::new(shards.len() as u64).encode(metric)
    }
}
