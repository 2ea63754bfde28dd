//! A gateway over an embedded store that the tests fill by hand, and a way in that only takes notes.

use std::sync::{Arc, Mutex};

use access::{Credentials, Development, Issuer, IssuerName, IssuerSettings, Principal, Role, Roles, Trust};
use async_trait::async_trait;
use gateway::{Gateway, GatewaySettings, GraphqlRequest, Hub, LiveSettings, Parts};
use schema::shape::{Learner, Opens};
use schema::{
    Clock, Limits, Message, PartitionId, Position, Stream, StreamName, TimeSource, Timestamp, Topic,
};
use serde_json::{Value, json};
use store::embedded::Embedded;
use store::{
    Catalog, Messages, Publish, PublishError, PublishRequest, Published, Replay, ReplayError, Replayed,
    StreamRecord, WritePolicy,
};
use tokio::sync::watch;

/// 2020-06-01T00:00:00Z, in microseconds: when every test happens.
pub(crate) const NOW: i64 = 1_590_969_600_000_000;

pub(crate) struct Rig {
    pub(crate) gateway: Gateway,
    pub(crate) store: Embedded,
    pub(crate) notes: Arc<Notes>,
    pub(crate) hub: Arc<Hub>,
    _dir: tempfile::TempDir,
}

/// A stream's definition, and its messages: topic, seconds after [`NOW`], JSON.
pub(crate) type Filled<'a> = (Value, &'a [(&'a str, i64, &'a str)]);

/// Takes every message, and notes it.
#[derive(Default)]
pub(crate) struct Notes(pub(crate) Mutex<Vec<PublishRequest>>);

#[async_trait]
impl Publish for Notes {
    async fn publish(
        &self,
        caller: &dyn WritePolicy,
        requests: Vec<PublishRequest>,
    ) -> Vec<Result<Published, PublishError>> {
        let answer = |request: &PublishRequest| {
            let topic = request.topic.clone().unwrap_or_else(|| Topic::new("routed").unwrap());
            caller.may_write(&request.stream, &topic).map_err(PublishError::Denied)?;
            Ok(Published { position: position(7), topic })
        };
        let answers = requests.iter().map(answer).collect();
        self.0.lock().unwrap().extend(requests);
        answers
    }
}

/// Makes a message of each letter with an even number, but for number 4; says nothing of those from 8 on.
#[async_trait]
impl Replay for Notes {
    async fn replay(&self, stream: &StreamName, at: &[Position]) -> Result<Vec<Replayed>, ReplayError> {
        if stream.as_str() == "elsewhere" {
            return Err(ReplayError::Elsewhere("ask another node".into()));
        }
        let outcome = |position: &Position| match position.sequence.as_u64() {
            Some(4) => Replayed::Folded,
            Some(8..) => Replayed::NotFound,
            Some(n) if n % 2 == 0 => Replayed::Message(self::position(n + 100)),
            _ => Replayed::StillDead("it is odd".into()),
        };
        Ok(at.iter().map(outcome).collect())
    }
}

pub(crate) fn position(sequence: u64) -> Position {
    Position { partition: PartitionId::embedded(0), sequence: sequence.into(), sub: 0 }
}

pub(crate) fn principal(roles: &[Role]) -> Principal {
    let roles: Roles = roles.iter().copied().collect();
    Principal::new(IssuerName::Embedded, "alice", "client", roles, Timestamp(i64::MAX / 2)).unwrap()
}

