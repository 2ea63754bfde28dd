//! One process a port, one a folder: the second is told, and does no harm.

use crate::support::{Setup, tidegate};

#[test]
fn a_taken_port_is_named() {
    let server = Setup::empty().start();
    let address = server.address.to_string();
    let done = tidegate(server.folder(), &["--listen", &address, "--data", "other"], "");
    assert_eq!(done.code, Some(1), "{done:?}");
    let expect = format!("tidegate: can't listen on {address}: ");
    assert!(done.stderr.contains(&expect) && done.stderr.contains("--listen"), "{done:?}");
    assert_eq!(done.stdout, "");
    server.get("/healthz").expect(200);
}

#[test]
fn a_folder_in_use_is_named() {
    let server = Setup::empty().start();
    let client = server.client();
    client.put_record("s", "k", "{\"n\":1}");
    let data = server.data().display().to_string();
    let done = tidegate(server.folder(), &["--listen", "127.0.0.1:0", "--data", &data], "");
    assert_eq!(done.code, Some(1), "{done:?}");
    // The embedded store says so, or else the log.
    assert!(done.stderr.contains("is in use") && done.stderr.contains("stop"), "{done:?}");
    assert!(done.stderr.contains(&data), "{done:?}");
    // The first one goes on, and the commands still find it.
    client.put_record("s", "k", "{\"n\":2}");
    assert_eq!(client.raws("s", 2).len(), 2);
    let done = tidegate(server.folder(), &["streams", "--data", &data], "");
    assert_eq!(done.code, Some(0), "{done:?}");
}
