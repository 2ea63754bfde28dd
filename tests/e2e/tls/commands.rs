//! The commands, and curl, against a node that speaks TLS.

use std::process::Command;

use crate::support::tls::Authority;
use crate::support::{Setup, finish, run, tidegate};

#[test]
fn commands_know_the_node_by_its_context_or_by_the_authorities_they_are_given() {
    let authority = Authority::new();
    let server = Setup::empty().over_tls(&authority).start();
    let (url, data) = (server.url(), server.data().display().to_string());
    assert!(url.starts_with("https://") && server.banner().contains(&url), "{}", server.banner());
    let here = server.folder();
    let ca = authority.file("ca.pem").display().to_string();
    let stranger = Authority::new().file("ca.pem");
    let (other, nothing) = (here.join("other.pem"), here.join("nothing.pem"));
    std::fs::copy(Authority::new().file("ca.pem"), &other).unwrap();
    std::fs::write(&nothing, "nothing").unwrap();
    assert!(!stranger.exists(), "its folder is gone, so that it names no file");

    let done = tidegate(here, &["publish", "s", r#"{"n": 1}"#, "--key", "k", "--data", &data], "");
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "1 accepted\n"), "{done:?}");
    server.client().nodes("s", "{ s { nodes { data { n } } } }", 1);
    let query = "{ s { nodes { data { n } } } }";
    for more in [&["--data", &data][..], &["--data", &data, "--url", &url, "--ca", &ca]] {
        let done = tidegate(here, &[&["query", query], more].concat(), "");
        assert_eq!(done.stdout, "{\"data\":{\"s\":{\"nodes\":[{\"data\":{\"n\":1}}]}}}\n", "{done:?}");
    }
    let tail = run(here, &["tail", "s", "--from", "now-1h", "--data", &data]);
    let line: serde_json::Value = serde_json::from_str(&tail.wait_for(1)[0]).unwrap();
    assert_eq!(line["data"], serde_json::json!({ "n": 1 }), "{line}");
    let page = tidegate(here, &["page", "--data", &data], "");
    assert!(page.stdout.starts_with(&format!("{url}/#code=")), "{page:?}");
    let ready = tidegate(here, &["ready", "--url", &url, "--ca", &ca], "");
    assert!(ready.code == Some(0) && ready.stdout.starts_with("ready: "), "{ready:?}");

    for (more, reason) in [
        (["--ca", &other.display().to_string()], "invalid peer certificate"),
        (["--ca", &nothing.display().to_string()], "nothing.pem holds no certificate as PEM"),
        (["--ca", &stranger.display().to_string()], "ca.pem can't be read"),
    ] {
        let token = tidegate(here, &[&["token", "--data", &data], &more[..]].concat(), "");
        assert!(token.code == Some(1) && token.stderr.contains(reason), "{reason}: {token:?}");
        let ready = tidegate(here, &[&["ready", "--url", &url], &more[..]].concat(), "");
        assert!(ready.code == Some(1) && ready.stderr.contains(reason), "{reason}: {ready:?}");
    }
}

#[test]
fn curl_speaks_with_it() {
    let authority = Authority::new();
    let server = Setup::empty().over_tls(&authority).start();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--cacert"]).arg(authority.file("ca.pem"));
    curl.args(["--write-out", "%{http_version} %{http_code}", &format!("{}/healthz", server.url())]);
    let done = finish(curl, "");
    assert_eq!(done.stdout, "ok\n1.1 200", "{done:?}");
}
