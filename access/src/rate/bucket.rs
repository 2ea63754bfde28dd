//! One limit: so much a second, and so much at once.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// The time since some beginning, which never goes back.
#[derive(Clone)]
pub struct Ticks(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Ticks {
    /// As `read` tells it.
    pub fn new(read: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// As the system tells it.
    pub fn of_system() -> Self {
        let began = Instant::now();
        Self::new(move || began.elapsed())
    }

    pub(super) fn read(&self) -> Duration {
        (self.0)()
    }
}

impl fmt::Debug for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticks")
    }
}

impl Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.read().into()
    }
}

/// More a second than this is counted in larger units: the library counts in whole nanoseconds between two.
const UNITS_MAX: u32 = 1_000_000;

/// A limit, or none.
#[derive(Debug)]
pub(super) struct Bucket(Option<Limit>);

#[derive(Debug)]
struct Limit {
    limiter: RateLimiter<NotKeyed, InMemoryState, Ticks, StateInformationMiddleware>,
    /// How much one unit stands for.
    unit: u32,
    burst: NonZeroU32,
    clock: Ticks,
}

impl Bucket {
    /// `rate` a second, and `burst` at once; no limit if either is 0.
    pub(super) fn new(rate: u32, burst: u32, clock: &Ticks) -> Self {
        let unit = rate.div_ceil(UNITS_MAX).max(1);
        let limit = NonZeroU32::new(rate / unit).zip(NonZeroU32::new(burst.div_ceil(unit)));
        Self(limit.map(|(rate, burst)| {
            Limit {
                limiter: RateLimiter::direct_with_clock(
                    Quota::per_second(rate).allow_burst(burst),
                    clock.clone(),
                )
                .with_middleware(),
                unit,
                burst,
                clock: clock.clone(),
            }
        }))
    }

    /// Takes `count`. `Ok` is how long it is until there is more: nothing, if there is more now.
    ///
    /// # Errors
    /// So much is not there, and nothing was taken: how long it is until it is.
    pub(super) fn take(&self, count: usize) -> Result<Duration, Duration> {
        let Some(limit) = &self.0 else { return Ok(Duration::ZERO) };
        let units = u32::try_from(count.div_ceil(limit.unit as usize)).unwrap_or(u32::MAX);
        // No call may bring more than the burst, which the settings see to: it would wait for ever.
        let Some(units) = NonZeroU32::new(units.min(limit.burst.get())) else { return Ok(Duration::ZERO) };
        match limit.limiter.check_n(units) {
            Ok(Ok(left)) if left.remaining_burst_capacity() == 0 => Ok(left.quota().replenish_interval()),
            Ok(Ok(_)) | Err(_) => Ok(Duration::ZERO),
            Ok(Err(refused)) => Err(refused.wait_time_from(limit.clock.now())),
        }
    }
}
