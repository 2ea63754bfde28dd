//! The report's sentences, for what can't be made to happen on the tests' one server, too.

use std::collections::BTreeMap;
use std::time::Duration;

use store::scylla::{Agreement, Nodes};

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

fn settings() -> StoreSettings {
    StoreSettings { url: "scylla://a,b/k".into(), user: "u".into(), ..StoreSettings::default() }
}

fn answering(certificate_until: Option<Timestamp>) -> Result<Answering, String> {
    Ok(Answering { address: ([10, 0, 0, 1], 9042).into(), certificate_until })
}

/// A cluster of three nodes that is well.
fn cluster() -> Cluster {
    let (version, round_trip) = (migrate::VERSION, Duration::from_micros(1_250));
    let contents = Contents { version, log: Some("here".into()), round_trip };
    let keyspace = Keyspace { copies: BTreeMap::from([("eu".into(), 3)]), contents: Ok(contents) };
    Cluster {
        server: "ScyllaDB".into(),
        datacenters: BTreeMap::from([("eu".into(), Nodes { all: 3, up: 3 })]),
        datacenter: Ok(()),
        keyspace: Ok(Some(keyspace)),
    }
}

fn told(settings: &StoreSettings, seen: &Examined) -> (usize, String) {
    let mut report = Report::default();
    tell(settings, seen, Some("here"), NOW, &mut report);
    (report.problems, report.text)
}

fn seen(cluster: Cluster) -> Examined {
    Examined { hosts: vec![("a:9042".into(), answering(None))], cluster: Some(Ok(cluster)) }
}

