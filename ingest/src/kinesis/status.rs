//! How each shard that is consumed here is doing: written by those who consume it, read by whoever asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use schema::{PartitionId, StreamName};
use store::Report;

use super::pace;
use super::rate::Rate;

/// All streams and shards of this process.
#[derive(Debug, Default)]
pub(super) struct Status {
    pub(super) shards: Mutex<BTreeMap<(StreamName, PartitionId), Arc<ShardStatus>>>,
    /// Why a stream's shards can't be looked at now.
    streams: Mutex<BTreeMap<StreamName, String>>,
    /// How many shards can't be read.
    failing: Arc<AtomicU64>,
    /// Of shards that are consumed here no more.
    pub(super) past: Counts,
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) records: AtomicU64,
    pub(super) throttles: AtomicU64,
    pub(super) failures: AtomicU64,
}

/// One shard that is consumed here.
#[derive(Debug, Default)]
pub(super) struct ShardStatus {
    pub(super) counts: Counts,
    pub(super) lag_ms: AtomicU64,
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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

impl Status {
    /// A shard is consumed here from now on; `last` is what its owner before said of it.
    pub(super) fn begin(&self, stream: &StreamName, shard: &PartitionId, last: Report) -> Arc<ShardStatus> {
        let mut status = ShardStatus::default();
        status.failing = self.failing.clone();
        status.rate = Mutex::new(Some(Rate::of(last.bytes_per_second as f64, pace::now())));
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
        let next = rate.map_or_else(|| Rate::of(0.0, now), |rate| rate.after(now, bytes));
        *rate = Some(next);
        Report {
            lag_ms: self.lag_ms.load(Ordering::Relaxed),
            unmarked_ms: self.checkpoint_age().as_millis() as u64,
            bytes_per_second: next.per_second(),
            throttles: self.counts.throttles.load(Ordering::Relaxed),
            retries: self.counts.failures.load(Ordering::Relaxed),
            dead_letters: self.dead_letters.load(Ordering::Relaxed),
        }
    }

    pub(super) fn checkpoint_age(&self) -> Duration {
        self.unmarked_since().map_or(Duration::ZERO, |since| pace::now().duration_since(since))
    }
}
