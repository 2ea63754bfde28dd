//! Random turns that can be taken again: drawn from a seed, which a failure must print.

/// Turns, the same for the same seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    seed: u64,
    state: u64,
}

impl Turns {
    /// From the seed in `TIDEGATE_SEED`, or from one that no run before has had.
    pub(crate) fn seeded() -> Self {
        let asked = std::env::var("TIDEGATE_SEED").ok().and_then(|text| text.parse().ok());
        let fresh = || {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            since.map_or(0, |since| since.as_micros() as u64)
        };
        let seed = asked.unwrap_or_else(fresh);
        Self { seed, state: seed }
    }

    /// What to print.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Turns of their own, for another thread.
    pub(crate) fn split(&mut self) -> Self {
        Self { seed: self.seed, state: self.next() }
    }

    /// A number less than `n`, which is not 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
