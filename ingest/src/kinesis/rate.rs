//! How much comes of a shard, lately.

use std::time::Instant;

/// How many bytes come in a second: what was counted last counts most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    at: Instant,
    bytes: u64,
    per_second: f64,
}

impl Rate {
    /// So many a second, as of `at`; from then on bytes are counted from 0.
    pub(super) fn of(per_second: f64, at: Instant) -> Self {
        Self { at, bytes: 0, per_second }
    }

    /// What it is at `now`, when `bytes` have come in all. After half a minute, what it was counts for little more than a third.
    pub(super) fn after(self, now: Instant, bytes: u64) -> Self {
        let seconds = now.duration_since(self.at).as_secs_f64();
        if seconds <= 0.0 {
            return self;
        }
        let old = (-seconds / 30.0).exp();
        let lately = bytes.saturating_sub(self.bytes) as f64 / seconds;
        Self { at: now, bytes, per_second: self.per_second * old + lately * (1.0 - old) }
    }

    pub(super) fn per_second(self) -> u64 {
        self.per_second as u64
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rate_comes_to_what_comes_and_forgets_what_was() {
        let begin = Instant::now();
        let (mut rate, mut bytes) = (Rate::of(0.0, begin), 0);
        for second in 1..=300 {
            bytes += 1_000;
            rate = rate.after(begin + Duration::from_secs(second), bytes);
        }
        assert!((995..=1_000).contains(&rate.per_second()), "{rate:?}");
        assert_eq!(rate.after(begin + Duration::from_secs(300), bytes).per_second(), rate.per_second());
        let half_a_minute = rate.after(begin + Duration::from_secs(330), bytes).per_second();
        assert!((360..=370).contains(&half_a_minute), "{half_a_minute}");
        assert_eq!(rate.after(begin + Duration::from_secs(2_000), bytes).per_second(), 0);
        // Whoever has a shard next begins with what it was, and counts anew.
        assert_eq!(Rate::of(500.0, begin).after(begin, 77).per_second(), 500);
    }
}