#[track_caller]
fn check(settings: &StoreSettings, seen: &Examined, problems: usize, parts: &[&str]) {
    let (found, text) = told(settings, seen);
    assert_eq!(found, problems, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn what_is_well_is_said_line_by_line() {
    let expect = [
        "ok       host     a:9042 answers, at 10.0.0.1:9042",
        "ok       tls      off: whoever",
        "ok       login    u logs in",
        "ok       cluster  ScyllaDB: eu with 3 of 3 nodes up",
        "ok       copies   3 of each row in eu",
        "ok       quorum   2 of 3 copies must answer, and 3 of 3 nodes are up",
        "ok       schema   version 3 is there, and this binary runs on 3 and 4",
        "ok       read     a small one takes 1.2 ms there and back",
        "ok       log-id   this folder's log feeds the keyspace",
    ];
    check(&settings(), &seen(cluster()), 0, &expect);
}

#[test]
fn hosts_certificates_and_logins() {
    let dead = ("b:9042".to_owned(), Err("it took no connection".to_owned()));
    let mut one_dead = seen(cluster());
    one_dead.hosts.push(dead.clone());
    check(
        &settings(),
        &one_dead,
        1,
        &["b:9042: it took no connection", "starts by the hosts that do answer"],
    );
    check(&settings(), &Examined { hosts: vec![dead], cluster: None }, 1, &["A node does not start"]);

    let on = StoreSettings { tls: true, ..settings() };
    for (until, problems, part) in [
        (NOW.0 + SOON, 0, "on; the first certificate to end is a:9042's"),
        (NOW.0 + SOON - 1, 1, "Once it has, no connection"),
    ] {
        let hosts = vec![("a:9042".into(), answering(Some(Timestamp(until))))];
        check(&on, &Examined { hosts, ..seen(cluster()) }, problems, &[part]);
    }

    let refused = |refusal| Examined { cluster: Some(Err(refusal)), ..seen(cluster()) };
    check(&settings(), &refused(Refusal::Login("no".into())), 1, &["PROBLEM  login    no", "LIST ROLES"]);
    check(&settings(), &refused(Refusal::Other("late".into())), 1, &["PROBLEM  cluster  late"]);
}

#[test]
fn datacenters_keyspaces_and_what_they_hold() {
    let elsewhere = Cluster { datacenter: Err("not eu".into()), ..cluster() };
    check(
        &settings(),
        &seen(elsewhere),
        1,
        &["PROBLEM  cluster  not eu", "Choose among what is there: eu with"],
    );
    let none = Cluster { keyspace: Ok(None), ..cluster() };
    check(
        &settings(),
        &seen(none),
        1,
        &["PROBLEM  keyspace that of scylla://a,b/k is not there", "`tidegate migrate` makes it"],
    );
    let holding = |version, log: Option<&str>| {
        let contents = Contents { version, log: log.map(str::to_owned), round_trip: Duration::ZERO };
        let keyspace = Keyspace { copies: BTreeMap::from([("eu".into(), 3)]), contents: Ok(contents) };
        seen(Cluster { keyspace: Ok(Some(keyspace)), ..cluster() })
    };
    let own = migrate::VERSION;
    check(&settings(), &holding(own + 1, None), 0, &["no log feeds the keyspace yet"]);
    check(
        &settings(),
        &holding(0, None),
        1,
        &["version 0 is there, and this binary runs on 3 and 4", "tidegate migrate"],
    );
    check(&settings(), &holding(own + 2, None), 1, &["version 5 is there", "a newer binary"]);
    check(&settings(), &holding(own, Some("other")), 1, &["another log than this node's"]);
    let unread = Keyspace { copies: BTreeMap::from([("eu".into(), 3)]), contents: Err("late".into()) };
    check(
        &settings(),
        &seen(Cluster { keyspace: Ok(Some(unread)), ..cluster() }),
        1,
        &["PROBLEM  read     late"],
    );
}

#[test]
fn copies_agree_where_enough_nodes_are_up() {
    let with = |copies: &[(&str, usize)], nodes: &[(&str, usize, usize)]| {
        let contents = Contents { version: migrate::VERSION, log: None, round_trip: Duration::ZERO };
        let copies = copies.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
        let datacenters = nodes.iter().map(|&(name, up, all)| (name.to_owned(), Nodes { all, up })).collect();
        let keyspace = Ok(Some(Keyspace { copies, contents: Ok(contents) }));
        seen(Cluster { datacenters, keyspace, ..cluster() })
    };
    let eu = StoreSettings { datacenter: "eu".into(), ..settings() };
    let all = StoreSettings { consistency: Agreement::Quorum, ..settings() };
    let one = StoreSettings { replication_factor: 1, ..settings() };
    for (settings, seen, problems, part) in [
        (&eu, with(&[("eu", 3)], &[("eu", 2, 3)]), 0, "2 of 3 copies must answer, and 2 of 3 nodes are up"),
        (&eu, with(&[("eu", 3)], &[("eu", 1, 3)]), 1, "`nodetool status` names them"),
        (&eu, with(&[("eu", 3)], &[("eu", 4, 6)]), 1, "2 of 3 copies must answer, and 4 of 6 nodes are up"),
        (&eu, with(&[("eu", 3), ("us", 3)], &[("eu", 3, 3), ("us", 0, 3)]), 0, "3 of each row in eu"),
        (&all, with(&[("eu", 3), ("us", 3)], &[("eu", 3, 3), ("us", 0, 3)]), 1, "4 of 6 copies must answer"),
        (&eu, with(&[("us", 3)], &[("eu", 3, 3), ("us", 3, 3)]), 1, "Nothing is kept there"),
        (&eu, with(&[("eu", 3)], &[("eu", 1, 1)]), 1, "fewer than the copies"),
        (
            &eu,
            with(&[("eu", 2)], &[("eu", 3, 3)]),
            1,
            "2 of each row in eu, and store.replication_factor is 3",
        ),
        (&eu, with(&[("eu", 1)], &[("eu", 1, 1)]), 1, "what its disk loses is lost"),
        (&one, with(&[("eu", 1)], &[("eu", 1, 1)]), 0, "as was meant"),
        (&one, with(&[("", 1)], &[("eu", 1, 1)]), 0, "1 of each row in eu"),
    ] {
        check(settings, &seen, problems, &[part]);
    }
}
