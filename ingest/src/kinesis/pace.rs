//! When a shard is asked again.

use std::time::{Duration, Instant};

/// Kinesis allows five requests a second and shard.
pub(super) const LEAST: Duration = Duration::from_millis(200);
/// Longest wait between two tries.
const MOST: Duration = Duration::from_secs(5);

/// The present, by the clock that is moved in tests.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// How long to wait from one request to the next: as short as is allowed while there is more, else `poll`.
pub(super) fn until_next(is_behind: bool, poll: Duration) -> Duration {
    if is_behind { LEAST } else { poll.max(LEAST) }
}

/// How long `who` waits after `failures` in a row, at least one: twice as long each time, and up to half of it less, each by
/// another part, so that those who failed together do not come back together.
pub(super) fn after(failures: u32, who: &str) -> Duration {
    let whole = LEAST.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1))).min(MOST);
    let part = crc32c::crc32c_append(failures, who.as_bytes()) % 512;
    whole.mul_f64(1.0 - f64::from(part) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_differ() {
        let poll = Duration::from_millis(250);
        assert_eq!((until_next(true, poll), until_next(false, poll)), (LEAST, poll));
        for (failures, whole) in [(1, 200), (2, 400), (3, 800), (6, 5_000), (1_000, 5_000)] {
            let whole = Duration::from_millis(whole);
            let waits = ["a", "b", "shardId-000000000001"].map(|who| after(failures, who));
            assert!(waits.iter().all(|wait| *wait > whole / 3 && *wait <= whole), "{failures}: {waits:?}");
            assert!(waits[0] != waits[1] && waits[1] != waits[2], "{failures}: {waits:?}");
        }
    }
}
