//! A proxy between a store and its CQL server that makes trouble when it is told to.

mod connection;
pub mod errors;
mod frame;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use scylla::errors::DbError;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::Turns;
use crate::scylla::Scylla;
use frame::Frame;

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
        let timeout = errors::write_timeout;
        let often = [
            Self::Refused(errors::overloaded()),
            Self::Refused(errors::unavailable()),
            Self::Refused(timeout()),
            Self::Refused(errors::read_timeout()),
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
    running: JoinHandle<()>,
    address: SocketAddr,
    rules: Arc<Mutex<Rules>>,
}

/// The first that is about a request, and has not met all that it is to meet, holds.
type Rules = Vec<Rule>;

/// What becomes of the next few requests of a kind.
struct Rule {
    /// Prepared statements, one of which they run; none: any.
    statements: Vec<Bytes>,
    /// How many requests it still meets.
    left: usize,
    /// None: they are spared.
    trouble: Option<Trouble>,
}

impl Rule {
    fn is_about(&self, request: &Frame) -> bool {
        self.statements.is_empty() || self.statements.iter().any(|statement| request.names(statement))
    }
}

impl Proxy {
    /// Starts one before `server`.
    ///
    /// # Panics
    /// If no port can be had.
    #[expect(clippy::expect_used, reason = "a test fails where it can't go on")]
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let rules = Arc::<Mutex<Rules>>::default();
        let those = rules.clone();
        let running = tokio::spawn(async move {
            // They end with it.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(connection::pass(client, server, those.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { running, address, rules }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes `trouble` for the next `times` requests that run the statement of this id, alone or in a batch.
    pub fn trouble(&mut self, statement: &[u8], times: usize, trouble: &Trouble) {
        let statements = vec![Bytes::copy_from_slice(statement)];
        self.put_first(vec![Rule { statements, left: times, trouble: Some(trouble.clone()) }]);
    }

    /// Makes `count` times trouble, a few requests apart; by `turns`, which and when.
    pub fn trouble_by(&mut self, turns: &mut Turns, count: usize, troubles: &[Trouble]) {
        let more = rules(&[], 40, turns, count, troubles);
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).extend(more);
    }

    /// As [`Self::trouble_by`], for what `store` compares and sets alone: leases and checkpoints.
    pub fn trouble_deciding_by(
        &mut self,
        store: &Scylla,
        turns: &mut Turns,
        count: usize,
        troubles: &[Trouble],
    ) {
        self.put_first(rules(&store.deciding(), 4, turns, count, troubles));
    }

    /// Lets everything through again.
    pub fn peace(&mut self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Ends it, and all connections through it.
    pub async fn end(self) {
        self.running.abort();
        let _ = self.running.await;
    }

    fn put_first(&self, more: Rules) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).splice(0..0, more);
    }
}

/// Rules for `count` times trouble; between two of them, less than `apart` of the requests meant are spared.
fn rules(statements: &[Bytes], apart: u64, turns: &mut Turns, count: usize, troubles: &[Trouble]) -> Rules {
    let mut rules = Vec::new();
    for _ in 0..count {
        let rule = |left, trouble| Rule { statements: statements.to_vec(), left, trouble };
        rules.push(rule(turns.below(apart) as usize, None));
        let times = 1 + turns.below(2) as usize;
        rules.push(rule(times, Some(turns.one_of(troubles))));
    }
    rules
}
