//! The protocol graphql-transport-ws, as a machine without input or output: frames, news of operations and time go in,
//! what to do about them comes out.

use std::collections::HashMap;

use access::{AuthError, Principal};
use serde_json::value::RawValue;

use super::close::Close;
use super::frame::{self, Head};
use super::message::{self, Message};
use super::output::{Output, Run};
use super::sign_in::{renewed, who};
use super::timers::{Due, Now, Timers};
use crate::error::{Code, GraphqlError};
use crate::request::GraphqlRequest;
use crate::settings::LiveSettings;
use crate::transport::operation::{Payload, Said};

/// The state of one socket.
pub(super) struct Protocol {
    phase: Phase,
    timers: Timers,
    /// Running operations by their ids, and the other way.
    runs: HashMap<String, Run>,
    heads: HashMap<Run, (String, Head)>,
    started: u64,
    runs_max: usize,
}

enum Phase {
    /// Waits for `connection_init`; the upgrade may have shown a token.
    Opened(Option<Result<Principal, AuthError>>),
    /// Waits for what `connection_init` showed to be verified.
    Verifying(Option<Result<Principal, AuthError>>),
    /// This caller's.
    Acknowledged(Principal),
    /// As before, and waits for the token of a ping to be verified.
    Renewing(Principal),
    Closed,
}

impl Protocol {
    /// A socket that was just opened. `upgrade` is whose token its upgrade showed, if it showed one.
    pub(super) fn new(settings: &LiveSettings, upgrade: Option<Result<Principal, AuthError>>) -> Self {
        Self {
            phase: Phase::Opened(upgrade),
            timers: Timers::new(settings),
            runs: HashMap::new(),
            heads: HashMap::new(),
            started: 0,
            runs_max: settings.subscriptions_per_socket,
        }
    }

    /// Time, and whether something waits to be taken by the client.
    pub(super) fn timers(&mut self) -> &mut Timers {
        &mut self.timers
    }

    /// A frame of any kind came.
    pub(super) fn heard(&mut self, now: Now) {
        self.timers.heard(now);
    }

    /// A text frame came.
    pub(super) fn text(&mut self, text: &str) -> Vec<Output> {
        if matches!(self.phase, Phase::Closed) {
            return Vec::new();
        }
        match message::parse(text) {
            Err(fault) => self.close(Close::bad_message(&fault)),
            Ok(Message::Init(payload)) => self.init(payload),
            Ok(Message::Ping(payload)) => self.ping(payload),
            Ok(Message::Pong) => Vec::new(),
            Ok(Message::Subscribe { id, request }) => self.subscribe(id, request),
            Ok(Message::Complete { id }) => self.runs.remove(&id).map_or_else(Vec::new, |run| {
                self.heads.remove(&run);
                vec![Output::Stop(run)]
            }),
        }
    }

    /// A binary frame came.
    pub(super) fn binary(&mut self) -> Vec<Output> {
        self.close(Close::bad_message("binary frames are not accepted, send text"))
    }

    /// An operation said something. What one says that was stopped is dropped.
    pub(super) fn said(&mut self, run: Run, said: Said) -> Vec<Output> {
        let Some((_, head)) = self.heads.get(&run) else { return Vec::new() };
        let head = head.clone();
        match said {
            Said::Next(payload) => vec![Output::Next(run, head, payload)],
            Said::Answered(answer) if answer.executed => {
                self.end(run);
                let complete = Output::Text(head.complete());
                vec![Output::Next(run, head, Payload::One(answer.body)), complete]
            }
            Said::Answered(answer) => self.end_with(run, head.error(&answer.refusal())),
            Said::Failed(error) => self.end_with(run, head.error(&error.to_list())),
            Said::Complete => self.end_with(run, head.complete()),
        }
    }

    /// Whoever signed in is not let in any more.
    pub(super) fn revoked(&mut self) -> Vec<Output> {
        match self.phase {
            Phase::Acknowledged(_) | Phase::Renewing(_) => self.close(Close::revoked()),
            // Who has not signed in yet is judged by then.
            Phase::Opened(_) | Phase::Verifying(_) | Phase::Closed => Vec::new(),
        }
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Now) -> Vec<Output> {
        if matches!(self.phase, Phase::Closed) {
            return Vec::new();
        }
        match self.timers.due(now) {
            None => Vec::new(),
            Some(Due::Ping) => vec![Output::Ping],
            Some(Due::Init) => self.close(Close::init_timeout()),
            Some(Due::Expiry) => self.close(Close::expired()),
            Some(Due::Unread) => self.close(Close::unread()),
            Some(Due::Silence) => {
                self.phase = Phase::Closed;
                vec![Output::Drop]
            }
        }
    }

