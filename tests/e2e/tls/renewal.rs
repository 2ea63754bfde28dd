//! A certificate that is renewed while clients are connected.

use rustls::ALL_VERSIONS;

use super::{ask, kept};
use crate::support::tls::{Authority, bytes_of, shown};
use crate::support::{Setup, until};

#[test]
fn a_new_pair_is_used_for_new_connections_and_a_broken_one_for_none() {
    let authority = Authority::new();
    let server = Setup::empty().over_tls(&authority).start();
    let client = authority.client(ALL_VERSIONS);
    let mut open = kept(&server, &client).unwrap();
    let shown_now = || shown(&kept(&server, &client).unwrap());
    let first = shown(&open);
    assert_eq!(shown_now(), first);

    let (cert, key) = authority.certify();
    authority.put(&cert, &key);
    until("the new certificate", shown_now, |shown| (*shown == bytes_of(&cert)).then_some(()));
    ask(&server, &mut open).unwrap();
    assert_eq!(shown(&open), first, "an open connection lives on");

    let told = |server: &crate::support::Server| {
        server
            .log()
            .lines()
            .filter(|line| line.contains("the one before is kept"))
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&server), Vec::<String>::new());
    let (next_cert, next_key) = authority.certify();
    authority.put(&next_cert[..next_cert.len() / 2], &next_key);
    until("the first remark", || told(&server), |told| (told.len() == 1).then_some(()));
    assert_eq!(shown_now(), bytes_of(&cert));
    // Another fault is told, too, so the first one has been looked at again by then.
    authority.put(&next_cert, &key);
    let remarks = until("the second remark", || told(&server), |told| (told.len() > 1).then(|| told.clone()));
    assert!(remarks.len() == 2, "each is told once: {remarks:?}");
    assert!(remarks[0].contains("cert.pem, which is not whole"), "{remarks:?}");
    assert!(remarks[1].contains("key.pem, which does not go with"), "{remarks:?}");
    assert_eq!(shown_now(), bytes_of(&cert));

    authority.put(&next_cert, &next_key);
    until("the newest certificate", shown_now, |shown| (*shown == bytes_of(&next_cert)).then_some(()));
    ask(&server, &mut open).unwrap();
    assert!(!server.log().contains("BEGIN"), "{}", server.log());
}
