//! What the bodies of all requests together may hold in memory, whichever route they are for.
//!
//! A body takes room as it comes, so one that is only announced takes none. Where there is no room it waits, for a bounded time:
//! of two bodies that each hold what the other waits for, one is refused.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A semaphore's permit: a body takes whole ones.
const UNIT_BYTES: usize = 1024;

/// Room for bodies. Clones share it.
#[derive(Clone, Debug)]
pub struct Bodies {
    room: Arc<Semaphore>,
    bytes: usize,
    wait: Duration,
}

/// The room that one body takes; given back when this is dropped.
#[derive(Debug)]
pub struct Held {
    bodies: Bodies,
    bytes: usize,
    room: Option<OwnedSemaphorePermit>,
}

/// Other bodies take all the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the bodies of requests under way take all of the {bytes} bytes that there are for them: try again in a moment"
)]
pub struct NoRoom {
    bytes: usize,
}

impl Bodies {
    /// Room for `bytes`, which a body waits for at most `wait`.
    pub fn new(bytes: usize, wait: Duration) -> Self {
        let units = bytes.div_ceil(UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        Self { room: Arc::new(Semaphore::new(units)), bytes, wait }
    }

    /// For a body of which nothing has come.
    pub fn hold(&self) -> Held {
        Held { bodies: self.clone(), bytes: 0, room: None }
    }
}

impl Held {
    /// Takes room for `bytes` more, which is waited for.
    ///
    /// # Errors
    /// [`NoRoom`], and nothing more is held than before.
    pub async fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let all = self.bytes.saturating_add(bytes);
        let more = all.div_ceil(UNIT_BYTES) - self.bytes.div_ceil(UNIT_BYTES);
        if more > 0 {
            let refused = NoRoom { bytes: self.bodies.bytes };
            let units = u32::try_from(more).map_err(|_| refused)?;
            let taken = self.bodies.room.clone().acquire_many_owned(units);
            let taken = tokio::time::timeout(self.bodies.wait, taken).await;
            let taken = taken.map_err(|_| refused)?.map_err(|_| refused)?;
            match &mut self.room {
                Some(room) => room.merge(taken),
                None => self.room = Some(taken),
            }
        }
        self.bytes = all;
        Ok(())
    }

    /// Gives back what is not needed for `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        if bytes < self.bytes {
            let less = self.bytes.div_ceil(UNIT_BYTES) - bytes.div_ceil(UNIT_BYTES);
            drop(self.room.as_mut().and_then(|room| room.split(less)));
            self.bytes = bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    #[tokio::test]
    async fn room_is_taken_as_a_body_grows_and_given_back() {
        let bodies = Bodies::new(8 * KIB, Duration::from_millis(10));
        let (mut one, mut other) = (bodies.hold(), bodies.hold());
        for _ in 0..4 * KIB {
            one.grow(1).await.unwrap();
        }
        other.grow(4 * KIB).await.unwrap();
        let refused = one.grow(1).await.unwrap_err().to_string();
        assert!(refused.contains("all of the 8192 bytes"), "{refused}");
        other.shrink_to(KIB);
        one.grow(3 * KIB).await.unwrap();
        assert!(one.grow(1).await.is_err());
        drop(other);
        one.grow(KIB).await.unwrap();
        one.shrink_to(0);
        bodies.hold().grow(8 * KIB).await.unwrap();
        assert!(bodies.hold().grow(8 * KIB + 1).await.is_err(), "more than there ever is");
        drop(one);
        bodies.hold().grow(8 * KIB).await.unwrap();
    }

    #[tokio::test]
    async fn bodies_that_wait_for_each_other_do_not_wait_for_ever() {
        let bodies = Bodies::new(8 * KIB, Duration::from_millis(50));
        let (mut one, mut other) = (bodies.hold(), bodies.hold());
        one.grow(4 * KIB).await.unwrap();
        other.grow(4 * KIB).await.unwrap();
        let more = async |mut held: Held| held.grow(KIB).await;
        let (one, other) = tokio::join!(more(one), more(other));
        // The first to be refused gives room to the other, unless that is refused in the same moment.
        assert!(one.is_err() || other.is_err(), "there is no room for both");
        bodies.hold().grow(8 * KIB).await.unwrap();
    }

    #[tokio::test]
    async fn who_waits_gets_what_is_given_back() {
        let bodies = Bodies::new(8 * KIB, Duration::from_secs(60));
        let mut one = bodies.hold();
        one.grow(8 * KIB).await.unwrap();
        let mut other = bodies.hold();
        let (grown, ()) = tokio::join!(other.grow(8 * KIB), async { drop(one) });
        assert_eq!(grown, Ok(()));
    }
}
