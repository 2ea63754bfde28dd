//! One-time codes, by which a page is signed in: a pure list of hashes and of when they end.

use std::collections::VecDeque;

use schema::Timestamp;

use crate::Secret;
use crate::secret::SecretHash;

/// How many codes may be outstanding; another one drops the oldest.
const OUTSTANDING_MAX: usize = 100;

/// The codes that have not been used. They are gone with the process: a restart's banner has a new one.
#[derive(Debug, Default)]
pub(super) struct Codes(VecDeque<(SecretHash, Timestamp)>);

impl Codes {
    /// Takes in a code that is good before `ends_at`.
    pub(super) fn add(&mut self, code: &Secret, ends_at: Timestamp, now: Timestamp) {
        self.forget_ended(now);
        if self.0.len() == OUTSTANDING_MAX {
            self.0.pop_front();
        }
        self.0.push_back((SecretHash::of(code.expose()), ends_at));
    }

    /// Whether `code` is good; from now on it is not.
    pub(super) fn redeem(&mut self, code: &str, now: Timestamp) -> bool {
        self.forget_ended(now);
        let wanted = SecretHash::of(code);
        match self.0.iter().position(|(hash, _)| hash.is(&wanted)) {
            Some(found) => self.0.remove(found).is_some(),
            None => false,
        }
    }

    fn forget_ended(&mut self, now: Timestamp) {
        self.0.retain(|(_, ends_at)| now < *ends_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(n: usize) -> Secret {
        Secret::new(format!("code {n}"))
    }

    #[test]
    fn a_code_is_good_once_and_for_a_while() {
        let mut codes = Codes::default();
        codes.add(&code(1), Timestamp(10), Timestamp(0));
        codes.add(&code(2), Timestamp(10), Timestamp(0));
        assert!(!codes.redeem("", Timestamp(1)) && !codes.redeem("code", Timestamp(1)));
        assert!(codes.redeem("code 1", Timestamp(9)));
        assert!(!codes.redeem("code 1", Timestamp(9)));
        assert!(!codes.redeem("code 2", Timestamp(10)));
        assert!(!codes.redeem("code 2", Timestamp(9)), "what has ended stays so when a clock runs back");
    }

    #[test]
    fn the_oldest_is_dropped_when_there_are_too_many() {
        let mut codes = Codes::default();
        for n in 0..=OUTSTANDING_MAX {
            codes.add(&code(n), Timestamp(10), Timestamp(0));
        }
        assert_eq!(codes.0.len(), OUTSTANDING_MAX);
        assert!(!codes.redeem("code 0", Timestamp(0)) && codes.redeem("code 1", Timestamp(0)));
        assert!(codes.redeem(&format!("code {OUTSTANDING_MAX}"), Timestamp(0)));
    }
}
