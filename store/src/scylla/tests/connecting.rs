//! Opening a connection: who logs in, where agreement is sought, and hosts that are down, deaf or none.

use std::time::{Duration, Instant};

use super::front::Front;
use super::*;
use crate::scylla::{Agreement, session};

/// A test waits for it, so it is short; a server on loopback needs much less.
const SHORT_MS: u64 = 1_500;
/// Much longer than that on a busy machine, and much shorter than what is waited for if a setting has no effect.
const PATIENCE: Duration = Duration::from_secs(30);

async fn attempt(options: &ScyllaOptions, password: &str) -> String {
    match session::connect(options, password, None).await {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

fn at(hosts: &str) -> ScyllaOptions {
    ScyllaOptions { url: format!("scylla://{hosts}/{KEYSPACE}"), ..options(KEYSPACE) }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_can_not_log_in_is_told_why() {
    if left_out() {
        return;
    }
    if options(KEYSPACE).user.is_empty() {
        return say_left_out("logging in to a CQL store, as TIDEGATE_TEST_CQL_USER names nobody");
    }
    let wrong = attempt(&options(KEYSPACE), "wrong").await;
    assert!(wrong.contains("store.password_env") && wrong.contains("can't log in"), "{wrong}");
    let nobody = ScyllaOptions { user: "nobody-of-this-name".into(), ..options(KEYSPACE) };
    let nobody = attempt(&nobody, &password()).await;
    assert!(nobody.contains("\"nobody-of-this-name\" of store.user can't log in"), "{nobody}");
    let without = ScyllaOptions { user: String::new(), ..options(KEYSPACE) };
    let without = attempt(&without, "").await;
    assert!(without.contains("they ask who logs in: set store.user"), "{without}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_to_the_datacenter_that_is_named() {
    if left_out() {
        return;
    }
    drop(open().await);
    let session = session::connect(&options(KEYSPACE), &password(), None).await.unwrap();
    let there = session::datacenters(&session).into_iter().next().unwrap();
    for consistency in [Agreement::LocalQuorum, Agreement::Quorum] {
        let options = ScyllaOptions { datacenter: there.clone(), consistency, ..options(KEYSPACE) };
        let store = Scylla::open(&options, &password(), Arc::new(now)).await.unwrap();
        // A read, a write, and a compare-and-set with its serial read.
        let id = fresh("log");
        let bound = store.bind_log(&id).await.unwrap();
        assert_eq!(store.bind_log(&id).await.unwrap(), bound);
        let stream = stream("there");
        let lease = crate::Leases::claim_lease(&store, &stream, &partition()).await.unwrap();
        assert_eq!(lease.epoch, 1);
        let message = message(1, now().0);
        crate::Messages::write_messages(&store, &stream, std::slice::from_ref(&message)).await.unwrap();
        let read =
            crate::Messages::read_topic(&store, &stream, &topic(), page(Order::Ascending, 9)).await.unwrap();
        assert_eq!(read, [message]);
    }
    let elsewhere = ScyllaOptions { datacenter: "no-such".into(), ..options(KEYSPACE) };
    let refused = attempt(&elsewhere, &password()).await;
    let expect = format!("store.datacenter is \"no-such\", and the cluster has {there:?}");
    assert!(refused.contains(&expect), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_that_answers_is_enough() {
    if left_out() {
        return;
    }
    let refusing = refusing().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = silent_at(&silent);
    let there = server();
    for hosts in [
        format!("{refusing},{silent},{there}"),
        format!("{silent},no-such-host.invalid,{there}"),
        format!("{there},{refusing}"),
        format!("[::1]:1,{there}"),
    ] {
        let options = ScyllaOptions { connect_ms: SHORT_MS, ..at(&hosts) };
        assert_eq!(attempt(&options, &password()).await, "", "{hosts}");
    }
}

#[tokio::test]
async fn each_host_that_does_not_answer_is_named_in_time() {
    let refusing = refusing().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = silent_at(&listener);
    let late = format!("{silent}: it answered nothing within {SHORT_MS} ms (store.connect_ms)");
    for (hosts, expect) in [
        (refusing.clone(), vec![format!("{refusing}: it took no connection: ")]),
        (silent.clone(), vec![late.clone()]),
        (format!("{refusing},{silent}"), vec![format!("{refusing}: it took no connection: "), late]),
        ("no-such-host.invalid".into(), vec!["no-such-host.invalid:9042: its name has no address".into()]),
        ("[::1]:1".into(), vec!["[::1]:1: it took no connection".into()]),
    ] {
        let url = format!("scylla://{hosts}/k");
        let options = ScyllaOptions { url, connect_ms: SHORT_MS, ..ScyllaOptions::default() };
        let began = Instant::now();
        let refused = attempt(&options, "").await;
        assert!(expect.iter().all(|part| refused.contains(part)), "{refused}");
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_nobody_answers_ends_in_time() {
    if left_out() {
        return;
    }
    drop(open().await);
    let front = Front::start(server().to_string(), None).await;
    for (request_ms, call_ms, expect) in [
        (
            300,
            SHORT_MS,
            "no answer came within 300 ms (store.request_ms); it was tried for 1500 ms (store.call_ms)",
        ),
        (60_000, SHORT_MS, "it was tried for 1500 ms (store.call_ms)"),
    ] {
        front.set_silent(false);
        let options =
            ScyllaOptions { request_ms, call_ms, requests_max: 1, ..at(&front.address.to_string()) };
        let store = Scylla::open(&options, &password(), Arc::new(now)).await.unwrap();
        front.set_silent(true);
        let began = Instant::now();
        // Two at once, where one request only may be under way: the second waits no longer either.
        let (stream, catalog) = (stream("unanswered"), &store as &dyn crate::Catalog);
        let both = tokio::join!(catalog.shape(&stream), catalog.shape(&stream));
        for failed in [both.0, both.1] {
            let failed = failed.unwrap_err();
            let why = std::error::Error::source(&failed).unwrap().to_string();
            assert!(why.contains("(store.call_ms)"), "{why}");
        }
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        let alone = catalog.shape(&stream).await.unwrap_err();
        let why = std::error::Error::source(&alone).unwrap().to_string();
        assert!(why.contains(expect), "{why}");
    }
}

/// An address where nobody listens.
async fn refusing() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Where connections are taken by the system, and never read.
fn silent_at(listener: &tokio::net::TcpListener) -> String {
    listener.local_addr().unwrap().to_string()
}
