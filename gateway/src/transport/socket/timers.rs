//! What the passing of time means to a socket.

use std::time::Duration;

use schema::Timestamp;

use crate::settings::LiveSettings;
use crate::transport::milliseconds;

/// Now, by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Since the socket was opened; never goes back.
    pub(super) since: Duration,
    /// As the tokens tell it.
    pub(super) time: Timestamp,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// `connection_init` did not come.
    Init,
    /// The token has ended.
    Expiry,
    /// Nothing was taken of what waits.
    Unread,
    /// Nothing was heard even after a ping.
    Silence,
    /// Nothing was heard: time for a ping.
    Ping,
}

/// When what is due on a socket.
#[derive(Debug)]
pub(super) struct Timers {
    init_by: Option<Duration>,
    accepted_until: Option<Timestamp>,
    blocked_since: Option<Duration>,
    heard: Duration,
    pinged: Option<Duration>,
    ping: Duration,
    unread: Duration,
}

impl Timers {
    pub(super) fn new(settings: &LiveSettings) -> Self {
        Self {
            init_by: Some(milliseconds(settings.init_ms)),
            accepted_until: None,
            blocked_since: None,
            heard: Duration::ZERO,
            pinged: None,
            ping: milliseconds(settings.ping_ms),
            unread: milliseconds(settings.unread_ms),
        }
    }

    /// `connection_init` came, with a token that is good for so long.
    pub(super) fn initialised(&mut self, accepted_until: Timestamp) {
        self.init_by = None;
        self.accepted_until = Some(accepted_until);
    }

    /// Something came from the client.
    pub(super) fn heard(&mut self, now: Now) {
        self.heard = now.since;
        self.pinged = None;
    }

    /// Something was taken; `waits` tells whether there is more.
    pub(super) fn taken(&mut self, waits: bool, now: Now) {
        self.blocked_since = waits.then_some(now.since);
        if waits {
            // Amid what is long it answers late: taking it is a sign of life.
            self.heard(now);
        }
    }

    /// Something waits to be taken.
    pub(super) fn waits(&mut self, now: Now) {
        self.blocked_since.get_or_insert(now.since);
    }

    /// When to look again, on the clock that never goes back.
    pub(super) fn next(&self, now: Now) -> Duration {
        let expiry = self.accepted_until.map(|until| {
            let left = u64::try_from(until.0.saturating_sub(now.time.0)).unwrap_or(0);
            now.since.saturating_add(Duration::from_micros(left))
        });
        let unread = self.blocked_since.map(|since| since + self.unread);
        let silence = self.pinged.unwrap_or(self.heard) + self.ping;
        [self.init_by, expiry, unread].into_iter().flatten().fold(silence, Duration::min)
    }

    /// What is due, the gravest first. A ping is taken as sent.
    pub(super) fn due(&mut self, now: Now) -> Option<Due> {
        let passed = |at: Option<Duration>| at.is_some_and(|at| at <= now.since);
        if self.accepted_until.is_some_and(|until| until <= now.time) {
            Some(Due::Expiry)
        } else if passed(self.init_by) {
            Some(Due::Init)
        } else if passed(self.blocked_since.map(|since| since + self.unread)) {
            Some(Due::Unread)
        } else if passed(self.pinged.map(|at| at + self.ping)) {
            Some(Due::Silence)
        } else if self.pinged.is_none() && passed(Some(self.heard + self.ping)) {
            self.pinged = Some(now.since);
            Some(Due::Ping)
        } else {
            None
        }
    }
}
