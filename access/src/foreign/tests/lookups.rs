//! How often an issuer is asked for its keys, and what goes on while it does not answer.

use std::sync::atomic::AtomicUsize;

use futures_util::future::join_all;

use super::*;
use crate::foreign::cache::KeyCache;
use crate::foreign::source::SourceError;
use crate::{AuthError, Foreign, Refusal, verify};

const HOUR: u32 = 3_600;

/// An issuer, and how often it was asked.
#[derive(Clone)]
struct Asked {
    cache: KeyCache,
    seconds: Arc<AtomicI64>,
    times: Arc<AtomicUsize>,
}

impl Asked {
    fn new() -> Self {
        let (clock, seconds) = clock();
        Self { cache: KeyCache::new("corp", HOUR, 24 * HOUR, clock), seconds, times: Arc::default() }
    }

    /// Whether a key of this id is had, while the issuer publishes `ids`, or does not answer.
    async fn has(&self, id: &str, ids: Option<&[&str]>) -> Option<bool> {
        let (times, ids) =
            (self.times.clone(), ids.map(|ids| ids.iter().map(ToString::to_string).collect::<Vec<_>>()));
        let look_up = || async move {
            times.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            let ids = ids.ok_or(SourceError::NoKeys)?;
            Ok(keys(&ids.iter().map(|id| (id.as_str(), 1)).collect::<Vec<_>>()))
        };
        self.cache.keys(id, look_up).await.map(|keys| keys.get(id).is_some())
    }

    /// Lets what goes on behind come to its end.
    async fn rest(&self) {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    fn pass(&self, seconds: u32) {
        self.seconds.fetch_add(seconds.into(), Ordering::Relaxed);
    }

    fn times(&self) -> usize {
        self.times.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn keys_are_looked_up_once_however_many_ask_and_again_when_they_are_old() {
    let asked = Asked::new();
    let all = join_all((0..50).map(|_| asked.has("k1", Some(&["k1"])))).await;
    assert_eq!((all, asked.times()), (vec![Some(true); 50], 1));
    asked.pass(HOUR - 1);
    assert_eq!((asked.has("k1", None).await, asked.times()), (Some(true), 1));
    asked.pass(1);
    // Who is known does not wait for it, nor for an issuer that hangs.
    let serial = asked.cache.serial();
    assert_eq!(serial, None, "what was verified is to be verified again");
    assert_eq!(asked.has("k1", Some(&["k2"])).await, Some(true));
    asked.rest().await;
    assert_eq!((asked.times(), asked.cache.serial()), (2, Some(2)));
    assert_eq!(asked.has("k1", None).await, Some(false), "it was dropped");
}

#[tokio::test]
async fn of_a_key_that_is_not_known_nobody_can_say_anything_while_the_issuer_is_away() {
    let asked = Asked::new();
    asked.has("k1", Some(&["k1"])).await;
    asked.pass(10);
    assert_eq!(asked.has("k2", None).await, None, "it may be new");
    assert_eq!(asked.has("k1", None).await, Some(true));
    asked.pass(10);
    assert_eq!(asked.has("k2", Some(&["k1"])).await, Some(false));
}

#[tokio::test]
async fn a_key_that_is_not_known_asks_again_and_not_more_often_than_now_and_then() {
    let asked = Asked::new();
    asked.has("k1", Some(&["k1"])).await;
    // Of a rotation just now nobody can know; and a thousand made-up ids are one question.
    for n in 0..1_000 {
        assert_eq!(asked.has(&format!("made-up-{n}"), Some(&["k1"])).await, Some(false));
    }
    assert_eq!(asked.times(), 1);
    asked.pass(10);
    assert_eq!(asked.has("k2", Some(&["k1", "k2"])).await, Some(true), "it was rotated");
    assert_eq!(asked.has("k3", Some(&["k2", "k3"])).await, Some(false));
    assert_eq!((asked.has("k1", None).await, asked.times()), (Some(true), 2));
}

#[tokio::test]
async fn who_waited_for_a_look_up_that_took_long_does_not_begin_another() {
    let asked = Asked::new();
    let slow = |n: usize| {
        let asked = asked.clone();
        async move {
            let look_up = || {
                let asked = asked.clone();
                async move {
                    asked.times.fetch_add(1, Ordering::Relaxed);
                    // The others come to wait meanwhile.
                    tokio::task::yield_now().await;
                    asked.pass(20);
                    Err(SourceError::NoKeys)
                }
            };
            asked.cache.keys(&format!("made-up-{n}"), look_up).await.is_some()
        }
    };
    let all = join_all((0..50).map(slow)).await;
    assert_eq!((all, asked.times()), (vec![false; 50], 1));
}

#[tokio::test]
async fn known_keys_go_on_for_a_day_while_the_issuer_does_not_answer() {
    let asked = Asked::new();
    assert_eq!((asked.has("k1", None).await, asked.times()), (None, 1), "nobody can say");
    assert_eq!((asked.has("k1", Some(&["k1"])).await, asked.times()), (None, 1), "it was just asked");
    asked.pass(10);
    assert_eq!(asked.has("k1", Some(&["k1"])).await, Some(true));
    for _ in 0..23 {
        asked.pass(HOUR);
        assert_eq!(asked.has("k1", None).await, Some(true));
        asked.rest().await;
    }
    assert_eq!(asked.times(), 2 + 23);
    asked.pass(HOUR);
    assert_eq!(asked.has("k1", None).await, None, "a day is over");
    asked.pass(10);
    assert_eq!(asked.has("k1", Some(&["k1"])).await, Some(true));
}

#[tokio::test]
async fn who_goes_away_leaves_nobody_behind() {
    let asked = Asked::new();
    // It begins, and is dropped.
    assert!(futures_util::poll!(Box::pin(asked.has("k1", Some(&["k1"])))).is_pending());
    assert_eq!((asked.has("k1", Some(&["k1"])).await, asked.times()), (Some(true), 1));
}

#[tokio::test]
async fn a_token_that_was_seen_before_ends_with_the_key_that_signed_it() {
    let (_, sample) = samples().remove(0);
    let (clock, seconds) = clock();
    let foreign =
        Foreign::all(&[settings_of(&sample)], &Arc::default(), &|_| None, &clock).unwrap().remove(0);
    let token = sign(1, &sample["header"], &sample["claims"]);
    let (hash, cache) = (verify::hash(&token).unwrap(), foreign.cache.clone());
    let look_up = |id: &'static str| async move { Ok(keys(&[(id, 1)])) };
    assert!(cache.keys("k1", || look_up("k1")).await.is_some());
    assert_eq!(foreign.known(&hash, clock()), Ok(None));
    assert!(foreign.verify_new(&token, hash, clock()).await.is_ok());
    assert!(foreign.known(&hash, clock()).unwrap().is_some());
    // Its issuer has another one now, and somebody has come with it.
    seconds.fetch_add(10, Ordering::Relaxed);
    assert!(cache.keys("k2", || look_up("k2")).await.is_some());
    assert_eq!(foreign.known(&hash, clock()), Ok(None));
    let refused = foreign.verify_new(&token, hash, clock()).await;
    assert_eq!(refused, Err(AuthError::InvalidToken(Refusal::UnknownKey)));
}
