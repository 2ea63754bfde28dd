//! The protocol by tables and by arbitrary sequences: without a socket, without time.

mod flushes;
mod messages;
mod operations;
mod outgoing;
mod sequences;
mod time;

use std::time::Duration;

use access::{AuthError, IssuerName, Principal, Refusal, Roles};
use schema::Timestamp;

use super::output::{Output, Run};
use super::protocol::Protocol;
use super::timers::Now;
use crate::error::{Code, GraphqlError};
use crate::execute::Response;
use crate::settings::LiveSettings;
use crate::transport::operation::{Payload, Said};

/// When sockets are opened, by the clock of the tokens.
const OPENED: i64 = 1_590_969_600_000_000;
/// When tokens end after that, in seconds; five more are granted.
const TOKEN_SECONDS: i64 = 60;

const INIT: Step = Step::Text(r#"{"type":"connection_init","payload":{"Authorization":"Bearer alice"}}"#);
const SUBSCRIBE: Step = Step::Text(r#"{"id":"a","type":"subscribe","payload":{"query":"{x}"}}"#);
const COMPLETE: Step = Step::Text(r#"{"id":"a","type":"complete"}"#);
const ACK: [&str; 2] = ["<alice>", r#"{"type":"connection_ack"}"#];

/// What happens to a socket.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A text frame.
    Text(&'static str),
    Binary,
    /// A run, counted from 1, delivers.
    Next(u64, &'static str),
    Answered(u64, &'static str),
    Refused(u64, &'static str),
    Failed(u64),
    Complete(u64),
    /// Whoever signed in is not let in any more.
    Revoked,
    /// Milliseconds pass.
    Wait(u64),
    /// Something waits to be taken; it was, and more waits; it was, and that is all.
    Waits,
    Takes,
    Taken,
}

struct Machine {
    protocol: Protocol,
    runs: Vec<Run>,
    since: u64,
}

impl Machine {
    fn new(upgrade: Option<&str>) -> Self {
        let settings = LiveSettings { subscriptions_per_socket: 2, ..LiveSettings::default() };
        let upgrade = upgrade.map(|value| verify(&[value.to_owned()]));
        Self { protocol: Protocol::new(&settings, upgrade), runs: Vec::new(), since: 0 }
    }

    fn now(&self) -> Now {
        let time = Timestamp(OPENED + i64::try_from(self.since).unwrap() * 1_000);
        Now { since: Duration::from_millis(self.since), time }
    }

    /// What comes of a step; what is to be verified is, at once.
    fn step(&mut self, step: Step) -> Vec<Output> {
        let mut all = Vec::new();
        for output in self.take(step) {
            match output {
                Output::Verify(values) => all.extend(self.protocol.verified(verify(&values))),
                output => all.push(output),
            }
        }
        all
    }

    fn take(&mut self, step: Step) -> Vec<Output> {
        let now = self.now();
        match step {
            Step::Text(text) => {
                self.protocol.heard(now);
                self.protocol.text(text)
            }
            Step::Binary => self.protocol.binary(),
            Step::Next(run, result) => self.say(run, Said::Next(Payload::One(result.into()))),
            Step::Answered(run, body) => self.say(run, Said::Answered(response(body, true))),
            Step::Refused(run, body) => self.say(run, Said::Answered(response(body, false))),
            Step::Failed(run) => {
                self.say(run, Said::Failed(GraphqlError::new(Code::Unavailable, "no store")))
            }
            Step::Complete(run) => self.say(run, Said::Complete),
            Step::Revoked => self.protocol.revoked(),
            Step::Wait(milliseconds) => {
                self.since += milliseconds;
                self.protocol.tick(self.now())
            }
            Step::Waits => {
                self.protocol.timers().waits(now);
                Vec::new()
            }
            Step::Takes | Step::Taken => {
                self.protocol.timers().taken(matches!(step, Step::Takes), now);
                Vec::new()
            }
        }
    }

    fn say(&mut self, run: u64, said: Said) -> Vec<Output> {
        // What was never started can't speak.
        let run = usize::try_from(run).unwrap() - 1;
        self.runs.get(run).copied().map_or_else(Vec::new, |run| self.protocol.said(run, said))
    }

    /// What comes out, as text.
    fn show(&mut self, outputs: Vec<Output>) -> Vec<String> {
        let mut shown = Vec::new();
        for output in outputs {
            match output {
                Output::Text(text) => shown.push(String::from_utf8(text).unwrap()),
                Output::Next(_, head, payload) => {
                    shown.extend((0..payload.len()).map(|at| text(&head.next(payload.result(at)))));
                }
                Output::Ping => shown.push("<ping>".into()),
                Output::Verify(_) => panic!("nobody has verified it"),
                Output::SignedIn(caller) => shown.push(format!("<{}>", caller.subject())),
                Output::Start(run, request) => {
                    self.runs.push(run);
                    shown.push(format!("<start {} {}>", self.runs.len(), request.query));
                }
                Output::Stop(run) => {
                    let at = self.runs.iter().position(|started| *started == run).unwrap();
                    shown.push(format!("<stop {}>", at + 1));
                }
                Output::Close(close) => shown.push(format!("<{} {}>", close.code, close.reason)),
                Output::Drop => shown.push("<drop>".into()),
            }
        }
        shown
    }
}

#[track_caller]
fn check(rule: &str, upgrade: Option<&str>, steps: &[Step], expect: &[&str]) {
    let mut machine = Machine::new(upgrade);
    let mut shown = Vec::new();
    for step in steps {
        let outputs = machine.step(*step);
        shown.extend(machine.show(outputs));
    }
    assert_eq!(shown, expect, "{rule}");
}

fn verify(values: &[String]) -> Result<Principal, AuthError> {
    let [value] = values else { return Err(AuthError::SeveralHeaders) };
    let ends = Timestamp(OPENED + TOKEN_SECONDS * 1_000_000);
    let caller = |subject| Principal::new(IssuerName::Embedded, subject, "c", Roles::ALL, ends).unwrap();
    match value.as_str() {
        "Bearer alice" | "Bearer alice again" => Ok(caller("alice")),
        "Bearer alice later" => {
            let ends = Timestamp(OPENED + 2 * TOKEN_SECONDS * 1_000_000);
            Ok(Principal::new(IssuerName::Embedded, "alice", "c", Roles::ALL, ends).unwrap())
        }
        "Bearer alice reads" => {
            let roles = Roles::from_scope("data.read");
            Ok(Principal::new(IssuerName::Embedded, "alice", "c", roles, ends).unwrap())
        }
        "Bearer away" => Err(AuthError::IssuerAway),
        "Bearer bob" => Ok(caller("bob")),
        "Bearer old" => Err(AuthError::InvalidToken(Refusal::Expired)),
        value if value.starts_with("Bearer ") => Err(AuthError::InvalidToken(Refusal::Signature)),
        _ => Err(AuthError::Missing),
    }
}

fn response(body: &str, executed: bool) -> Response {
    Response { body: body.into(), executed, errors: 0, schema_version: "1".into() }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
