//! What the consumer does while the store fails: it waits, tries again, and says so once.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use store::StoreError;

use crate::IngestSettings;

/// How long to wait before each further try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    min: Duration,
    max: Duration,
}

impl Schedule {
    pub(crate) fn new(settings: &IngestSettings) -> Self {
        let min = Duration::from_millis(settings.retry_ms_min);
        Self { min, max: Duration::from_millis(settings.retry_ms_max).max(min) }
    }

    /// The wait after `failures` in a row, at least one.
    fn wait(self, failures: u32) -> Duration {
        let factor = 2u32.saturating_pow(failures.saturating_sub(1));
        self.min.saturating_mul(factor).min(self.max)
    }
}

/// Tries without limit, as what was accepted must come into the store, however long that is away. The memory of what
/// waits is bounded: the consumer reads no more meanwhile.
#[derive(Debug)]
pub(crate) struct Patience {
    schedule: Schedule,
    parked: Mutex<Parked>,
}

#[derive(Debug, Default)]
struct Parked {
    /// How many steps are being tried again.
    steps: usize,
    since: Option<Instant>,
    why: String,
}

impl Patience {
    pub(crate) fn new(schedule: Schedule) -> Self {
        Self { schedule, parked: Mutex::default() }
    }

    /// Why nothing goes on now, if so.
    pub(crate) fn parked(&self) -> Option<String> {
        let parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        (parked.steps > 0).then(|| parked.why.clone())
    }

    /// Does `step` until it works.
    pub(crate) async fn until_done<T, E, F>(&self, doing: &str, mut step: impl FnMut() -> F) -> T
    where
        E: Display + std::error::Error,
        F: Future<Output = Result<T, E>>,
    {
        let mut failures = 0;
        let mut standing = None;
        loop {
            match step().await {
                Ok(done) => return done,
                Err(error) => {
                    failures += 1;
                    if standing.is_none() {
                        standing = Some(self.park(doing, &error));
                    }
                }
            }
            tokio::time::sleep(self.schedule.wait(failures)).await;
        }
    }

    /// Does `step` until it works, or until the store has refused it so many times. Only a refusal counts, and it is soon tried
    /// again: what stands behind it waits.
    pub(crate) async fn until_done_or_refused<T, F>(
        &self,
        doing: &str,
        tries: u32,
        mut step: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut refusals = 0;
        loop {
            let attempt = || {
                let step = step();
                async {
                    match step.await {
                        Ok(done) => Ok(Ok(done)),
                        Err(refused @ StoreError::Refused { .. }) => Ok(Err(refused)),
                        Err(error) => Err(error),
                    }
                }
            };
            match self.until_done(doing, attempt).await {
                Ok(done) => return Ok(done),
                Err(refused) => {
                    refusals += 1;
                    if refusals >= tries {
                        return Err(refused);
                    }
                }
            }
            tokio::time::sleep(self.schedule.min).await;
        }
    }

    fn park(&self, doing: &str, error: &dyn std::error::Error) -> Standing<'_> {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.steps += 1;
        if parked.steps == 1 {
            parked.why = format!("could not {doing}: {}", chain(error));
            parked.since = Some(Instant::now());
            tracing::warn!(reason = parked.why, "the consumer waits, and tries again until it works");
        }
        Standing(self)
    }
}

/// A step that has failed; it ends when the step has worked, or is given up with everything else.
struct Standing<'a>(&'a Patience);

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        let mut parked = self.0.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.steps -= 1;
        if parked.steps == 0 {
            let duration_ms = parked.since.take().map_or(0, |since| since.elapsed().as_millis() as u64);
            tracing::info!(duration_ms, "the consumer goes on");
        }
    }
}

/// An error with all that it stems from, on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let settings = IngestSettings { retry_ms_min: 50, retry_ms_max: 300, ..IngestSettings::default() };
        let schedule = Schedule::new(&settings);
        let waits: Vec<u128> = (1..6).map(|failures| schedule.wait(failures).as_millis()).collect();
        assert_eq!(waits, [50, 100, 200, 300, 300]);
        assert_eq!(schedule.wait(u32::MAX).as_millis(), 300);
    }
}
