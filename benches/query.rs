//! What a query costs beside what it must: 1,000 rows, five nested fields of each.
//!
//! `cargo bench --bench query`

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

#[path = "support/rows.rs"]
mod rows;
#[path = "support/stock.rs"]
mod stock;

use std::sync::Arc;

use access::{IssuerName, Principal, Roles};
use async_trait::async_trait;
use benches::{least_cpu_ns, row};
use gateway::project::{Leaf, Level, Member, Projector, Show};
use gateway::{Gateway, GatewaySettings, GraphqlRequest, Hub, LiveSettings, Parts, Slot};
use schema::{Limits, Message, TimeRange, Timestamp, Topic};
use store::embedded::{Embedded, EmbeddedOptions};
use store::{
    Catalog, Messages, Order, Publish, PublishError, PublishRequest, Published, Store, TopicPage, WritePolicy,
};

use rows::{QUERY, Rows};

const ROWS: u64 = 1_000;
const ROUNDS: usize = 12;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let memory = Arc::new(Rows::new(ROWS));
    let limits = Limits::default();
    let level = level();
    println!("{:<58} {:>16} {:>8}", "1,000 rows x 5 nested fields", "CPU a row (ns)", "ratio");

    let alone = least_cpu_ns(ROUNDS, || project(&memory.messages, &level, &limits)) / ROWS;
    row("projection alone (baseline 1)", alone, Some(1.0));
    let gateway = runtime.block_on(start(memory.clone()));
    let whole = query(&runtime, &gateway) / ROWS;
    row("the pipeline, rows in memory; at most 1.5 of baseline 1", whole, ratio(whole, alone));

    let dir = tempfile::tempdir().expect("a folder");
    let store = Embedded::open(dir.path(), EmbeddedOptions::default()).expect("a store");
    runtime.block_on(fill(&store, &memory));
    let read = least_cpu_ns(ROUNDS, || {
        let rows = runtime.block_on(range(&store, &memory));
        project(&rows, &level, &limits)
    }) / ROWS;
    row("a bare range read and the projection (baseline 2)", read, Some(1.0));
    let stored = runtime.block_on(start(Arc::new(store)));
    let from_store = query(&runtime, &stored) / ROWS;
    row("the pipeline, rows in the store; at most 1.5 of baseline 2", from_store, ratio(from_store, read));

    let fixed = stock::static_types(&memory.messages);
    let fixed = least_cpu_ns(ROUNDS / 4, || runtime.block_on(stock::run_static(&fixed))) / ROWS;
    row("async-graphql, static types (ratio: ours to it)", fixed, ratio(whole, fixed));
    let dynamic = stock::dynamic_types(&memory.messages);
    let dynamic = least_cpu_ns(ROUNDS / 4, || runtime.block_on(stock::run_dynamic(&dynamic))) / ROWS;
    row("async-graphql, dynamic types (ratio: ours to it)", dynamic, ratio(whole, dynamic));
}

fn ratio(is: u64, of: u64) -> Option<f64> {
    Some(is as f64 / of as f64)
}

fn query(runtime: &tokio::runtime::Runtime, gateway: &Gateway) -> u64 {
    let caller = Principal::new(IssuerName::Embedded, "bench", "bench", Roles::ALL, Timestamp(i64::MAX / 2));
    let caller = caller.expect("a principal");
    let body = serde_json::json!({ "query": QUERY }).to_string();
    let request = GraphqlRequest::from_json(body.as_bytes()).expect("a request");
    let run = || runtime.block_on(gateway.pipeline().execute(&caller, &request, false));
    let answer = run();
    assert!(answer.errors == 0 && answer.body.len() > 50_000, "{}", String::from_utf8_lossy(&answer.body));
    least_cpu_ns(ROUNDS, run)
}

fn project(rows: &[Message], level: &Member, limits: &Limits) -> usize {
    let mut projector = Projector::new(10, limits);
    let mut out = Vec::with_capacity(4_096);
    for row in rows {
        projector.member(level, &row.raw, &mut out).expect("good JSON");
        out.push(b',');
    }
    out.len()
}

fn slot(first: bool, key: &str, value: Member) -> Slot<Member> {
    let prefix = format!("{}\"{key}\":", if first { '{' } else { ',' }).into_bytes().into();
    Slot { prefix, key: key.into(), value }
}

fn object(fields: Vec<(&str, Show)>) -> Show {
    let slots = fields
        .into_iter()
        .enumerate()
        .map(|(at, (key, show))| (slot(at == 0, key, Member::Primary { opened: false, show }), Some(key)));
    Show::Object(Level::new(slots.collect(), Box::default()))
}

/// The selection of [`QUERY`], by hand.
fn level() -> Member {
    let reading = object(vec![
        ("temperature", Show::Leaf(Leaf::Float)),
        ("pressure", Show::Leaf(Leaf::Long)),
        ("status", Show::Leaf(Leaf::Text)),
        ("ok", Show::Leaf(Leaf::Boolean)),
    ]);
    let device = object(vec![("name", Show::Leaf(Leaf::Text))]);
    Member::Primary { opened: false, show: object(vec![("reading", reading), ("device", device)]) }
}

async fn range(store: &Embedded, rows: &Rows) -> Vec<Message> {
    let page = TopicPage {
        range: TimeRange::ALL,
        order: Order::Descending,
        after: None,
        before: None,
        rows_max: ROWS as usize,
        bytes_max: usize::MAX,
    };
    let topic = Topic::new("t").expect("a topic");
    store.read_topic(rows.record.name(), &topic, page).await.expect("rows")
}

async fn fill(store: &Embedded, rows: &Rows) {
    assert!(store.put_stream(&rows.record).await.expect("written"));
    assert!(store.put_shape(rows.record.name(), &rows.shape).await.expect("written"));
    store.write_messages(rows.record.name(), &rows.messages).await.expect("written");
}

async fn start(store: Arc<dyn Store>) -> Gateway {
    let parts = Parts {
        store,
        publish: Arc::new(Nowhere),
        replay: Arc::new(store::NoReplays("nothing is replayed here")),
        access: None,
        settings: GatewaySettings::default(),
        live: LiveSettings::default(),
        hub: Hub::new(&LiveSettings::default()),
        limits: Limits::default(),
        rates: access::Rates::none(),
        clock: Arc::new(|| Timestamp(1_700_000_000_000_000)),
        stopping: tokio::sync::watch::channel(false).1,
    };
    Gateway::start(parts).await.expect("a gateway")
}

struct Nowhere;

#[async_trait]
impl Publish for Nowhere {
    async fn publish(
        &self,
        _: &dyn WritePolicy,
        _: Vec<PublishRequest>,
    ) -> Vec<Result<Published, PublishError>> {
        Vec::new()
    }
}
