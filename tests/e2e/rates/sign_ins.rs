//! Sign-ins that fail, of one address.

use super::{SECRET, client, exhaust, is_too_many, start, wait_of};
use crate::support::ask_for_token;
use crate::support::http::Request;

#[test]
fn who_fails_too_often_is_barred_and_known_tokens_are_not() {
    let server = start(
        "[server]\nproxies = [\"127.0.0.1\"]\n[rate]\nfailed_sign_ins = 1\nfailed_sign_ins_burst = 5\n",
    );
    let one = client(&server, "one");
    one.get("/data").expect(200);
    let bad_token = |address: &str| {
        Request::new("GET", "/data")
            .header("Authorization", "Bearer made-up")
            .header("X-Forwarded-For", address)
            .send(server.address)
    };
    let sentence = "too many failed sign-ins of this address";
    let refused = exhaust(|| bad_token("203.0.113.9"));
    is_too_many(&refused, "rate_limited", "/error/code", sentence);
    // Another address is another matter.
    bad_token("203.0.113.10").expect(401);

    // Secrets and codes are guessed no faster, and not even the right one is looked at meanwhile.
    let refused = exhaust(|| ask_for_token(server.address, "one", "wrong-wrong-wrong", ""));
    is_too_many(&refused, "rate_limited", "/error", sentence);
    let code = || {
        Request::new("POST", "/oauth/code")
            .body("application/json", r#"{"code":"made-up"}"#)
            .send(server.address)
    };
    let refused = exhaust(code);
    is_too_many(&refused, "rate_limited", "/error", sentence);
    // A token that was good before still is.
    exhaust(|| ask_for_token(server.address, "one", "wrong-wrong-wrong", ""));
    one.get("/data").expect(200);
    let refused = exhaust(|| ask_for_token(server.address, "one", "wrong-wrong-wrong", ""));
    std::thread::sleep(wait_of(&refused));
    ask_for_token(server.address, "one", SECRET, "").expect(200);
    let by = |kind: &str| server.metric(&format!("tidegate_rate_refusals_total{{kind=\"{kind}\"}}"));
    assert!(by("failed_sign_ins") >= 4.0 && by("requests") == 0.0);
}

/// Well over the default burst, and no wait between them.
#[test]
fn the_default_bars_too() {
    let server = start("");
    let wrong = "Bearer made-up";
    let ask = || Request::new("GET", "/data").header("Authorization", wrong).send(server.address);
    let refused = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| exhaust(ask))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).next().unwrap()
    });
    is_too_many(&refused, "rate_limited", "/error/code", "too many failed sign-ins of this address");
}
