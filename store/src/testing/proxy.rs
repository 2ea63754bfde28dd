//! A proxy between a store and its CQL server that makes trouble when it is told to.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use scylla::errors::DbError;
use scylla_proxy::{
    Action, Condition, Node, Proxy as Inner, Reaction, RequestFrame, RequestOpcode, RequestReaction,
    RequestRule, ResponseFrame, ResponseReaction, ResponseRule, RunningProxy, ShardAwareness,
    example_db_errors,
};

use super::Turns;
use crate::scylla::Scylla;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The server does not see it, and this is its answer.
    Refused(DbError),
    /// The server does it, and this is the answer that comes.
    DoneBut(DbError),
    /// The server does not see it, and no answer comes.
    Dropped,
    /// The server sees it so much later.
    Late(Duration),
    /// The connection is cut before the server sees it.
    Cut,
    /// The server does it, and the connection is cut instead of an answer.
    DoneAndCut,
    /// The server says that it does not know the statement.
    Unprepared,
}

impl Trouble {
    /// Trouble that a store must get over by itself. What costs much time comes seldom.
    pub fn that_passes() -> Vec<Self> {
        let timeout = example_db_errors::write_timeout;
        let often = [
            Self::Refused(example_db_errors::overloaded()),
            Self::Refused(example_db_errors::unavailable()),
            Self::Refused(timeout()),
            Self::Refused(example_db_errors::read_timeout()),
            Self::DoneBut(timeout()),
            Self::DoneBut(timeout()),
            Self::DoneBut(timeout()),
            Self::Unprepared,
        ];
        let seldom = [Self::Cut, Self::DoneAndCut, Self::Dropped, Self::Late(Duration::from_millis(1_200))];
        often.iter().chain(&often).chain(&seldom).cloned().collect()
    }
}

/// A running proxy. It ends with the runtime that it was started in.
pub struct Proxy {
    running: RunningProxy,
    address: SocketAddr,
    instead: Instead,
}

/// What to answer instead, by the number that a request has on its connection: an error, or none that anybody knows.
type Instead = Arc<Mutex<HashMap<i16, Option<DbError>>>>;

/// A number that no request ever has.
const NOBODYS: i16 = i16::MAX;