    /// Ends it all.
    pub(super) fn close(&mut self, close: Close) -> Vec<Output> {
        if matches!(self.phase, Phase::Closed) {
            return Vec::new();
        }
        self.phase = Phase::Closed;
        self.runs = HashMap::new();
        self.heads = HashMap::new();
        vec![Output::Close(close)]
    }

    fn init(&mut self, payload: Option<&RawValue>) -> Vec<Output> {
        let Phase::Opened(upgrade) = &mut self.phase else { return self.close(Close::second_init()) };
        let upgrade = upgrade.take();
        let shown = match payload.map_or_else(|| Ok(Vec::new()), message::authorizations) {
            Ok(shown) => shown,
            Err(fault) => return self.close(Close::bad_message(&fault)),
        };
        if shown.is_empty() {
            return self.sign_in(upgrade, None);
        }
        self.phase = Phase::Verifying(upgrade);
        vec![Output::Verify(shown)]
    }

    /// A ping is answered with what it has. One with a token in it is to let the socket live as long as that: who signed in before
    /// may show a new one.
    fn ping(&mut self, payload: Option<&RawValue>) -> Vec<Output> {
        // Whatever else is in it is the client's own business.
        let shown = payload.and_then(|payload| message::authorizations(payload).ok()).unwrap_or_default();
        if shown.is_empty() {
            return vec![Output::Text(frame::pong(payload.map(RawValue::get)))];
        }
        match &self.phase {
            Phase::Acknowledged(caller) => {
                self.phase = Phase::Renewing(caller.clone());
                vec![Output::Verify(shown)]
            }
            // Nobody has signed in whose token could be renewed; and a token is not sent back.
            _ => vec![Output::Text(frame::pong(None))],
        }
    }

    /// What `connection_init` or a ping showed was verified, and this came of it.
    pub(super) fn verified(&mut self, shown: Result<Principal, AuthError>) -> Vec<Output> {
        match &mut self.phase {
            Phase::Verifying(upgrade) => {
                let upgrade = upgrade.take();
                self.sign_in(upgrade, Some(shown))
            }
            Phase::Renewing(before) => {
                let before = before.clone();
                self.renew(before, shown)
            }
            // It was closed meanwhile.
            Phase::Opened(_) | Phase::Acknowledged(_) | Phase::Closed => Vec::new(),
        }
    }

    fn renew(&mut self, before: Principal, shown: Result<Principal, AuthError>) -> Vec<Output> {
        match renewed(before, shown) {
            Err(close) => self.close(close),
            Ok(caller) => {
                self.timers.initialised(caller.accepted_until());
                let pong = Output::Text(frame::expiry(caller.expires_at()));
                self.phase = Phase::Acknowledged(caller.clone());
                vec![Output::SignedIn(Box::new(caller)), pong]
            }
        }
    }

    fn sign_in(
        &mut self,
        upgrade: Option<Result<Principal, AuthError>>,
        shown: Option<Result<Principal, AuthError>>,
    ) -> Vec<Output> {
        match who(upgrade, shown) {
            Err(close) => self.close(close),
            Ok(principal) => {
                self.phase = Phase::Acknowledged(principal.clone());
                self.timers.initialised(principal.accepted_until());
                vec![Output::SignedIn(Box::new(principal)), Output::Text(frame::acknowledged())]
            }
        }
    }

    fn subscribe(&mut self, id: String, request: GraphqlRequest) -> Vec<Output> {
        if !matches!(self.phase, Phase::Acknowledged(_) | Phase::Renewing(_)) {
            return self.close(Close::not_acknowledged());
        }
        if self.runs.contains_key(&id) {
            return self.close(Close::taken(&id));
        }
        let head = Head::new(&id);
        if self.runs.len() >= self.runs_max {
            let message = format!(
                "{} operations run on this socket, which is the most: complete some, or open another",
                self.runs_max
            );
            let error = GraphqlError::new(Code::LimitExceeded, message);
            return vec![Output::Text(head.error(&error.to_list()))];
        }
        self.started += 1;
        let run = Run(self.started);
        self.runs.insert(id.clone(), run);
        self.heads.insert(run, (id, head));
        vec![Output::Start(run, request)]
    }

    fn end(&mut self, run: Run) {
        if let Some((id, _)) = self.heads.remove(&run) {
            self.runs.remove(&id);
        }
    }

    fn end_with(&mut self, run: Run, last: Vec<u8>) -> Vec<Output> {
        self.end(run);
        vec![Output::Text(last)]
    }
}
