//! A CQL server that is stopped for half a minute, and then killed in the midst of writes: nothing that was acknowledged is
//! lost, nothing is there twice, nothing becomes a dead letter, and the node goes on by itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{order, with_orders};
use crate::support::cql::{Cql, Own};
use crate::support::{Client, Setup, bare, finish, is_left_out, store, until};

/// How long the server is stopped: longer than the store's calls try, so that every kind of call fails.
const STOPPED: Duration = Duration::from_secs(30);
/// How long after its return the node may need, by the promise of the documentation.
const RECOVERY: Duration = Duration::from_secs(30);

/// Holds its password, whatever that of the tests' other server is.
const PASSWORD: &str = "OWN_CQL_PASSWORD";

/// A server of this test's own; the settings of a node that uses it.
fn start() -> (Own, String) {
    let own = Own::start(&[]);
    let Cql { address, user, .. } = &own.server;
    let (keyspace, user) = (store::fresh(), user.as_deref().unwrap());
    let settings = format!(
        "[store]\nurl = \"scylla://{address}/{keyspace}\"\nreplication_factor = 1\nuser = \"{user}\"\n\
         password_env = \"{PASSWORD}\"\n"
    );
    (own, with_orders(&settings))
}

/// Sends orders until `end`, at most some hundred a second; gives how many were acknowledged.
fn write(client: &Client, from: usize, end: &AtomicBool) -> usize {
    let mut next = from;
    while !end.load(Ordering::Relaxed) {
        client.put_record("orders", &format!("k{}", next % 5), &order(next));
        next += 1;
        thread::sleep(Duration::from_millis(4));
    }
    next
}

#[test]
fn a_server_stopped_and_killed_costs_nothing_that_was_acknowledged() {
    if is_left_out("cql", "a CQL server that is stopped, and killed") {
        return;
    }
    let (mut own, settings) = start();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tidegate.toml"), &settings).unwrap();
    let mut migrate = bare();
    migrate.args(["migrate", "--config", "tidegate.toml"]).current_dir(&folder).env(PASSWORD, &own.password);
    let done = finish(migrate, "");
    assert_eq!(done.code, Some(0), "{done:?}");
    let node = Setup::configured(&settings).env(PASSWORD, &own.password).start();
    let client = node.client();
    client.put_record("orders", "k0", &order(0));
    client.raws("orders", 1);
    let ready = || node.get("/readyz").status;
    let mut sent = 1;

    // Stopped: it takes connections and bytes, and answers nothing.
    let end = AtomicBool::new(false);
    let from = sent;
    let not_ready = thread::scope(|scope| {
        let writer = scope.spawn(|| write(&client, from, &end));
        thread::sleep(Duration::from_millis(300));
        own.signal("STOP");
        let stopped = Instant::now();
        until("/readyz to say that the store is lost", ready, |status| (*status == 503).then_some(()));
        let not_ready = stopped.elapsed();
        thread::sleep(STOPPED.saturating_sub(stopped.elapsed()));
        assert_eq!(ready(), 503);
        own.signal("CONT");
        end.store(true, Ordering::Relaxed);
        sent = writer.join().unwrap();
        not_ready
    });
    let back = Instant::now();
    until("/readyz to say that all is well", ready, |status| (*status == 200).then_some(()));
    node.catch_up();
    let after_stop = back.elapsed();
    assert!(after_stop < RECOVERY, "{after_stop:?} after its return");
    assert!(sent > 500, "only {sent} were accepted meanwhile");

    // Killed, with requests under way.
    let (from, end) = (sent, AtomicBool::new(false));
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(&client, from, &end));
        thread::sleep(Duration::from_secs(2));
        own.kill_and_wait();
        end.store(true, Ordering::Relaxed);
        sent = writer.join().unwrap();
    });
    let back = Instant::now();
    until("/readyz to say that all is well", ready, |status| (*status == 200).then_some(()));
    node.catch_up();
    let after_kill = back.elapsed();
    assert!(after_kill < RECOVERY, "{after_kill:?} after its return");
    println!(
        "{sent} messages; not ready after {not_ready:?}; caught up {after_stop:?} and {after_kill:?} after its return"
    );

    // Each once, and in the order in which its key was written.
    let mut numbers = [const { Vec::new() }; 5];
    for topic in ["eu", "us"] {
        for (position, raw) in client.stored("orders", topic) {
            let (_, sequence) = position.split_once(':').unwrap();
            let raw: serde_json::Value = serde_json::from_str(&raw).unwrap();
            let number: usize = raw["id"].as_str().unwrap()["o-".len()..].parse().unwrap();
            numbers[number % 5].push((sequence.parse::<u64>().unwrap(), number));
        }
    }
    for (key, mut numbers) in numbers.into_iter().enumerate() {
        numbers.sort_unstable();
        let got: Vec<usize> = numbers.into_iter().map(|(_, number)| number).collect();
        let expect: Vec<usize> = (0..sent).filter(|number| number % 5 == key).collect();
        assert_eq!(got, expect, "of key {key}");
    }
    let metrics = node.get("/metrics").text();
    assert!(metrics.contains("tidegate_ingest_dead_letters_total 0\n"), "{metrics}");
}
