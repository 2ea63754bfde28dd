//! The CQL server of the benches, a keyspace there for each run, and rows like those of the other benches.

use std::sync::Arc;

use schema::{Clock, Message, PartitionId, Position, StreamName, TimeSource, Timestamp, Topic};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::Consistency;
use store::scylla::{Scylla, ScyllaOptions, migrate};
use store::testing::cql;

/// A message's JSON.
pub const MESSAGE_BYTES: usize = 300;

/// A keyspace that has the tables, and how it is reached.
pub struct Keyspace {
    name: String,
    options: ScyllaOptions,
    password: String,
}

impl Keyspace {
    /// Makes one on the server that `TIDEGATE_TEST_CQL` names.
    pub async fn new() -> Self {
        let name = cql::fresh("bench");
        let (options, password) = (cql::options_at(cql::server(), &name), cql::password());
        migrate::run(&options, &password, false, |_| {}).await.expect("the tables");
        Self { name, options, password }
    }

    /// Our store there.
    pub async fn store(&self) -> Scylla {
        let clock: Clock = Arc::new(cql::now);
        Scylla::open(&self.options, &self.password, clock).await.expect("the store")
    }

    /// The driver's session there, set up as the store's.
    pub async fn session(&self) -> Session {
        let profile = ExecutionProfile::builder().consistency(Consistency::LocalQuorum).build();
        let mut builder = SessionBuilder::new()
            .known_node_addr(cql::server())
            .use_keyspace(&self.name, false)
            .default_execution_profile_handle(profile.into_handle());
        if !self.options.user.is_empty() {
            builder = builder.user(&self.options.user, &self.password);
        }
        builder.build().await.expect("a session")
    }
}

pub fn stream(name: &str) -> StreamName {
    StreamName::new(name).expect("a good name")
}

/// Message `n` of `topic`, which are a millisecond apart.
pub fn message(topic: &Topic, began: Timestamp, n: u64) -> Message {
    let at = began.plus_micros(n as i64 * 1_000);
    let head = format!(r#"{{"n":{n},"device":"pump-{}","temperature":{}.5,"note":""#, n % 50, n % 40);
    let filler = "x".repeat(MESSAGE_BYTES - head.len() - 2);
    Message {
        topic: topic.clone(),
        time: at,
        time_source: TimeSource::Message,
        arrived_at: began,
        position: Position { partition: PartitionId::embedded(0), sequence: (n + 1).into(), sub: 0 },
        key: topic.as_str().into(),
        raw: format!("{head}{filler}\"}}").into(),
    }
}

pub fn topics(count: u64) -> Vec<Topic> {
    (0..count).map(|n| Topic::new(&format!("plant/{n:05}/temperature")).expect("a good topic")).collect()
}
