//! Settings of the embedded store.

use serde::{Deserialize, Serialize};

use crate::StoreError;

const MIB: u64 = 1 << 20;

/// What the embedded store may use of memory, disk and threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedOptions {
    /// Memory for what was read from disk, in bytes. It fills with use, not at the start.
    pub block_cache_bytes: u64,
    /// Rows of messages gathered in memory before they go to disk as one sorted file, in bytes; each smaller table
    /// has a quarter of it. Fixed when the folder is made.
    pub write_buffer_bytes: u64,
    /// Most disk for the store's own write-ahead log, in bytes, at least 64 MiB. It is replayed at a start.
    pub journal_bytes_max: u64,
    /// Memory for the times that topics span, in bytes: topics in it are written without being read first.
    pub topic_cache_bytes: u64,
    /// Background threads that write and merge sorted files.
    pub workers: usize,
    /// Most reads that are under way at once, and as many writes; further ones wait.
    pub calls_max: usize,
    /// Longest that a call may take, in seconds; then it fails as unavailable, and may be repeated.
    pub call_seconds_max: u64,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            block_cache_bytes: 64 * MIB,
            write_buffer_bytes: 16 * MIB,
            journal_bytes_max: 128 * MIB,
            topic_cache_bytes: 8 * MIB,
            // Of the pool, the first thread leaves merging to the others and hands such work back to the queue in a
            // loop: with fewer than three, it spins for as long as a merge lasts.
            workers: 4,
            calls_max: 16,
            call_seconds_max: 60,
        }
    }
}

impl EmbeddedOptions {
    /// Refuses what the database would answer with a panic.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let wrong = |setting: &str, least: u64, got: u64| {
            let text = format!("the embedded store's {setting} must be at least {least}, not {got}");
            Err(StoreError::Open(text))
        };
        for (setting, least, got) in [
            ("write_buffer_bytes", MIB, self.write_buffer_bytes),
            ("journal_bytes_max", 64 * MIB, self.journal_bytes_max),
            ("workers", 1, self.workers as u64),
            ("calls_max", 1, self.calls_max as u64),
            ("call_seconds_max", 1, self.call_seconds_max),
        ] {
            if got < least {
                return wrong(setting, least, got);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_by_name() {
        let options: EmbeddedOptions = serde_json::from_str(r#"{"journal_bytes_max": 5}"#).unwrap();
        let error = options.check().unwrap_err().to_string();
        assert_eq!(error, "the embedded store's journal_bytes_max must be at least 67108864, not 5");
        assert!(serde_json::from_str::<EmbeddedOptions>(r#"{"cache": 5}"#).is_err());
        assert!(EmbeddedOptions::default().check().is_ok());
    }
}
