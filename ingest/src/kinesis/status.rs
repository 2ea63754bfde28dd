//! How each shard that is consumed here is doing: written by those who consume it, read by whoever asks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use schema::{PartitionId, StreamName};
use store::Report;

use super::pace;

/// All streams and shards of this process.
#[derive(Debug, Default)]
pub(super) struct Status {
    shards: Mutex<BTreeMap<(StreamName, PartitionId), Arc<ShardStatus>>>,
    /// Why a stream's shards can't be looked at now.
    streams: Mutex<BTreeMap<StreamName, String>>,
    /// How many shards can't be read.
    failing: Arc<AtomicU64>,
    /// Of shards that are consumed here no more.
    past: Counts,
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) records: AtomicU64,
    pub(super) throttles: AtomicU64,
    pub(super) failures: AtomicU64,
}

/// How many bytes come in a second, lately: what was counted last counts most.
#[derive(Clone, Copy, Debug)]
struct Rate {
    at: Instant,
    bytes: u64,
    per_second: f64,
}

/// One shard that is consumed here.
#[derive(Debug, Default)]
pub(super) struct ShardStatus {
    pub(super) counts: Counts,
    lag_ms: AtomicU64,
    unmarked_since: Mutex<Option<Instant>>,
    failure: Mutex<Option<String>>,
    bytes: AtomicU64,
    pub(super) dead_letters: AtomicU64,
    rate: Mutex<Option<Rate>>,
    /// How many shards of this process can't be read.
    failing: Arc<AtomicU64>,
}

impl Drop for ShardStatus {
    fn drop(&mut self) {
        if lock(&self.failure).is_some() {
            self.failing.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Counts {
    fn add(&self, other: &Self) {
        for (to, from) in [
            (&self.records, &other.records),
            (&self.throttles, &other.throttles),
            (&self.failures, &other.failures),
        ] {
            to.fetch_add(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

impl Rate {
    /// What it is at `now`, when `bytes` have come in all. After half a minute, what it was counts for little more than a third.
    fn after(self, now: Instant, bytes: u64) -> Self {
        let seconds = now.duration_since(self.at).as_secs_f64();
        if seconds <= 0.0 {
            return self;
        }
        let old = (-seconds / 30.0).exp();
        let lately = bytes.saturating_sub(self.bytes) as f64 / seconds;
        Self { at: now, bytes, per_second: self.per_second * old + lately * (1.0 - old) }
    }
}

impl Status {
    /// A shard is consumed here from now on; `last` is what its owner before said of it.
    pub(super) fn begin(&self, stream: &StreamName, shard: &PartitionId, last: Report) -> Arc<ShardStatus> {
        let mut status = ShardStatus::default();
        status.failing = self.failing.clone();
        let per_second = last.bytes_per_second as f64;
        status.rate = Mutex::new(Some(Rate { at: pace::now(), bytes: 0, per_second }));
        let status = Arc::new(status);
        if let Some(before) = lock(&self.shards).insert((stream.clone(), shard.clone()), status.clone()) {
            self.past.add(&before.counts);
        }
        status
    }

    /// A shard is not consumed here any more.
    pub(super) fn end(&self, stream: &StreamName, shard: &PartitionId) {
        if let Some(before) = lock(&self.shards).remove(&(stream.clone(), shard.clone())) {
            self.past.add(&before.counts);
        }
    }

    /// A stream was looked at, or could not be.
    pub(super) fn looked(&self, stream: &StreamName, outcome: Result<(), String>) {
        let mut streams = lock(&self.streams);
        match outcome {
            Ok(()) => {
                if streams.remove(stream).is_some() {
                    tracing::info!(%stream, "the stream's shards can be listed again");
                }
            }
            Err(reason) => {
                let before = streams.insert(stream.clone(), reason.clone());
                if before.is_none() {
                    tracing::warn!(%stream, reason, "the stream's shards can't be listed: it is tried again until it works");
                }
            }
        }
    }

    /// Why not everything goes on now, if so.
    pub(super) fn failure(&self) -> Option<String> {
        if let Some((stream, reason)) = lock(&self.streams).first_key_value() {
            return Some(format!("the shards of stream {stream} can't be listed: {reason}"));
        }
        let shards = lock(&self.shards);
        let failing = shards.iter().find_map(|(key, shard)| Some((key, lock(&shard.failure).clone()?)));
        failing.map(|((stream, shard), reason)| format!("{shard} of stream {stream} can't be read: {reason}"))
    }

    /// How long the oldest work without a checkpoint has waited for one.
    pub(super) fn checkpoint_age(&self) -> Duration {
        let shards = lock(&self.shards);
        shards.values().map(|shard| shard.checkpoint_age()).max().unwrap_or_default()
    }
}

impl ShardStatus {
    /// It was read, and what it gave was put so long ago.
    pub(super) fn read(&self, records: u64, bytes: u64, lag: Duration) {
        self.counts.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.lag_ms.store(lag.as_millis() as u64, Ordering::Relaxed);
        if lock(&self.failure).take().is_some() && self.failing.fetch_sub(1, Ordering::Relaxed) == 1 {
            tracing::info!("all shards can be read again");
        }
    }

    /// It could not be read.
    pub(super) fn failed(&self, stream: &StreamName, shard: &PartitionId, reason: &str) {
        self.counts.failures.fetch_add(1, Ordering::Relaxed);
        let before = lock(&self.failure).replace(reason.to_owned());
        // Told once, and not for each shard, as what fails is Kinesis most of the time.
        if before.is_none() && self.failing.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(%stream, %shard, reason, "a shard can't be read: this and any other is tried again until it works");
        }
    }

    /// Something of it is in the store, or on its way, without a checkpoint.
    pub(super) fn begin_work(&self) {
        lock(&self.unmarked_since).get_or_insert_with(pace::now);
    }

    /// Everything that was read of it has its checkpoint.
    pub(super) fn marked(&self) {
        lock(&self.unmarked_since).take();
    }

    pub(super) fn unmarked_since(&self) -> Option<Instant> {
        *lock(&self.unmarked_since)
    }

    /// What is said of it to others, each time its lease is renewed.
    pub(super) fn report(&self) -> Report {
        let (now, bytes) = (pace::now(), self.bytes.load(Ordering::Relaxed));
        let mut rate = lock(&self.rate);
        let next = match *rate {
            Some(rate) => rate.after(now, bytes),
            None => Rate { at: now, bytes, per_second: 0.0 },
        };
        *rate = Some(next);
        Report {
            lag_ms: self.lag_ms.load(Ordering::Relaxed),
            unmarked_ms: self.checkpoint_age().as_millis() as u64,
            bytes_per_second: next.per_second as u64,
            throttles: self.counts.throttles.load(Ordering::Relaxed),
            retries: self.counts.failures.load(Ordering::Relaxed),
            dead_letters: self.dead_letters.load(Ordering::Relaxed),
        }
    }

    fn checkpoint_age(&self) -> Duration {
        self.unmarked_since().map_or(Duration::ZERO, |since| pace::now().duration_since(since))
    }
}

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
