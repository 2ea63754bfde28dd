//! Limits on a clock that the tests move.

use std::sync::atomic::AtomicU64;

use schema::Timestamp;

use super::*;
use crate::{IssuerName, Roles};

/// A clock in milliseconds.
fn clock() -> (Arc<AtomicU64>, Ticks) {
    let now = Arc::new(AtomicU64::new(5_000));
    let read = now.clone();
    (now, Ticks::new(move || Duration::from_millis(read.load(Ordering::Relaxed))))
}

fn off() -> RateSettings {
    RateSettings { requests: 0, failed_sign_ins: 0, subscriptions: 0, ..RateSettings::default() }
}

fn somebody(issuer: IssuerName, subject: &str, client: &str) -> Principal {
    Principal::new(issuer, subject, client, Roles::ALL, Timestamp(i64::MAX)).unwrap()
}

fn alice() -> Principal {
    somebody(IssuerName::Embedded, "alice", "app")
}

/// How many of 1000 pass.
fn passing<T>(mut one: impl FnMut() -> Result<T, TooMany>) -> usize {
    (0..1_000).filter(|_| one().is_ok()).count()
}

#[test]
fn a_principal_has_a_burst_and_then_a_rate_and_others_are_not_touched() {
    let (now, clock) = clock();
    let rates = Rates::new(RateSettings { requests: 100, requests_burst: 50, ..off() }, clock);
    assert_eq!(passing(|| rates.request(&alice())), 50);
    let refused = rates.request(&alice()).unwrap_err();
    assert_eq!((refused.wait, refused.seconds()), (Duration::from_millis(10), 1));
    assert_eq!(refused.to_string(), "too many requests of this caller: try again in 1 s");
    for (issuer, subject, client) in [
        (IssuerName::Embedded, "bob", "app"),
        (IssuerName::Embedded, "alice", "other"),
        (IssuerName::Named("corp".into()), "alice", "app"),
        // What stands side by side is told apart.
        (IssuerName::Embedded, "alic", "eapp"),
    ] {
        assert_eq!(passing(|| rates.request(&somebody(issuer.clone(), subject, client))), 50);
    }
    now.fetch_add(9, Ordering::Relaxed);
    assert_eq!(passing(|| rates.request(&alice())), 0);
    now.fetch_add(1, Ordering::Relaxed);
    assert_eq!(passing(|| rates.request(&alice())), 1);
    now.fetch_add(250, Ordering::Relaxed);
    assert_eq!(passing(|| rates.request(&alice())), 25);
    now.fetch_add(60_000, Ordering::Relaxed);
    assert_eq!(passing(|| rates.request(&alice())), 50, "what was not used does not heap up");
}

#[test]
fn without_a_limit_everything_passes() {
    let (_, clock) = clock();
    for rates in [Rates::none(), Rates::new(off(), clock)] {
        assert_eq!(passing(|| rates.request(&alice())), 1_000);
        assert_eq!(passing(|| rates.messages(&alice(), usize::MAX, usize::MAX)), 1_000);
        let mut kept = Vec::new();
        assert_eq!(passing(|| rates.subscription(&alice()).map(|one| kept.push(one))), 1_000);
        let visit = Visit::new(rates.clone(), [127, 0, 0, 1].into());
        assert_eq!(passing(|| rates.request_from([127, 0, 0, 1].into())), 1_000);
        assert_eq!(
            passing(|| {
                visit.sign_in_failed();
                visit.may_sign_in()
            }),
            1_000
        );
        assert!(rates.refused().all(|(_, count)| count == 0));
    }
}

#[test]
fn messages_and_their_bytes_are_two_limits() {
    let (now, clock) = clock();
    let settings =
        RateSettings { messages: 10, messages_burst: 100, bytes: 1_000, bytes_burst: 5_000, ..off() };
    let rates = Rates::new(settings, clock);
    assert_eq!(rates.messages(&alice(), 40, 1_000), Ok(()));
    let refused = rates.messages(&alice(), 61, 0).unwrap_err();
    assert_eq!((refused.excess, refused.wait), (Excess::Messages, Duration::from_millis(100)));
    let refused = rates.messages(&alice(), 1, 4_500).unwrap_err();
    assert_eq!((refused.excess, refused.seconds()), (Excess::Bytes, 1));
    assert_eq!(refused.wait, Duration::from_millis(500));
    now.fetch_add(500, Ordering::Relaxed);
    assert_eq!(
        rates.messages(&alice(), 64, 4_500),
        Ok(()),
        "nothing was taken of what was refused for its bytes but messages"
    );
    now.fetch_add(60_000, Ordering::Relaxed);
    // The settings see to it that no call brings more than the burst: it would never pass.
    assert_eq!(rates.messages(&alice(), 1_000, 0), Ok(()));
    assert_eq!(rates.messages(&alice(), 1, 0).unwrap_err().excess, Excess::Messages);
}

