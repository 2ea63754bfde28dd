//! What the passing of time does to a socket.

use super::{ACK, INIT, Step, check};

const PONG: Step = Step::Text(r#"{"type":"pong"}"#);

/// After signing in.
#[track_caller]
fn run(rule: &str, steps: &[Step], expect: &[&str]) {
    check(rule, None, &[&[INIT], steps].concat(), &[&ACK[..], expect].concat());
}

#[test]
fn connection_init_has_three_seconds() {
    let late = "<4408 Connection initialisation timeout>";
    check("in time", None, &[Step::Wait(2_999)], &[]);
    check("late", None, &[Step::Wait(3_000)], &[late]);
    check("a ping is no init", None, &[Step::Wait(2_000), PONG, Step::Wait(1_000)], &[late]);
    run("never after the ack", &[Step::Wait(3_000)], &[]);
    check("one close is enough", None, &[Step::Wait(3_000), Step::Wait(9_000), INIT], &[late]);
}

#[test]
fn a_silent_client_is_pinged_and_then_dropped() {
    run("not yet", &[Step::Wait(24_999)], &[]);
    run("a ping", &[Step::Wait(25_000), Step::Wait(24_999)], &["<ping>"]);
    run("dropped", &[Step::Wait(25_000), Step::Wait(25_000)], &["<ping>", "<drop>"]);
    run("anything heard will do", &[Step::Wait(25_000), PONG, Step::Wait(24_999)], &["<ping>"]);
    run("a ping again", &[Step::Wait(25_000), PONG, Step::Wait(25_000)], &["<ping>", "<ping>"]);
    run("silence ends it", &[Step::Wait(25_000), Step::Wait(25_000), PONG, INIT], &["<ping>", "<drop>"]);
    run(
        "who takes amid much is alive",
        &[Step::Wait(25_000), Step::Wait(10_000), Step::Takes, Step::Wait(24_999)],
        &["<ping>"],
    );
}

#[test]
fn who_does_not_take_what_waits_is_closed() {
    let unread = "<1013 Try again later: what was sent was not read in time; resume by cursor>";
    let wait = |n| Step::Wait(n);
    run("too late", &[Step::Waits, wait(20_000), PONG, wait(10_000)], &[unread]);
    run("not yet", &[Step::Waits, wait(20_000), PONG, wait(9_999)], &[]);
    run("taken", &[Step::Waits, wait(20_000), Step::Taken, PONG, wait(10_000)], &[]);
    run("some taken", &[Step::Waits, wait(20_000), Step::Takes, PONG, wait(10_000), PONG, wait(19_999)], &[]);
    run(
        "some taken, no more",
        &[Step::Waits, wait(20_000), Step::Takes, PONG, wait(10_000), PONG, wait(20_000)],
        &[unread],
    );
    run("what waits longer counts", &[Step::Waits, wait(20_000), Step::Waits, PONG, wait(10_000)], &[unread]);
}

#[test]
fn a_token_ends() {
    let expired = "<4403 Forbidden: the access token has expired; connect again with a new one>";
    let heard = [Step::Wait(24_000), PONG, Step::Wait(24_000), PONG];
    run("with the leeway of the verifier", &[&heard[..], &[Step::Wait(16_999)]].concat(), &[]);
    run("and then", &[&heard[..], &[Step::Wait(17_000)]].concat(), &[expired]);
}

#[test]
fn a_caller_who_is_not_let_in_any_more_is_closed() {
    let revoked = "<4401 Revoked: the access token, or its bearer, is not let in any more>";
    run("at once", &[Step::Revoked], &[revoked]);
    run("once", &[Step::Revoked, Step::Revoked, PONG, super::SUBSCRIBE], &[revoked]);
    check("nobody has signed in", None, &[Step::Revoked, INIT], &ACK);
    check("by the upgrade neither", Some("Bearer alice"), &[Step::Revoked, INIT], &ACK);
    let late = "<4408 Connection initialisation timeout>";
    check("after the end", None, &[Step::Wait(3_000), Step::Revoked], &[late]);
}

#[test]
fn the_next_look_is_when_something_is_due() {
    let mut machine = super::Machine::new(None);
    let mut next = |steps: &[Step]| {
        for step in steps {
            machine.step(*step);
        }
        let now = machine.now();
        machine.protocol.timers().next(now).as_millis()
    };
    assert_eq!(next(&[]), 3_000, "connection_init");
    assert_eq!(next(&[Step::Wait(1_000), INIT]), 26_000, "a ping");
    assert_eq!(next(&[Step::Wait(25_000)]), 51_000, "a pong");
    assert_eq!(next(&[Step::Wait(5_000), PONG, Step::Wait(20_000), PONG]), 65_000, "the token's end");
    assert_eq!(next(&[Step::Wait(1_000), Step::Waits, Step::Wait(12_000), PONG]), 65_000, "still that");
}

/// A ping with this token.
macro_rules! ping {
    ($token:literal) => {
        Step::Text(concat!(r#"{"type":"ping","payload":{"Authorization":"Bearer "#, $token, r#""}}"#))
    };
}

#[test]
fn a_ping_with_a_new_token_lets_a_socket_live_as_long_as_that() {
    let expired = "<4403 Forbidden: the access token has expired; connect again with a new one>";
    let wait = [Step::Wait(20_000), PONG, Step::Wait(20_000), PONG, Step::Wait(20_000), PONG];
    let renewed = ["<alice>", r#"{"type":"pong","payload":{"expiresAt":"2020-06-01T00:02:00.000000Z"}}"#];
    let ended = [&wait[..], &[Step::Wait(5_000), PONG]].concat();
    run("not renewed", &ended, &[expired]);
    run("renewed", &[&[ping!("alice later")], &ended[..]].concat(), &renewed);
    run(
        "and then",
        &[&[ping!("alice later")], &wait[..], &ended[..]].concat(),
        &[&renewed[..], &[expired]].concat(),
    );
    // The issuer can't be asked: as before, and the pong tells so.
    let before = ["<alice>", r#"{"type":"pong","payload":{"expiresAt":"2020-06-01T00:01:00.000000Z"}}"#];
    run("away", &[&[ping!("away")], &ended[..]].concat(), &[&before[..], &[expired]].concat());
}

#[test]
fn a_ping_with_a_token_that_is_not_the_callers_ends_it() {
    for (step, expect) in [
        (ping!("bob"), "<4403 Forbidden: the token of the ping is another caller's>"),
        (
            ping!("alice reads"),
            "<4403 Forbidden: the token of the ping gives other rights; connect again with it>",
        ),
        (ping!("old"), "<4403 Forbidden: the access token has expired>"),
        (ping!("nobody's"), "<4403 Forbidden: the access token is not valid here>"),
    ] {
        run(expect, &[step, PONG, INIT], &[expect]);
    }
    // A token is sent back to nobody, and before the ack it is no sign-in.
    check("too early", None, &[ping!("alice")], &[r#"{"type":"pong"}"#]);
    let other = r#"{"type":"ping","payload":{"headers":7,"at":1}}"#;
    run("other payloads", &[Step::Text(other)], &[r#"{"type":"pong","payload":{"headers":7,"at":1}}"#]);
}
