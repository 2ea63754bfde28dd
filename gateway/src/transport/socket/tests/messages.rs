//! What is said before and beside operations: signing in, pings, and all that is not a message.

use super::{ACK, INIT, SUBSCRIBE, Step, check};

const FORBIDDEN_MISSING: &str =
    "<4403 Forbidden: send a token in connection_init, as payload: {\"Authorization\": \"Bearer …\"}>";
const INVALID: &str = "<4403 Forbidden: the access token is not valid here>";

#[test]
fn who_signs_in() {
    let init = |payload| match payload {
        "" => Step::Text(r#"{"type":"connection_init"}"#),
        payload => Step::Text(String::leak(format!(r#"{{"type":"connection_init","payload":{payload}}}"#))),
    };
    let alice = Some("Bearer alice");
    for (rule, upgrade, payload, expect) in [
        ("a token as Authorization", None, r#"{"Authorization":"Bearer alice"}"#, None),
        ("a token as authorization", None, r#"{"authorization":"Bearer alice"}"#, None),
        ("a token among headers", None, r#"{"headers":{"Authorization":"Bearer alice"}}"#, None),
        ("a token among small headers", None, r#"{"headers":{"authorization":"Bearer alice"}}"#, None),
        (
            "the same token twice",
            None,
            r#"{"Authorization":"Bearer alice","authorization":"Bearer alice"}"#,
            None,
        ),
        ("a member unknown", None, r#"{"Authorization":"Bearer alice","x":[1]}"#, None),
        ("headers that are null", None, r#"{"Authorization":"Bearer alice","headers":null}"#, None),
        ("the upgrade's token", alice, "", None),
        ("the upgrade's token, an empty payload", alice, "{}", None),
        ("the upgrade's token, no payload", alice, "null", None),
        ("two tokens of one caller", alice, r#"{"Authorization":"Bearer alice again"}"#, None),
        (
            "two tokens of two callers",
            alice,
            r#"{"Authorization":"Bearer bob"}"#,
            Some(
                "<4403 Forbidden: the tokens of the upgrade and of connection_init are of different callers>",
            ),
        ),
        ("no token", None, "", Some(FORBIDDEN_MISSING)),
        ("no token in the payload", None, "{}", Some(FORBIDDEN_MISSING)),
        ("another scheme", None, r#"{"Authorization":"Basic x"}"#, Some(FORBIDDEN_MISSING)),
        ("a bad token", None, r#"{"Authorization":"Bearer x"}"#, Some(INVALID)),
        (
            "a bad token at the upgrade",
            Some("Bearer x"),
            r#"{"Authorization":"Bearer alice"}"#,
            Some(INVALID),
        ),
        ("a bad token beside a good upgrade", alice, r#"{"Authorization":"Bearer x"}"#, Some(INVALID)),
        (
            "a token that has ended",
            None,
            r#"{"Authorization":"Bearer old"}"#,
            Some("<4403 Forbidden: the access token has expired>"),
        ),
        (
            "two values that differ",
            None,
            r#"{"Authorization":"Bearer alice","authorization":"Bearer bob"}"#,
            Some("<4403 Forbidden: send one Authorization, not several>"),
        ),
        (
            "a token that is no text",
            None,
            r#"{"Authorization":7}"#,
            Some("<4400 Invalid message: Authorization must be a string>"),
        ),
        (
            "headers that are no object",
            None,
            r#"{"headers":[]}"#,
            Some("<4400 Invalid message: headers must be an object>"),
        ),
        ("a payload that is none", None, "7", Some("<4400 Invalid message: payload must be an object>")),
    ] {
        match expect {
            None => check(rule, upgrade, &[init(payload)], &ACK),
            Some(close) => check(rule, upgrade, &[init(payload)], &[close]),
        }
    }
}

#[test]
fn pings_are_answered_at_any_time() {
    let ping = Step::Text(r#"{"type":"ping"}"#);
    let pong = r#"{"type":"pong"}"#;
    let with = Step::Text(r#"{"type":"ping","payload":{"n": 1.0e400, "s":"\"\u00fc"}}"#);
    let with_pong = r#"{"type":"pong","payload":{"n": 1.0e400, "s":"\"\u00fc"}}"#;
    let unasked = Step::Text(r#"{"type":"pong","payload":{}}"#);
    check("a ping before the ack", None, &[ping], &[pong]);
    check("a ping after the ack", None, &[INIT, ping], &[ACK[0], ACK[1], pong]);
    check("a payload passed back as it came", None, &[with], &[with_pong]);
    check("a payload that is null", None, &[Step::Text(r#"{"type":"ping","payload":null}"#)], &[pong]);
    check("a pong unasked before the ack", None, &[unasked], &[]);
    check("a pong unasked after the ack", None, &[INIT, unasked], &ACK);
    let wrong = Step::Text(r#"{"type":"ping","payload":[1]}"#);
    check("a wrong payload", None, &[wrong], &["<4400 Invalid message: payload must be an object>"]);
}

#[test]
fn what_is_no_message_closes_the_socket() {
    for (text, fault) in [
        ("", "a message must be a JSON object"),
        ("hello", "a message must be a JSON object"),
        ("[]", "a message must be a JSON object"),
        ("{} {}", "a message must be a JSON object"),
        ("{}", "a message must have a type"),
        (r#"{"type":null}"#, "a message must have a type"),
        (r#"{"type":7}"#, "type must be a string"),
        (r#"{"type":"start"}"#, r#"there is no message of type "start""#),
        (r#"{"type":"next","id":"a","payload":{}}"#, "next is sent by the server only"),
        (r#"{"type":"connection_ack"}"#, "connection_ack is sent by the server only"),
        (
            r#"{"type":"subscribe","payload":{"query":"{x}"}}"#,
            "the message must have an id that is not empty",
        ),
        (
            r#"{"type":"subscribe","id":"","payload":{"query":"{x}"}}"#,
            "the message must have an id that is not empty",
        ),
        (r#"{"type":"subscribe","id":7,"payload":{"query":"{x}"}}"#, "id must be a string"),
        (r#"{"type":"subscribe","id":"a"}"#, "subscribe must have a payload"),
        (r#"{"type":"subscribe","id":"a","payload":"{x}"}"#, "payload must be an object"),
        (r#"{"type":"subscribe","id":"a","payload":{}}"#, "payload has no query"),
        (r#"{"type":"subscribe","id":"a","payload":{"query":7}}"#, "query must be a string"),
        (
            r#"{"type":"subscribe","id":"a","payload":{"query":"{x}","operationName":7}}"#,
            "operationName must be a string",
        ),
        (
            r#"{"type":"subscribe","id":"a","payload":{"query":"{x}","extensions":7}}"#,
            "extensions must be an object",
        ),
        (r#"{"type":"complete"}"#, "the message must have an id that is not empty"),
        (r#"{"type":"complete","id":""}"#, "the message must have an id that is not empty"),
    ] {
        check(
            text,
            None,
            &[INIT, Step::Text(text)],
            &[ACK[0], ACK[1], &format!("<4400 Invalid message: {fault}>")],
        );
    }
    let mut machine = super::Machine::new(None);
    let wrong = r#"{"type":"subscribe","id":"a","payload":{"query":"{x}","variables":[1]}}"#;
    let outputs = machine.step(Step::Text(wrong));
    let shown = machine.show(outputs);
    assert!(shown[0].starts_with("<4400 Invalid message: variables: "), "{shown:?}");
    let binary = "<4400 Invalid message: binary frames are not accepted, send text>";
    check("a binary frame", None, &[Step::Binary], &[binary]);
}

#[test]
fn the_order_of_messages() {
    check("subscribe before the ack", None, &[SUBSCRIBE], &["<4401 Unauthorized>"]);
    let twice = "<4429 Too many initialisation requests>";
    check("a second connection_init", None, &[INIT, INIT], &[ACK[0], ACK[1], twice]);
    check("complete before the ack", None, &[super::COMPLETE], &[]);
    check(
        "nothing is heard after a close",
        None,
        &[SUBSCRIBE, INIT, Step::Binary, SUBSCRIBE],
        &["<4401 Unauthorized>"],
    );
}