#[test]
fn large_rates_are_exact_to_a_thousandth() {
    for rate in [999_983, 1_000_003, 8_388_608, 123_456_789, u32::MAX] {
        let (now, clock) = clock();
        let bucket = bucket::Bucket::new(rate, rate, &clock);
        assert!(bucket.take(rate as usize).is_ok() && bucket.take(rate as usize / 500).is_err());
        now.fetch_add(500, Ordering::Relaxed);
        let half = rate as usize / 2;
        assert!(bucket.take(half - half / 1_000).is_ok(), "{rate}");
        assert!(bucket.take(half / 500 + 10_000).is_err(), "{rate}");
    }
}

#[test]
fn an_address_that_fails_too_often_is_barred_for_as_long_as_the_rate_says() {
    let (now, clock) = clock();
    let settings = RateSettings { failed_sign_ins: 20, failed_sign_ins_burst: 100, ..off() };
    let rates = Rates::new(settings, clock);
    let visit = |address: &str| Visit::new(rates.clone(), address.parse().unwrap());
    let fail = |visit: &Visit| visit.may_sign_in().map(|()| visit.sign_in_failed());
    let evil = visit("2001:db8::1");
    assert_eq!(passing(|| fail(&evil)), 100);
    assert_eq!(evil.may_sign_in().unwrap_err().wait, Duration::from_millis(50));
    assert_eq!(passing(|| fail(&visit("2001:db8::ffff:2"))), 0, "it is of the same network");
    assert_eq!(passing(|| fail(&visit("2001:db8:0:1::1"))), 100);
    assert_eq!(passing(|| fail(&visit("203.0.113.9"))), 100);
    assert_eq!(passing(|| fail(&visit("::ffff:203.0.113.9"))), 0);
    for _ in 0..3 {
        now.fetch_add(50, Ordering::Relaxed);
        assert_eq!(passing(|| fail(&evil)), 1);
    }
    now.fetch_add(50, Ordering::Relaxed);
    // Who does sign in fails nobody.
    assert_eq!(passing(|| evil.may_sign_in()), 1_000);
}

#[test]
fn addresses_have_requests_of_their_own_where_that_is_wanted() {
    let (now, clock) = clock();
    let settings = RateSettings { address_requests: 2, address_requests_burst: 3, ..off() };
    let rates = Rates::new(settings, clock);
    assert_eq!(passing(|| rates.request_from([10, 0, 0, 1].into())), 3);
    assert_eq!(passing(|| rates.request_from([10, 0, 0, 2].into())), 3);
    now.fetch_add(1_000, Ordering::Relaxed);
    assert_eq!(passing(|| rates.request_from([10, 0, 0, 1].into())), 2);
    let refused: Vec<_> = rates.refused().filter(|(_, count)| *count > 0).collect();
    assert_eq!(refused, [(Excess::AddressRequests, 3 * 1_000 - 8)]);
}

#[test]
fn subscriptions_are_counted_while_they_run() {
    let (_, clock) = clock();
    let rates = Rates::new(RateSettings { subscriptions: 3, known_max: 4, ..off() }, clock);
    let mut running: Vec<_> = (0..3).map(|_| rates.subscription(&alice()).unwrap()).collect();
    assert_eq!(rates.subscription(&alice()).err().map(TooMany::seconds), Some(1));
    // Many others come, and she is not forgotten meanwhile.
    for n in 0..10_000 {
        let other = somebody(IssuerName::Embedded, &format!("other-{n}"), "app");
        drop(rates.subscription(&other).unwrap());
    }
    assert!(rates.subscription(&alice()).is_err());
    running.pop();
    running.push(rates.subscription(&alice()).unwrap());
    assert!(rates.subscription(&alice()).is_err());
}

#[test]
fn so_many_are_known_and_no_more() {
    let (_, clock) = clock();
    let rates = Rates::new(RateSettings { known_max: 100, ..RateSettings::default() }, clock);
    for n in 0..10_000_u32 {
        rates.request(&somebody(IssuerName::Embedded, &format!("one-{n}"), "app")).unwrap();
        rates.sign_in_failed(IpAddr::from(n.to_be_bytes()));
    }
    let inner = rates.0.as_ref().unwrap();
    assert!(inner.principals.len() <= 100 && inner.addresses.len() <= 100);
}

#[test]
fn retry_after_is_never_too_soon() {
    for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_999, 60)] {
        let refused = TooMany { excess: Excess::Bytes, wait: Duration::from_millis(millis) };
        assert_eq!(refused.seconds(), seconds);
    }
}
