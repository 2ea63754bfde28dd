//! TLS to the servers: what is trusted, what is refused, and with which words.

use std::path::PathBuf;

use super::front::{Authority, Front};
use super::*;
use crate::scylla::{Tls, session};

/// A year that has not come.
const LATER: i32 = 2099;

/// Options for whoever answers at `hosts`.
fn at(hosts: &str, ca: PathBuf) -> ScyllaOptions {
    let tls = Tls { on: true, ca, ..Tls::default() };
    ScyllaOptions { url: format!("scylla://{hosts}/{KEYSPACE}"), tls, ..options(KEYSPACE) }
}

/// What connecting comes to: nothing, where it works.
async fn attempt(options: &ScyllaOptions) -> String {
    match session::connect(options, &password(), None).await {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_opened_over_tls() {
    if left_out() {
        return;
    }
    drop(open().await);
    let Some(ca) = authority_of_server() else { return };
    let options = at(&server().to_string(), ca);
    let store = Scylla::open(&options, &password(), Arc::new(now)).await.unwrap();
    let stream = stream("secured");
    assert!(crate::Catalog::shape(&store, &stream).await.unwrap().is_none());
    // Another authority, and the ones that the system trusts, do not know the server.
    let other = Authority::new();
    for ca in [other.ca(), PathBuf::new()] {
        let refused = attempt(&at(&server().to_string(), ca)).await;
        assert!(
            refused.contains("its certificate is by another authority than those in store.tls_ca"),
            "{refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_may_name_the_host_or_its_address() {
    if left_out() {
        return;
    }
    let authority = Authority::new();
    for (names, year, host, expect) in [
        (&["localhost"][..], LATER, "localhost", ""),
        (&["127.0.0.1"], LATER, "127.0.0.1", ""),
        (&["127.0.0.1"], LATER, "localhost", ""),
        (&["localhost"], LATER, "127.0.0.1", "its certificate is for localhost, and so neither"),
        (&["db1.example"], LATER, "localhost", "its certificate is for db1.example, and so neither"),
        (&["127.0.0.1"], 2021, "127.0.0.1", "its certificate has expired"),
    ] {
        let front = Front::start(server().to_string(), Some(authority.server(names, year, false))).await;
        let hosts = format!("{host}:{}", front.address.port());
        let answer = attempt(&at(&hosts, authority.ca())).await;
        assert!(
            answer.contains(expect) && answer.is_empty() == expect.is_empty(),
            "{names:?} {host}: {answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_shows_its_certificate_where_one_is_asked_for() {
    if left_out() {
        return;
    }
    let (authority, other) = (Authority::new(), Authority::new());
    let front = Front::start(server().to_string(), Some(authority.server(&["127.0.0.1"], LATER, true))).await;
    let with = |shown: Option<(PathBuf, PathBuf)>| {
        let mut options = at(&front.address.to_string(), authority.ca());
        (options.tls.cert, options.tls.key) = shown.unwrap_or_default();
        async move { attempt(&options).await }
    };
    assert_eq!(with(Some(authority.certify(&["client"], LATER))).await, "");
    let none = with(None).await;
    assert!(none.contains("set store.tls_cert and store.tls_key"), "{none}");
    let unknown = with(Some(other.certify(&["client"], LATER))).await;
    assert!(unknown.contains("it refuses our certificate, of store.tls_cert"), "{unknown}");
    // A key of another certificate.
    let (certificate, _) = authority.certify(&["client"], LATER);
    let mixed = with(Some((certificate, other.certify(&["client"], LATER).1))).await;
    assert!(mixed.contains("store.tls_key names") && mixed.contains("does not go with"), "{mixed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_on_one_side_only_is_told() {
    if left_out() {
        return;
    }
    let authority = Authority::new();
    let plain = Front::start(server().to_string(), None).await;
    let front =
        Front::start(server().to_string(), Some(authority.server(&["127.0.0.1"], LATER, false))).await;
    let wants = at(&front.address.to_string(), authority.ca());
    let answer = attempt(&ScyllaOptions { tls: Tls::default(), ..wants.clone() }).await;
    assert!(answer.contains("set store.tls = true"), "{answer}");
    // A server that knows nothing of TLS.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let deaf = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ =
                tokio::io::AsyncWriteExt::write_all(&mut client, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let answer = attempt(&at(&deaf.to_string(), authority.ca())).await;
    assert!(answer.contains("it speaks no TLS there") && answer.contains("store.tls = false"), "{answer}");
    let answer =
        attempt(&ScyllaOptions { tls: Tls::default(), ..at(&deaf.to_string(), PathBuf::new()) }).await;
    assert!(answer.contains("does not speak CQL"), "{answer}");
    assert_eq!(
        attempt(&ScyllaOptions { tls: Tls::default(), ..at(&plain.address.to_string(), PathBuf::new()) })
            .await,
        ""
    );
}

#[tokio::test]
async fn files_that_can_not_be_used_are_named() {
    let authority = Authority::new();
    let (certificate, key) = authority.certify(&["client"], LATER);
    let missing = PathBuf::from("/no/such.pem");
    let none = PathBuf::new();
    for (ca, cert, key, expect) in [
        (&missing, &none, &none, "store.tls_ca names /no/such.pem, which can't be read"),
        (&key, &none, &none, "which holds no certificate as PEM"),
        (&authority.ca(), &missing, &key, "store.tls_cert names /no/such.pem, which can't be read"),
        (&authority.ca(), &certificate, &missing, "store.tls_key names /no/such.pem, which can't be read"),
        (&authority.ca(), &certificate, &certificate, "which holds no private key as PEM"),
        (&authority.ca(), &certificate, &none, "store.tls_cert and store.tls_key go together"),
    ] {
        let tls = Tls { on: true, ca: ca.clone(), cert: cert.clone(), key: key.clone() };
        let options = ScyllaOptions { url: "scylla://127.0.0.1:1/k".into(), tls, ..ScyllaOptions::default() };
        let refused = attempt(&options).await;
        assert!(refused.contains(expect), "{refused}");
    }
}
