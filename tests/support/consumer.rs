//! What a node's consumer has done, by its metrics.

use std::time::{Duration, Instant};

use super::{PATIENCE, Server};

impl Server {
    /// One of its metrics, without labels.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// Waits until all that it has accepted is in the store. How long that takes is the store's business: the test gives up
    /// when nothing more gets there.
    pub(crate) fn catch_up(&self) {
        let (mut least, mut since) = (f64::INFINITY, Instant::now());
        loop {
            let lag = self.metric("tidegate_ingest_consumer_lag_records");
            if lag == 0.0 {
                return;
            }
            if lag < least {
                (least, since) = (lag, Instant::now());
            }
            assert!(since.elapsed() < PATIENCE, "{lag} records are left, and were so for {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
