//! Limits of rates: `[rate]`.

use serde::{Deserialize, Serialize};

/// How much a second, and how much at once. Where a rate is 0 there is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateSettings {
    /// Requests of a principal, and `subscribe` messages of its sockets.
    pub requests: u32,
    /// See `requests`.
    pub requests_burst: u32,
    /// Requests of an address, whoever they are of.
    pub address_requests: u32,
    /// See `address_requests`.
    pub address_requests_burst: u32,
    /// Sign-ins of an address that failed.
    pub failed_sign_ins: u32,
    /// See `failed_sign_ins`.
    pub failed_sign_ins_burst: u32,
    /// Messages that a principal sends.
    pub messages: u32,
    /// See `messages`.
    pub messages_burst: u32,
    /// Bytes of them.
    pub bytes: u32,
    /// See `bytes`.
    pub bytes_burst: u32,
    /// Subscriptions of a principal that run at once.
    pub subscriptions: u32,
    /// Most principals, and most addresses, that are known at once.
    pub known_max: u32,
}

impl Default for RateSettings {
    fn default() -> Self {
        Self {
            requests: 100,
            requests_burst: 50,
            address_requests: 0,
            address_requests_burst: 50,
            failed_sign_ins: 20,
            failed_sign_ins_burst: 100,
            messages: 0,
            messages_burst: 10_000,
            bytes: 0,
            bytes_burst: 8_388_608,
            subscriptions: 1_000,
            known_max: 10_000,
        }
    }
}

impl RateSettings {
    /// Checks what a type can't say: that a rate has a burst, and that what one call may bring is no more than may come at once:
    /// `call_messages` and `call_bytes`.
    ///
    /// # Errors
    /// A sentence that names the setting, its value and what was expected.
    pub fn check(&self, call_messages: usize, call_bytes: usize) -> Result<(), String> {
        for (rate, key, burst, least, what) in [
            (self.requests, "requests", self.requests_burst, 1, ""),
            (self.address_requests, "address_requests", self.address_requests_burst, 1, ""),
            (self.failed_sign_ins, "failed_sign_ins", self.failed_sign_ins_burst, 1, ""),
            (self.messages, "messages", self.messages_burst, call_messages, ", which one call may bring"),
            (self.bytes, "bytes", self.bytes_burst, call_bytes, ", which one call may bring"),
        ] {
            if rate > 0 && (burst as usize) < least {
                return Err(format!("rate.{key}_burst is {burst}: expected at least {least}{what}"));
            }
        }
        match self.known_max {
            0 => Err("rate.known_max is 0: expected at least 1".into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_call_may_bring_may_come_at_once() {
        let check = |change: fn(&mut RateSettings)| {
            let mut settings = RateSettings::default();
            change(&mut settings);
            settings.check(10_000, 8_388_608).err().unwrap_or_default()
        };
        assert_eq!(check(|_| ()), "");
        assert_eq!(check(|s| s.messages_burst = 1), "", "there is no limit");
        for (told, change) in [
            (
                "rate.requests_burst is 0: expected at least 1",
                (|s| s.requests_burst = 0) as fn(&mut RateSettings),
            ),
            ("rate.messages_burst is 9: expected at least 10000, which one call", |s| {
                (s.messages, s.messages_burst) = (1, 9);
            }),
            ("rate.bytes_burst is 9: expected at least 8388608, which one call", |s| {
                (s.bytes, s.bytes_burst) = (1, 9);
            }),
            ("rate.known_max is 0", |s| s.known_max = 0),
        ] {
            assert!(check(change).starts_with(told), "{}", check(change));
        }
    }
}