impl Proxy {
    /// Starts one before `server`.
    ///
    /// # Panics
    /// If no port can be had.
    #[expect(clippy::expect_used, reason = "a test fails where it can't go on")]
    pub async fn start(server: SocketAddr) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let instead = Instead::default();
        let answers = instead.clone();
        let change = move |frame: ResponseFrame| {
            let found = answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&frame.params.stream);
            match found {
                None => frame,
                Some(Some(error)) => {
                    ResponseFrame::forged_error(frame.params, error, None).expect("an error as a frame")
                }
                Some(None) => {
                    let mut frame = frame;
                    frame.params.stream = NOBODYS;
                    frame
                }
            }
        };
        let rule = ResponseRule(on_data(), ResponseReaction::transform_frame(Arc::new(change)));
        let node = Node::builder()
            .real_address(server)
            .proxy_address(address)
            .shard_awareness(ShardAwareness::Unaware)
            .response_rules(vec![rule]);
        let running = Inner::builder().with_node(node.build()).build().run().await;
        Self { running: running.expect("a proxy"), address, instead }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes `trouble` for the next `times` requests that run the statement of this id, alone or in a batch.
    pub fn trouble(&mut self, statement: &[u8], times: usize, trouble: &Trouble) {
        let which = Condition::BodyContainsCaseSensitive(statement.into());
        let rule = self.rule(requests().and(which).and(Condition::TrueForLimitedTimes(times)), trouble);
        self.running.running_nodes[0].prepend_request_rules(vec![rule]);
    }

    /// Makes `count` times trouble, a few requests apart; by `turns`, which and when.
    pub fn trouble_by(&mut self, turns: &mut Turns, count: usize, troubles: &[Trouble]) {
        let rules = self.rules(requests, 40, turns, count, troubles);
        self.running.running_nodes[0].append_request_rules(rules);
    }

    /// As [`Self::trouble_by`], for what `store` compares and sets alone: leases and checkpoints.
    pub fn trouble_deciding_by(
        &mut self,
        store: &Scylla,
        turns: &mut Turns,
        count: usize,
        troubles: &[Trouble],
    ) {
        let deciding = || {
            let runs = |id: Bytes| Condition::BodyContainsCaseSensitive(id.as_ref().into());
            requests().and(Condition::any(store.deciding().map(runs)))
        };
        let rules = self.rules(deciding, 4, turns, count, troubles);
        self.running.running_nodes[0].prepend_request_rules(rules);
    }

    /// Rules for `count` times trouble; between two of them, less than `apart` of the requests meant are spared.
    fn rules(
        &self,
        meant: impl Fn() -> Condition,
        apart: u64,
        turns: &mut Turns,
        count: usize,
        troubles: &[Trouble],
    ) -> Vec<RequestRule> {
        let mut rules = Vec::new();
        for _ in 0..count {
            let spared = Condition::TrueForLimitedTimes(turns.below(apart) as usize);
            rules.push(RequestRule(meant().and(spared), RequestReaction::noop()));
            let times = 1 + turns.below(2) as usize;
            let met = meant().and(Condition::TrueForLimitedTimes(times));
            rules.push(self.rule(met, &turns.one_of(troubles)));
        }
        rules
    }

    /// Lets everything through again.
    pub fn peace(&mut self) {
        self.running.running_nodes[0].change_request_rules(None);
    }

    /// Ends it, and all connections through it.
    pub async fn end(self) {
        // What it has come across, such as a connection that a rule has cut, is no failure here.
        let _ = self.running.finish().await;
    }

    fn rule(&self, condition: Condition, trouble: &Trouble) -> RequestRule {
        let reaction = match trouble.clone() {
            Trouble::Refused(error) => RequestReaction::forge_with_error(error),
            Trouble::DoneBut(error) => self.done_but(Some(error)),
            Trouble::DoneAndCut => self.done_but(None),
            Trouble::Dropped => RequestReaction::drop_frame(),
            Trouble::Late(by) => RequestReaction::delay(by),
            Trouble::Cut => RequestReaction::drop_connection(),
            Trouble::Unprepared => RequestReaction::forge_response(Arc::new(|frame| unprepared(&frame))),
        };
        RequestRule(condition, reaction)
    }

    fn done_but(&self, error: Option<DbError>) -> RequestReaction {
        let instead = self.instead.clone();
        let note = move |frame: RequestFrame| {
            let mut instead = instead.lock().unwrap_or_else(PoisonError::into_inner);
            instead.insert(frame.params.stream, error.clone());
            frame
        };
        let passed = Action { delay: None, msg_processor: Some(Arc::new(note) as Arc<_>) };
        RequestReaction { to_addressee: Some(passed), ..RequestReaction::drop_frame() }
    }
}

/// What is asked and answered for the store, and not for the driver itself.
fn on_data() -> Condition {
    Condition::not(Condition::ConnectionRegisteredAnyEvent)
}

fn requests() -> Condition {
    let runs = Condition::RequestOpcode(RequestOpcode::Execute);
    on_data().and(runs.or(Condition::RequestOpcode(RequestOpcode::Batch)))
}

/// The answer of a server that does not know the (first) statement of a request.
#[expect(clippy::expect_used, reason = "a test fails where it can't go on")]
fn unprepared(frame: &RequestFrame) -> ResponseFrame {
    // A batch begins with its kind, the number of its statements, and the first one's kind.
    let at = if frame.opcode == RequestOpcode::Batch { 4 } else { 0 };
    let length = usize::from(u16::from_be_bytes([frame.body[at], frame.body[at + 1]]));
    let statement_id: Bytes = frame.body.slice(at + 2..at + 2 + length);
    let error = DbError::Unprepared { statement_id };
    ResponseFrame::forged_error(frame.params, error, None).expect("an error as a frame")
}
