//! What becomes of operations.

use super::{ACK, COMPLETE, INIT, SUBSCRIBE, Step, check};

const START: &str = "<start 1 {x}>";
const COMPLETED: &str = r#"{"id":"a","type":"complete"}"#;

/// After signing in and a subscription with the id `a`.
#[track_caller]
fn run(rule: &str, steps: &[Step], expect: &[&str]) {
    let steps = [&[INIT, SUBSCRIBE], steps].concat();
    check(rule, None, &steps, &[&ACK[..], &[START], expect].concat());
}

#[test]
fn what_an_operation_says() {
    let next = |n| Step::Next(1, n);
    let one = r#"{"id":"a","type":"next","payload":{"data":1}}"#;
    let two = r#"{"id":"a","type":"next","payload":{"data":2}}"#;
    let error = r#"{"id":"a","type":"error","payload":[{"message":"m"}]}"#;
    let failed =
        r#"{"id":"a","type":"error","payload":[{"message":"no store","extensions":{"code":"UNAVAILABLE"}}]}"#;
    let answered = Step::Answered(1, r#"{"data":1}"#);
    let refused = Step::Refused(1, r#"{"errors":[{"message":"m"}]}"#);
    run("deliveries", &[next(r#"{"data":1}"#), next(r#"{"data":2}"#)], &[one, two]);
    run("a subscription that is over", &[next(r#"{"data":1}"#), Step::Complete(1)], &[one, COMPLETED]);
    run("one answer, and complete", &[answered], &[one, COMPLETED]);
    run("an answer with errors of fields", &[Step::Answered(1, r#"{"data":1}"#)], &[one, COMPLETED]);
    run("a request that was not executed", &[refused], &[error]);
    run("a subscription that can't go on", &[next(r#"{"data":1}"#), Step::Failed(1)], &[one, failed]);
    run("nothing after complete", &[Step::Complete(1), next("1"), Step::Complete(1)], &[COMPLETED]);
    run("nothing after an answer", &[answered, next("1"), answered], &[one, COMPLETED]);
    run("nothing after an error", &[refused, next("1"), Step::Complete(1)], &[error]);
    run("nothing after a failure", &[Step::Failed(1), next("1")], &[failed]);
}

#[test]
fn a_client_completes() {
    let dropped = [Step::Next(1, "1"), Step::Answered(1, "{}"), Step::Failed(1), Step::Complete(1)];
    run("it stops, and nothing is sent", &[&[COMPLETE], &dropped[..]].concat(), &["<stop 1>"]);
    run("twice is once", &[COMPLETE, COMPLETE], &["<stop 1>"]);
    run("an unknown id", &[Step::Text(r#"{"id":"b","type":"complete"}"#)], &[]);
    run("after the server's", &[Step::Complete(1), COMPLETE], &[COMPLETED]);
}

#[test]
fn ids() {
    let taken = "<4409 Subscriber for a already exists>";
    let again = "<start 2 {x}>";
    let second = r#"{"id":"a","type":"next","payload":2}"#;
    run("an id in use", &[SUBSCRIBE], &[taken]);
    run("again after the client's complete", &[COMPLETE, SUBSCRIBE], &["<stop 1>", again]);
    run("again after the server's complete", &[Step::Complete(1), SUBSCRIBE], &[COMPLETED, again]);
    run(
        "again after an error",
        &[Step::Refused(1, r#"{"errors":[]}"#), SUBSCRIBE],
        &[r#"{"id":"a","type":"error","payload":[]}"#, again],
    );
    run(
        "what the former one says is dropped",
        &[COMPLETE, SUBSCRIBE, Step::Next(1, "1"), Step::Next(2, "2"), Step::Complete(1)],
        &["<stop 1>", again, second],
    );
    run(
        "still in use after that",
        &[COMPLETE, SUBSCRIBE, Step::Complete(1), SUBSCRIBE],
        &["<stop 1>", again, taken],
    );
    let strange = Step::Text(r#"{"id":"\"\\\n\u00fc","type":"subscribe","payload":{"query":"{x}"}}"#);
    check(
        "an id is escaped",
        None,
        &[INIT, strange, Step::Next(1, "1"), Step::Complete(1)],
        &[
            ACK[0],
            ACK[1],
            START,
            r#"{"id":"\"\\\nü","type":"next","payload":1}"#,
            r#"{"id":"\"\\\nü","type":"complete"}"#,
        ],
    );
}

#[test]
fn one_operation_too_many_is_refused_and_the_socket_stays() {
    let b = Step::Text(r#"{"id":"b","type":"subscribe","payload":{"query":"{y}"}}"#);
    let c = Step::Text(r#"{"id":"c","type":"subscribe","payload":{"query":"{z}"}}"#);
    let refused = r#"{"id":"c","type":"error","payload":[{"message":"2 operations run on this socket, which is the most: complete some, or open another","extensions":{"code":"LIMIT_EXCEEDED"}}]}"#;
    run(
        "the third of two",
        &[b, c, c, Step::Next(1, "1")],
        &["<start 2 {y}>", refused, refused, r#"{"id":"a","type":"next","payload":1}"#],
    );
    run("room again", &[b, COMPLETE, c], &["<start 2 {y}>", "<stop 1>", "<start 3 {z}>"]);
}

#[test]
fn a_request_is_read_leniently_and_its_numbers_keep_their_digits() {
    let text = r#"{"extra":[1],"id":"a","type":"subscribe","type":"subscribe","payload":{"query":"{q}","query":"{x}",
        "operationName":null,"variables":{"n":12345678901234567890.10},"extensions":{},"key":7}}"#;
    let mut machine = super::Machine::new(Some("Bearer alice"));
    machine.step(Step::Text(r#"{"type":"connection_init"}"#));
    let outputs = machine.step(Step::Text(text));
    let [super::Output::Start(_, request)] = &outputs[..] else { panic!("it starts") };
    assert_eq!(request.query, "{x}", "the last of two, as JSON.parse has it");
    assert_eq!(request.variable("n").unwrap().get(), "12345678901234567890.10");
}
