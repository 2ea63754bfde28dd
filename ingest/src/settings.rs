//! What can be set about data coming in, and the defaults.

use serde::{Deserialize, Serialize};

/// Settings of the way in: the log, the consumer, the streams. Limits on messages themselves are [`schema::Limits`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IngestSettings {
    /// Partitions of each stream in the embedded log, 1 to 1,024. A key always goes to the same one, so raising this
    /// moves keys: messages of one key then keep their order only within the time before and the time after.
    pub partitions_per_stream: u32,
    /// Size at which a log file is followed by the next, in bytes. Files are removed once all in them is in the store.
    pub segment_bytes: u64,
    /// Most bytes that are written to the log with one sync; a single larger call still is one group.
    pub group_bytes: usize,
    /// Most calls that wait for the log.
    pub queue_calls: usize,
    /// Most bytes of messages that wait for the log.
    pub queue_bytes: usize,
    /// How long a call waits for room in that queue before it is told to try again, in milliseconds.
    pub queue_wait_ms: u64,
    /// Most messages of a streamed request body that are put into the log together.
    pub body_rows: usize,
    /// Most bytes of a streamed request body that are put into the log together.
    pub body_bytes: usize,
    /// How long the next bytes of a request body may take to come, in milliseconds.
    pub body_wait_ms: u64,
    /// Most records that the consumer takes from the log at once, which is also the most in one journal row.
    pub batch_rows: usize,
    /// Most bytes that the consumer takes from the log at once; a single larger message still is taken.
    pub batch_bytes: usize,
    /// How long what the store holds may go without a checkpoint, in milliseconds.
    pub checkpoint_interval_ms: u64,
    /// How many records may go without a checkpoint.
    pub checkpoint_rows: u64,
    /// First wait after the store failed, in milliseconds; it doubles up to `retry_ms_max`.
    pub retry_ms_min: u64,
    /// Longest wait between two tries while the store fails, in milliseconds.
    pub retry_ms_max: u64,
    /// How often a message is tried that the store refuses for what it is, before it is set aside as a dead letter.
    pub record_tries: u32,
    /// Most streams. Those of the configuration are always made; above it none is made on first use.
    pub streams_max: usize,
    /// Whether a stream that does not exist is made when a writer first uses it.
    pub create_streams: bool,
}

impl Default for IngestSettings {
    fn default() -> Self {
        Self {
            partitions_per_stream: 4,
            segment_bytes: 64 << 20,
            group_bytes: 4 << 20,
            queue_calls: 1_024,
            queue_bytes: 64 << 20,
            queue_wait_ms: 10_000,
            body_rows: 1_000,
            body_bytes: 1 << 20,
            body_wait_ms: 30_000,
            batch_rows: 4_096,
            batch_bytes: 4 << 20,
            checkpoint_interval_ms: 1_000,
            checkpoint_rows: 50_000,
            retry_ms_min: 50,
            retry_ms_max: 5_000,
            record_tries: 20,
            streams_max: 1_000,
            create_streams: true,
        }
    }
}

/// A setting that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{section}.{key} is {value}: expected {expected}")]
pub struct InvalidSetting {
    pub(crate) section: &'static str,
    pub(crate) key: &'static str,
    pub(crate) value: String,
    pub(crate) expected: &'static str,
}

impl IngestSettings {
    /// Checks what a type can't say.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first key whose value can't be used, the value and what was expected.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let refuse = |key, value: u64, expected| {
            Err(InvalidSetting { section: "ingest", key, value: value.to_string(), expected })
        };
        if !(1..=1_024).contains(&self.partitions_per_stream) {
            return refuse(
                "partitions_per_stream",
                self.partitions_per_stream.into(),
                "a number from 1 to 1024",
            );
        }
        if self.segment_bytes < 4_096 {
            return refuse("segment_bytes", self.segment_bytes, "at least 4096");
        }
        // A semaphore counts the queue's bytes, and 32 bits are what one acquisition can ask for.
        if !(1..=1 << 31).contains(&self.queue_bytes) {
            return refuse("queue_bytes", self.queue_bytes as u64, "a number from 1 to 2147483648");
        }
        for (key, value) in [
            ("group_bytes", self.group_bytes as u64),
            ("queue_calls", self.queue_calls as u64),
            ("queue_wait_ms", self.queue_wait_ms),
            ("body_rows", self.body_rows as u64),
            ("body_bytes", self.body_bytes as u64),
            ("body_wait_ms", self.body_wait_ms),
            ("batch_rows", self.batch_rows as u64),
            ("batch_bytes", self.batch_bytes as u64),
            ("checkpoint_interval_ms", self.checkpoint_interval_ms),
            ("checkpoint_rows", self.checkpoint_rows),
            ("retry_ms_min", self.retry_ms_min),
            ("retry_ms_max", self.retry_ms_max),
            ("record_tries", self.record_tries.into()),
        ] {
            if value == 0 {
                return refuse(key, value, "at least 1");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_used_and_a_bad_value_is_named() {
        assert_eq!(IngestSettings::default().check(), Ok(()));
        for (settings, expect) in [
            (
                IngestSettings { partitions_per_stream: 0, ..Default::default() },
                "ingest.partitions_per_stream is 0: expected a number from 1 to 1024",
            ),
            (
                IngestSettings { batch_rows: 0, ..Default::default() },
                "ingest.batch_rows is 0: expected at least 1",
            ),
            (
                IngestSettings { segment_bytes: 9, ..Default::default() },
                "ingest.segment_bytes is 9: expected at least 4096",
            ),
        ] {
            assert_eq!(settings.check().map_err(|error| error.to_string()), Err(expect.to_owned()));
        }
    }
}