impl Rig {
    /// A gateway over `streams`, each with messages of (topic, seconds after [`NOW`], JSON); positions count up.
    pub(crate) async fn new(streams: &[Filled<'_>]) -> Self {
        Self::with_settings(streams, GatewaySettings::default()).await
    }

    pub(crate) async fn with_settings(streams: &[Filled<'_>], settings: GatewaySettings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Embedded::open(dir.path(), Default::default()).unwrap();
        let mut records = Vec::new();
        for (definition, messages) in streams {
            let definition: Stream = serde_json::from_value(definition.clone()).unwrap();
            let record = StreamRecord::new(definition, &records);
            assert!(store.put_stream(&record).await.unwrap());
            records.push(record.clone());
            fill(&store, &record, messages).await;
        }
        let notes = Arc::new(Notes::default());
        let hub = Hub::new(&LiveSettings::default());
        let gateway = start(&store, &notes, &hub, settings).await;
        Self { gateway, store, notes, hub, _dir: dir }
    }

    /// Another gateway over the same store, which hears of nothing.
    pub(crate) async fn another(&self) -> Gateway {
        let hub = Hub::new(&LiveSettings::default());
        start(&self.store, &self.notes, &hub, GatewaySettings::default()).await
    }

    /// The whole response to a query of somebody who may do everything.
    pub(crate) async fn ask(&self, query: &str) -> Value {
        self.ask_as(&principal(&Role::ALL), query, json!({})).await
    }

    pub(crate) async fn ask_with(&self, query: &str, variables: Value) -> Value {
        self.ask_as(&principal(&Role::ALL), query, variables).await
    }

    pub(crate) async fn ask_as(&self, caller: &Principal, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        serde_json::from_slice(&self.raw(caller, &body).await).unwrap()
    }

    /// The bytes of a response to the bytes of a request.
    pub(crate) async fn raw(&self, caller: &Principal, body: &str) -> Vec<u8> {
        let request = GraphqlRequest::from_json(body.as_bytes()).unwrap();
        self.gateway.pipeline().execute(caller, &request, false).await.body
    }

    /// The messages of a response's only root field's errors.
    pub(crate) async fn errors(&self, query: &str) -> Vec<String> {
        let response = self.ask(query).await;
        let errors = response["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["message"].as_str().unwrap().to_owned()).collect()
    }
}

async fn start(store: &Embedded, notes: &Arc<Notes>, hub: &Arc<Hub>, settings: GatewaySettings) -> Gateway {
    let clock: Clock = Arc::new(|| Timestamp(NOW));
    let entries = Arc::new(store.clone());
    let credentials = Credentials::open(entries, Default::default(), Arc::default(), clock.clone());
    // Nobody signs in by a token here, so its folder may go.
    let (folder, url) = (tempfile::tempdir().unwrap(), "http://127.0.0.1:4000");
    let trust = Trust { credentials: Some(credentials.await.unwrap()), ..Trust::default() };
    let issuer = Issuer::open(
        folder.path(),
        url,
        IssuerSettings::default(),
        Vec::new(),
        Development::On,
        trust,
        clock.clone(),
    );
    let access = issuer.unwrap().access();
    let parts = Parts {
        store: Arc::new(store.clone()),
        publish: notes.clone(),
        replay: notes.clone(),
        access: Some(access),
        settings,
        live: LiveSettings::default(),
        hub: hub.clone(),
        limits: Limits::default(),
        rates: access::Rates::none(),
        clock,
        stopping: watch::channel(false).1,
    };
    Gateway::start(parts).await.unwrap()
}

pub(crate) async fn fill(store: &Embedded, record: &StreamRecord, messages: &[(&str, i64, &str)]) {
    let name: &StreamName = record.name();
    let limits = Limits::default();
    let shape = store.shape(name).await.unwrap().unwrap_or_default();
    let mut learned = shape.learned.clone();
    let opens = Opens::new(&record.current().json_strings);
    let mut learner = Learner::new(&learned, &opens, &limits);
    let mut rows = Vec::new();
    for (at, (topic, seconds, json)) in messages.iter().enumerate() {
        learner.learn(&mut learned, json.as_bytes()).unwrap();
        rows.push(Message {
            topic: Topic::new(topic).unwrap(),
            time: Timestamp(NOW + seconds * 1_000_000),
            time_source: TimeSource::Message,
            arrived_at: Timestamp(NOW),
            position: position(at as u64 + 1),
            key: "key".into(),
            raw: json.to_string().into(),
        });
    }
    store.write_messages(name, &rows).await.unwrap();
    if learned != shape.learned {
        assert!(store.put_shape(name, &shape.grown(learned, &record.type_name, &limits)).await.unwrap());
    }
}
