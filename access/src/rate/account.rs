//! What is known of whom: of a principal, and of an address.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, UnitWeighter};
use sha2::{Digest, Sha256};

use super::bucket::{Bucket, Ticks};
use super::settings::RateSettings;
use crate::Principal;

/// What a principal has left.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) requests: Bucket,
    pub(super) messages: Bucket,
    pub(super) bytes: Bucket,
    /// How many run.
    pub(super) subscriptions: AtomicU32,
}

/// What an address has left.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) requests: Bucket,
    failed: Bucket,
    /// Until when nobody there may sign in, in nanoseconds of the clock.
    barred_until: AtomicU64,
}

impl Account {
    pub(super) fn new(settings: &RateSettings, clock: &Ticks) -> Self {
        Self {
            requests: Bucket::new(settings.requests, settings.requests_burst, clock),
            messages: Bucket::new(settings.messages, settings.messages_burst, clock),
            bytes: Bucket::new(settings.bytes, settings.bytes_burst, clock),
            subscriptions: AtomicU32::new(0),
        }
    }
}

impl Visitor {
    pub(super) fn new(settings: &RateSettings, clock: &Ticks) -> Self {
        Self {
            requests: Bucket::new(settings.address_requests, settings.address_requests_burst, clock),
            failed: Bucket::new(settings.failed_sign_ins, settings.failed_sign_ins_burst, clock),
            barred_until: AtomicU64::new(0),
        }
    }

    /// Whether somebody there may try to sign in.
    ///
    /// # Errors
    /// How long it is until somebody may.
    pub(super) fn may_sign_in(&self, clock: &Ticks) -> Result<(), Duration> {
        let until = Duration::from_nanos(self.barred_until.load(Ordering::Relaxed));
        match until.saturating_sub(clock.read()) {
            Duration::ZERO => Ok(()),
            wait => Err(wait),
        }
    }

    /// A sign-in failed. Whoever has failed as often as may be is barred until one more failure would be let pass.
    pub(super) fn failed(&self, clock: &Ticks) {
        let (Ok(wait) | Err(wait)) = self.failed.take(1);
        if wait > Duration::ZERO {
            let until = (clock.read() + wait).as_nanos();
            self.barred_until.fetch_max(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }
}

/// What stands for a principal: the same size for all, however long their names are.
pub(super) fn key_of(principal: &Principal) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [principal.issuer().as_str(), principal.subject(), principal.client_id()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// What stands for an address. Of IPv6 it is the network: whoever has one address there has 2^64.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

/// What is known, of so many at most: those who have not come for long are forgotten, and begin anew.
pub(super) struct Known<K, V>(Cache<K, Arc<V>, UnitWeighter, DefaultHashBuilder, Busy>);

/// Keeps what is in use: whose subscriptions run is not forgotten, as they could not be counted.
#[derive(Clone, Debug)]
pub(super) struct Busy;

impl<K: Eq + Hash + Clone, V: MayBeBusy> Known<K, V> {
    pub(super) fn new(most: u32) -> Self {
        let most = most.max(1);
        Self(Cache::with(most as usize, most.into(), UnitWeighter, DefaultHashBuilder::default(), Busy))
    }

    pub(super) fn get(&self, key: &K, make: impl FnOnce() -> V) -> Arc<V> {
        let known: Result<_, std::convert::Infallible> =
            self.0.get_or_insert_with(key, || Ok(Arc::new(make())));
        let Ok(known) = known;
        known
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What may be in use.
pub(super) trait MayBeBusy {
    fn is_busy(&self) -> bool {
        false
    }
}

impl MayBeBusy for Account {
    fn is_busy(&self) -> bool {
        self.subscriptions.load(Ordering::Relaxed) > 0
    }
}

impl MayBeBusy for Visitor {}

impl<K, V: MayBeBusy> Lifecycle<K, Arc<V>> for Busy {
    type RequestState = ();

    fn is_pinned(&self, _: &K, value: &Arc<V>) -> bool {
        value.is_busy()
    }

    fn begin_request(&self) {}
}
