//! The clients that applications use, by the scripts in `tests/live`: graphql-ws and graphql-sse, from npm. They need
//! Node; `TIDEGATE_WITHOUT=clients` leaves them out.

use std::process::Command;

use crate::support::tls::Authority;
use crate::support::{Setup, converse, ensure_packages, is_left_out, repository};

const SECRET: &str = "0123456789abcdef";

/// Runs a script against a server with these settings, which the script may have ended and started again.
fn run(script: &str, settings: &str) {
    run_with(script, Setup::configured(&configuration(settings)), &[]);
}

/// The same over TLS.
fn run_over_tls(script: &str) {
    let authority = Authority::new();
    let setup = Setup::configured(&configuration("")).over_tls(&authority);
    run_with(script, setup, &[("NODE_EXTRA_CA_CERTS", &authority.file("ca.pem").display().to_string())]);
}

fn configuration(settings: &str) -> String {
    let mut configuration = settings.to_owned();
    for (id, roles) in [
        ("app", r#""data.read", "data.write", "data.admin""#),
        ("reader", r#""data.read""#),
        ("writer", r#""data.write""#),
    ] {
        configuration += &format!("[[client]]\nid = \"{id}\"\nsecret_env = \"SECRET\"\nroles = [{roles}]\n");
    }
    configuration
}

fn run_with(script: &str, setup: Setup, environment: &[(&str, &str)]) {
    if is_left_out("clients", "clients of live transports") {
        return;
    }
    let folder = repository().join("tests/live");
    ensure_packages(&folder, "clients");
    let mut server = setup.env("SECRET", SECRET).start();
    let client = server.client();
    client.put_record("s", "first", r#"{"n": 0}"#);
    client.nodes("s", "{ s { nodes { data { n } } } }", 1);

    let mut node = Command::new("node");
    node.arg(script).current_dir(&folder).env("TIDEGATE_URL", server.url()).env("SECRET", SECRET);
    node.envs(environment.iter().copied());
    converse(node, |question| {
        match question {
            "kill" => server.kill_9(),
            "stop" => {
                server.terminate();
                assert_eq!(server.wait().code(), Some(0), "{}", server.log());
            }
            other => panic!("{script} asks for {other}"),
        }
        server.restart();
        server.url()
    });
}

#[test]
fn graphql_ws_follows_and_goes_on() {
    run("ws.mjs", "");
}

#[test]
fn graphql_sse_follows_and_goes_on() {
    run("sse.mjs", "");
}

#[test]
fn graphql_ws_does_so_over_tls() {
    run_over_tls("ws.mjs");
}

#[test]
fn graphql_sse_does_so_over_tls() {
    run_over_tls("sse.mjs");
}

#[test]
fn tokens_that_end_are_renewed_by_both() {
    // A second, and the five that the verifier grants.
    run("expiry.mjs", "[embedded_issuer]\ntoken_seconds = 1\n");
}
