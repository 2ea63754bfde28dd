//! How much is too much, of whom: requests, messages, bytes and subscriptions of a principal, requests and failed sign-ins of an
//! address.
//!
//! A request becomes a [`Visit`] ([`arrive`]), which handlers take among their arguments. All of it is in memory, of this process
//! alone, and of so many at most as the settings say: whoever has not come for long begins anew.

mod account;
mod bucket;
mod proxies;
mod refusal;
mod settings;
#[cfg(test)]
mod tests;
mod visit;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use bucket::Ticks;
pub use proxies::{InvalidProxy, Proxies};
pub use refusal::{CODE, Excess, Style, TooMany};
pub use settings::RateSettings;
pub use visit::{Door, Peer, Visit, arrive};

use crate::Principal;
use account::{Account, Known, Visitor, key_of, network_of};

/// How long whoever has too many subscriptions waits: nobody knows when one ends.
const UNTIL_ONE_ENDS: Duration = Duration::from_secs(1);

/// The limits, and what is left of them. Clones share it.
#[derive(Clone)]
pub struct Rates(Option<Arc<Inner>>);

struct Inner {
    settings: RateSettings,
    clock: Ticks,
    principals: Known<[u8; 32], Account>,
    addresses: Known<IpAddr, Visitor>,
    refused: [AtomicU64; Excess::ALL.len()],
}

/// A subscription that is counted until this is dropped.
pub struct Subscribed(Option<Arc<Account>>);

impl Rates {
    /// These limits, by this clock.
    pub fn new(settings: RateSettings, clock: Ticks) -> Self {
        let (principals, addresses) = (Known::new(settings.known_max), Known::new(settings.known_max));
        Self(Some(Arc::new(Inner { settings, clock, principals, addresses, refused: Default::default() })))
    }

    /// No limits.
    pub fn none() -> Self {
        Self(None)
    }

    /// Takes a request of `principal`.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn request(&self, principal: &Principal) -> Result<(), TooMany> {
        let Some(inner) = &self.0 else { return Ok(()) };
        inner.judged(Excess::Requests, inner.account(principal).requests.take(1))
    }

    /// Takes messages of `principal`, and the bytes that they have together. What is refused for its bytes has cost its messages.
    ///
    /// # Errors
    /// [`TooMany`]: none of them may be taken.
    pub fn messages(&self, principal: &Principal, count: usize, bytes: usize) -> Result<(), TooMany> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let account = inner.account(principal);
        inner.judged(Excess::Messages, account.messages.take(count))?;
        inner.judged(Excess::Bytes, account.bytes.take(bytes))
    }

    /// Counts a subscription of `principal`.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn subscription(&self, principal: &Principal) -> Result<Subscribed, TooMany> {
        let Some(inner) = &self.0 else { return Ok(Subscribed(None)) };
        let (most, account) = (inner.settings.subscriptions, inner.account(principal));
        let more = |running: u32| (most == 0 || running < most).then_some(running.saturating_add(1));
        let counted = account.subscriptions.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        inner.judged(Excess::Subscriptions, counted.map(|_| Duration::ZERO).map_err(|_| UNTIL_ONE_ENDS))?;
        Ok(Subscribed(Some(account)))
    }

    /// How often each was refused.
    pub fn refused(&self) -> impl Iterator<Item = (Excess, u64)> {
        let count = |excess: Excess| {
            self.0.as_ref().map_or(0, |inner| inner.refused[excess as usize].load(Ordering::Relaxed))
        };
        Excess::ALL.map(|excess| (excess, count(excess))).into_iter()
    }

    fn request_from(&self, address: IpAddr) -> Result<(), TooMany> {
        let Some(inner) = &self.0 else { return Ok(()) };
        // Without this limit nothing is kept of an address before it fails to sign in.
        if inner.settings.address_requests == 0 {
            return Ok(());
        }
        inner.judged(Excess::AddressRequests, inner.visitor(address).requests.take(1))
    }

    fn may_sign_in(&self, address: IpAddr) -> Result<(), TooMany> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let may = inner.visitor(address).may_sign_in(&inner.clock);
        inner.judged(Excess::FailedSignIns, may.map(|()| Duration::ZERO))
    }

    fn sign_in_failed(&self, address: IpAddr) {
        if let Some(inner) = &self.0 {
            inner.visitor(address).failed(&inner.clock);
        }
    }
}

impl Inner {
    fn account(&self, principal: &Principal) -> Arc<Account> {
        self.principals.get(&key_of(principal), || Account::new(&self.settings, &self.clock))
    }

    fn visitor(&self, address: IpAddr) -> Arc<Visitor> {
        self.addresses.get(&network_of(address), || Visitor::new(&self.settings, &self.clock))
    }

    /// Counts what was refused.
    fn judged(&self, excess: Excess, taken: Result<Duration, Duration>) -> Result<(), TooMany> {
        taken.map(|_| ()).map_err(|wait| {
            self.refused[excess as usize].fetch_add(1, Ordering::Relaxed);
            TooMany { excess, wait }
        })
    }
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        if let Some(account) = &self.0 {
            account.subscriptions.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rates").field(&self.0.as_ref().map(|inner| &inner.settings)).finish()
    }
}
