//! The keys of an issuer as they were looked up last, and when they are looked up again: by one at a time, and not often.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schema::{Clock, Timestamp};

use super::keys::Keys;
use super::source::SourceError;

/// Between the end of a look-up and the next one that tokens ask for: as many as come with a key that is not known.
const PAUSE_MICROS: i64 = 10 * 1_000_000;

/// The keys, and how old they may be. Clones share them.
#[derive(Clone)]
pub(super) struct KeyCache(Arc<Inner>);

struct Inner {
    name: String,
    /// In microseconds: when they are looked up again, and until when they are used where that fails.
    age_max: i64,
    away_max: i64,
    kept: Mutex<Option<Kept>>,
    /// How the last look-up ended, and when; locked by whoever does the next.
    tried: tokio::sync::Mutex<Option<Tried>>,
    clock: Clock,
}

/// Keys, and when they were looked up.
struct Kept {
    keys: Arc<Keys>,
    at: Timestamp,
}

#[derive(Clone, Copy)]
struct Tried {
    at: Timestamp,
    worked: bool,
}

impl KeyCache {
    /// Nothing was looked up yet; ages are in seconds.
    pub(super) fn new(name: &str, age_max: u32, away_max: u32, clock: Clock) -> Self {
        let micros = |seconds: u32| i64::from(seconds) * 1_000_000;
        let (age_max, away_max) = (micros(age_max), micros(away_max.max(age_max)));
        let (kept, tried) = Default::default();
        Self(Arc::new(Inner { name: name.to_owned(), age_max, away_max, kept, tried, clock }))
    }

    /// The keys by which a token with the key `id` is judged; `None` where nobody can say now. They are looked up where they are too
    /// old, or lack that one, and nobody has just done so. Who can be judged by those that are old does not wait for it.
    pub(super) async fn keys<F>(&self, id: &str, look_up: impl FnOnce() -> F) -> Option<Arc<Keys>>
    where
        F: Future<Output = Result<Keys, SourceError>> + Send + 'static,
    {
        if let Some(keys) = self.0.fresh(id) {
            return Some(keys);
        }
        // A task of its own: whoever asked may go away meanwhile, and others wait for the same.
        let known = self.0.kept(self.0.away_max).filter(|keys| keys.get(id).is_some());
        if known.is_some() {
            tokio::spawn(self.0.clone().refresh_unless_busy(look_up()));
            return known;
        }
        tokio::spawn(self.0.clone().refresh(id.to_owned(), look_up())).await.ok().flatten()
    }

    /// Another number whenever other keys were looked up; `None` while they are too old for what was verified by them to go on
    /// without a look.
    pub(super) fn serial(&self) -> Option<u64> {
        self.0.kept(self.0.age_max).map(|keys| keys.serial)
    }
}

impl Inner {
    async fn refresh_unless_busy(self: Arc<Self>, look_up: impl Future<Output = Result<Keys, SourceError>>) {
        if let Ok(mut tried) = self.tried.try_lock() {
            self.look_up(&mut tried, look_up).await;
        }
    }

    async fn refresh(
        self: Arc<Self>,
        id: String,
        look_up: impl Future<Output = Result<Keys, SourceError>>,
    ) -> Option<Arc<Keys>> {
        let mut tried = self.tried.lock().await;
        // Somebody may have done it meanwhile.
        if let Some(keys) = self.fresh(&id) {
            return Some(keys);
        }
        self.look_up(&mut tried, look_up).await;
        // That a key is not among them says something only of those that the issuer has now.
        let is_told = tried.is_some_and(|tried| tried.worked);
        self.kept(self.away_max).filter(|keys| is_told || keys.get(&id).is_some())
    }

    /// Looks keys up, unless that was just done.
    async fn look_up(
        &self,
        tried: &mut Option<Tried>,
        look_up: impl Future<Output = Result<Keys, SourceError>>,
    ) {
        let now = (self.clock)();
        if tried.is_some_and(|tried| tried.at.plus_micros(PAUSE_MICROS) > now) {
            return;
        }
        let found = look_up.await;
        // When it ended: it may have taken longer than the pause, and those who waited would each begin another.
        *tried = Some(Tried { at: (self.clock)(), worked: found.is_ok() });
        match found {
            Ok(mut keys) => {
                tracing::debug!(issuer = self.name, keys = keys.len(), "an issuer's keys were looked up");
                let mut kept = self.lock();
                keys.serial = kept.as_ref().map_or(0, |kept| kept.keys.serial) + 1;
                *kept = Some(Kept { keys: Arc::new(keys), at: now });
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    issuer = self.name,
                    error,
                    "an issuer's keys can't be looked up: those that are known are used as long as they may be"
                );
            }
        }
    }

    /// Keys that are not too old and have `id`.
    fn fresh(&self, id: &str) -> Option<Arc<Keys>> {
        self.kept(self.age_max).filter(|keys| keys.get(id).is_some())
    }

    /// Keys that are not older than so many microseconds.
    fn kept(&self, age_max: i64) -> Option<Arc<Keys>> {
        let kept = self.lock();
        let Kept { keys, at } = kept.as_ref()?;
        (at.plus_micros(age_max) > (self.clock)()).then(|| keys.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
