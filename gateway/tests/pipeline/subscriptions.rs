//! Subscriptions: where they begin, what they deliver, how they go on.

use std::sync::Arc;
use std::time::Duration;

use access::{Principal, Role};
use gateway::{Event, GraphqlRequest, Started, Subscription};
use schema::{Message, PartitionId, StreamName, TimeSource, Timestamp, Topic};
use serde_json::{Value, json};
use store::{Announce, Catalog, Journal, JournalRow, Leases, Messages};
use tokio::time::timeout;

use crate::rig::{NOW, Rig, position, principal};

const WAIT: Duration = Duration::from_secs(20);
const SECOND: i64 = 1_000_000;

/// A stream `s` of one partition, and a hand that writes to it.
struct Live {
    rig: Rig,
    written: u64,
    epoch: u64,
}

impl Live {
    async fn new() -> Self {
        let first = ("a", 0, r#"{"n":0,"big":1,"nested":{"x":"y"}}"#);
        let rig = Rig::new(&[
            (json!({"name": "s", "topic": "key", "retention": "1h"}), &[first]),
            (json!({"name": "other"}), &[]),
            (json!({"name": "own", "topic": "caller"}), &[first]),
        ])
        .await;
        // What the rig has written, it did not journal.
        let epoch = rig.store.claim_lease(&stream(), &partition()).await.unwrap().epoch;
        let mut live = Self { rig, written: 0, epoch };
        live.write(&[("a", 0, r#"{"n":0,"big":1,"nested":{"x":"y"}}"#)], true).await;
        live
    }

    /// Messages as (topic, seconds after now, JSON), in one row of the journal.
    async fn write(&mut self, messages: &[(&str, i64, &str)], announced: bool) {
        let row = self.row(messages);
        self.rig.store.write_messages(&stream(), &row.messages).await.unwrap();
        self.rig.store.append_journal(&stream(), &partition(), &row).await.unwrap();
        assert!(self.rig.store.checkpoint(&stream(), &partition(), self.epoch, row.last).await.unwrap());
        if announced {
            self.rig.hub.announce(&stream(), &partition(), &Arc::new(row));
        }
    }

    fn row(&mut self, messages: &[(&str, i64, &str)]) -> JournalRow {
        let after = self.written.into();
        let messages = messages.iter().map(|(topic, seconds, json)| {
            self.written += 1;
            Message {
                topic: Topic::new(topic).unwrap(),
                time: Timestamp(NOW + seconds * SECOND),
                time_source: TimeSource::Message,
                arrived_at: Timestamp(NOW),
                position: position(self.written),
                key: "key".into(),
                raw: (*json).to_owned().into(),
            }
        });
        let messages = messages.collect();
        JournalRow { after, last: self.written.into(), messages, children: Vec::new() }
    }

    /// Messages numbered so, in topics a and b by turns, a row each.
    async fn write_numbers(&mut self, numbers: std::ops::Range<u64>) {
        for n in numbers {
            let topic = if n % 2 == 0 { "a" } else { "b" };
            self.write(&[(topic, 0, &format!("{{\"n\":{n}}}"))], true).await;
        }
    }

    async fn start(&self, caller: &Principal, query: &str, variables: Value) -> Result<Subscription, Value> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = GraphqlRequest::from_json(body.as_bytes()).unwrap();
        match self.rig.gateway.pipeline().start(caller, &request, false, None).await {
            Started::Live(subscription) => Ok(*subscription),
            Started::Answer(answer) => {
                assert!(!answer.executed);
                Err(serde_json::from_slice(&answer.body).unwrap())
            }
        }
    }

    async fn follow(&self, arguments: &str) -> Subscription {
        let query = format!(
            "subscription {{ s{arguments} {{ cursor gap {{ reason }} message {{ data {{ n }} }} }} }}"
        );
        self.start(&principal(&Role::ALL), &query, json!({}))
            .await
            .map_err(|error| error.to_string())
            .unwrap()
    }

    async fn refusal(&self, caller: &Principal, query: &str) -> String {
        let Err(answer) = self.start(caller, query, json!({})).await else { panic!("{query} was let in") };
        answer["errors"][0]["message"].as_str().unwrap().to_owned()
    }
}

fn stream() -> StreamName {
    StreamName::new("s").unwrap()
}

fn partition() -> PartitionId {
    PartitionId::embedded(0)
}

/// The next `count` deliveries.
async fn take(subscription: &mut Subscription, count: usize) -> Vec<Value> {
    let mut taken = Vec::new();
    while taken.len() < count {
        match timeout(WAIT, subscription.next()).await.expect("something comes") {
            Some(Event::Batch(batch)) => taken.extend(
                (0..batch.len()).map(|at| serde_json::from_slice::<Value>(batch.payload(at)).unwrap()),
            ),
            Some(Event::Failed(error)) => panic!("{}", error.message),
            None => panic!("it has ended"),
        }
    }
    assert_eq!(taken.len(), count, "{taken:?}");
    taken
}

async fn assert_quiet(subscription: &mut Subscription) {
    let next = timeout(Duration::from_millis(50), subscription.next()).await;
    assert!(next.is_err(), "something came that should not");
}

fn numbers(deliveries: &[Value]) -> Vec<i64> {
    deliveries
        .iter()
        .map(|delivery| delivery["data"]["s"]["message"]["data"]["n"].as_i64().unwrap())
        .collect()
}

fn cursor(delivery: &Value) -> String {
    delivery["data"]["s"]["cursor"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_comes_from_now_on_is_delivered_as_selected() {
    let mut live = Live::new().await;
    let query = r#"subscription { alias: s { __typename late gap { reason from to } message { __typename topic data { n nested { x } } } } }"#;
    let mut subscription = live.start(&principal(&Role::ALL), query, json!({})).await.unwrap();
    assert_quiet(&mut subscription).await;
    live.write(&[("a", 0, r#"{"n":1,"nested":{"x":"z"}}"#), ("b", -61, r#"{"n":2}"#)], true).await;
    let event = |late: bool, topic: &str, data: Value| {
        json!({ "data": { "alias": {
            "__typename": "SEvent", "late": late, "gap": null,
            "message": { "__typename": "S", "topic": topic, "data": data },
        } } })
    };
    let taken = take(&mut subscription, 2).await;
    assert_eq!(taken[0], event(false, "a", json!({ "n": 1, "nested": { "x": "z" } })));
    assert_eq!(taken[1], event(true, "b", json!({ "n": 2, "nested": null })));
}

#[tokio::test]
async fn a_field_that_can_not_be_shown_is_an_error_with_its_path() {
    let mut live = Live::new().await;
    let query = "subscription { s { message { data { big } } } }";
    let mut subscription = live.start(&principal(&Role::ALL), query, json!({})).await.unwrap();
    live.write(&[("a", 0, r#"{"big":92233720368547758089}"#), ("a", 0, r#"{"big":2}"#)], true).await;
    let taken = take(&mut subscription, 2).await;
    assert_eq!(taken[0]["data"], json!({ "s": { "message": { "data": { "big": null } } } }));
    assert_eq!(taken[0]["errors"][0]["path"], json!(["s", "message", "data", "big"]));
    assert_eq!(taken[1], json!({ "data": { "s": { "message": { "data": { "big": 2 } } } } }));
}

#[tokio::test]
async fn history_comes_first_and_then_what_follows() {
    for (arguments, history, then) in [
        ("(from: \"now-1m\")", vec![1, 3, 0], vec![4, 5]),
        ("(from: \"now-1h\", topic: \"b\")", vec![2], vec![5]),
        ("(from: \"now+1h\")", vec![], vec![4, 5]),
    ] {
        let mut live = Live::new().await;
        let before = [("a", -30, r#"{"n":1}"#), ("b", -90, r#"{"n":2}"#), ("a", -10, r#"{"n":3}"#)];
        live.write(&before, true).await;
        let mut subscription = live.follow(arguments).await;
        assert_eq!(numbers(&take(&mut subscription, history.len()).await), history, "{arguments}");
        live.write(&[("a", -600, r#"{"n":4}"#), ("b", 0, r#"{"n":5}"#)], true).await;
        assert_eq!(numbers(&take(&mut subscription, then.len()).await), then, "{arguments}");
        assert_quiet(&mut subscription).await;
    }
}

#[tokio::test]
async fn every_cursor_resumes_behind_its_event() {
    let mut live = Live::new().await;
    live.write(&[("a", -30, r#"{"n":1}"#), ("b", -20, r#"{"n":2}"#), ("a", -10, r#"{"n":3}"#)], true).await;
    let mut subscription = live.follow("(from: \"now-1m\")").await;
    let mut all = take(&mut subscription, 4).await;
    live.write_numbers(4..8).await;
    all.extend(take(&mut subscription, 4).await);
    let order = numbers(&all);
    assert_eq!(order, [1, 2, 3, 0, 4, 5, 6, 7]);
    for (at, event) in all.iter().enumerate() {
        let mut resumed = live.follow(&format!("(resume: \"{}\")", cursor(event))).await;
        assert_eq!(numbers(&take(&mut resumed, 7 - at).await), order[at + 1..], "behind {at}");
        assert_quiet(&mut resumed).await;
    }
}

#[tokio::test]
async fn a_page_and_what_follows_it_have_everything_once() {
    let mut live = Live::new().await;
    live.write_numbers(1..4).await;
    // In the store, and not journaled: the subscription will bring it.
    let unfinished = live.row(&[("a", 5, r#"{"n":4}"#)]);
    live.rig.store.write_messages(&stream(), &unfinished.messages).await.unwrap();
    let page = live.rig.ask("{ s(last: 10) { nodes { data { n } } resumeCursor } }").await;
    let shown = |page: &Value| -> Vec<i64> {
        let nodes = page["data"]["s"]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["data"]["n"].as_i64().unwrap()).collect()
    };
    assert_eq!(shown(&page), [0, 1, 2, 3]);
    for (arguments, expect, more) in [
        ("last: 2", vec![2, 3], true),
        ("last: 4", vec![0, 1, 2, 3], false),
        ("first: 3", vec![0, 1, 2], true),
        ("first: 5", vec![0, 1, 2, 3], false),
    ] {
        let fields = "nodes { data { n } } pageInfo { hasNextPage hasPreviousPage } resumeCursor";
        let part = live.rig.ask(&format!("{{ s({arguments}) {{ {fields} }} }}")).await;
        assert_eq!(shown(&part), expect, "{arguments}");
        let info = &part["data"]["s"]["pageInfo"];
        let end = if arguments.starts_with("last") { "hasPreviousPage" } else { "hasNextPage" };
        assert_eq!(info[end], more, "{arguments}: {part}");
    }
    let resume = page["data"]["s"]["resumeCursor"].as_str().unwrap();
    let mut subscription = live.follow(&format!("(resume: \"{resume}\")")).await;
    assert_quiet(&mut subscription).await;
    live.rig.store.append_journal(&stream(), &partition(), &unfinished).await.unwrap();
    live.rig.hub.announce(&stream(), &partition(), &Arc::new(unfinished));
    live.write_numbers(5..6).await;
    assert_eq!(numbers(&take(&mut subscription, 2).await), [4, 5]);
}

#[tokio::test]
async fn what_nobody_announced_comes_from_the_journal() {
    let mut live = Live::new().await;
    let mut subscription = live.follow("").await;
    live.write(&[("a", 0, r#"{"n":1}"#)], false).await;
    assert_eq!(numbers(&take(&mut subscription, 1).await), [1]);
    live.write(&[("a", 0, r#"{"n":2}"#)], false).await;
    live.write(&[("a", 0, r#"{"n":3}"#)], true).await;
    assert_eq!(numbers(&take(&mut subscription, 2).await), [2, 3]);
}

#[tokio::test]
async fn equal_subscriptions_share_their_deliveries() {
    let mut live = Live::new().await;
    let query = "subscription($topic: String) { s(topic: $topic) { cursor message { data { n } } } }";
    let all = principal(&Role::ALL);
    let start = |topic: &'static str| live.start(&all, query, json!({ "topic": topic }));
    let (mut one, mut two, mut other) =
        (start("a").await.unwrap(), start("a").await.unwrap(), start("b").await.unwrap());
    live.write(&[("a", 0, r#"{"n":1}"#), ("b", 0, r#"{"n":2}"#)], true).await;
    let mut places = Vec::new();
    for (subscription, expect) in [(&mut one, 1), (&mut two, 1), (&mut other, 2)] {
        let Some(Event::Batch(batch)) = timeout(WAIT, subscription.next()).await.unwrap() else { panic!() };
        let delivery: Value = serde_json::from_slice(batch.payload(0)).unwrap();
        assert_eq!(numbers(std::slice::from_ref(&delivery)), [expect]);
        assert_eq!(cursor(&delivery), batch.cursor(0));
        places.push((batch.payload(0).as_ptr(), batch));
    }
    assert_eq!(places[0].0, places[1].0);
    assert_ne!(places[0].0, places[2].0);
}

#[tokio::test]
async fn who_may_not_read_is_refused_and_who_may_read_its_own_gets_only_that() {
    let live = Live::new().await;
    let query = "subscription { s { late } }";
    let refusal = live.refusal(&principal(&[Role::Write]), query).await;
    assert!(refusal.contains("data.read"), "{refusal}");
    let reader = principal(&[Role::Read]);
    let refusal = live.refusal(&reader, "subscription { own(topic: \"bob\") { late } }").await;
    assert!(refusal.contains("only its own topic, alice"), "{refusal}");
    let mut own = live.start(&reader, "subscription { own { message { topic } } }", json!({})).await.unwrap();
    let name = StreamName::new("own").unwrap();
    let mut live = live;
    live.written = 0;
    let row = live.row(&[("bob", 0, "{}"), ("alice", 0, "{}")]);
    live.rig.store.write_messages(&name, &row.messages).await.unwrap();
    live.rig.store.claim_lease(&name, &partition()).await.unwrap();
    live.rig.store.append_journal(&name, &partition(), &row).await.unwrap();
    live.rig.hub.announce(&name, &partition(), &Arc::new(row));
    assert_eq!(take(&mut own, 1).await[0]["data"]["own"]["message"]["topic"], "alice");
}

#[tokio::test]
async fn wrong_arguments_say_what_was_expected() {
    let live = Live::new().await;
    let all = principal(&Role::ALL);
    let page = live.rig.ask("{ s { edges { cursor } resumeCursor } other { resumeCursor } }").await;
    let (page_cursor, resume, other) = (
        page["data"]["s"]["edges"][0]["cursor"].as_str().unwrap(),
        page["data"]["s"]["resumeCursor"].as_str().unwrap(),
        page["data"]["other"]["resumeCursor"].as_str().unwrap(),
    );
    for (arguments, part) in [
        (format!("resume: \"{}\"", &resume[..resume.len() - 1]), "resume: the cursor is damaged"),
        (format!("resume: \"{other}\""), "resume: the cursor belongs to another stream"),
        (
            format!("resume: \"{page_cursor}\""),
            "resume: this is a PageCursor, and a ResumeCursor is expected here",
        ),
        (format!("resume: \"{}\"", "A".repeat(100 << 10)), "resume: the cursor is damaged"),
        (format!("resume: \"{resume}\", from: \"now\""), "give from or resume, not both"),
        ("from: \"soon\"".into(), "expected ISO 8601"),
        ("topic: \"\"".into(), "1 to 512 bytes"),
        ("last: 5".into(), "last"),
    ] {
        let refusal = live.refusal(&all, &format!("subscription {{ s({arguments}) {{ late }} }}")).await;
        assert!(refusal.contains(part), "{refusal} of {part}");
    }
    let two = live.refusal(&all, "subscription { s { late } other { late } }").await;
    assert!(two.contains("one") || two.contains("single"), "{two}");
    let answer = live.rig.ask("subscription { s { late } }").await;
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("open a WebSocket"), "{answer}");
    assert!(answer.get("data").is_none(), "{answer}");
}

#[tokio::test]
async fn history_that_is_gone_is_told_as_a_gap() {
    let mut live = Live::new().await;
    let mut subscription = live.follow("").await;
    live.write_numbers(1..5).await;
    let taken = take(&mut subscription, 4).await;
    let later = Timestamp(NOW + 2 * 3_600 * SECOND);
    while live.rig.store.sweep(later, 1_000).await.unwrap().more {}
    // The ring may have them still: a gateway that begins anew has not.
    let gateway = live.rig.another().await;
    let query = format!(
        "subscription {{ s(resume: \"{}\") {{ gap {{ __typename reason from to }} message {{ data {{ n }} }} }} }}",
        cursor(&taken[0])
    );
    let request = GraphqlRequest::from_json(json!({ "query": query }).to_string().as_bytes()).unwrap();
    let Started::Live(mut resumed) =
        gateway.pipeline().start(&principal(&Role::ALL), &request, false, None).await
    else {
        panic!("refused")
    };
    let told = take(&mut resumed, 1).await;
    let gap = json!({
        "__typename": "Gap", "reason": "MISSING",
        "from": "shardId-000000000000:2", "to": "shardId-000000000000:5",
    });
    assert_eq!(told[0], json!({ "data": { "s": { "gap": gap, "message": null } } }));
    assert_quiet(&mut resumed).await;
}

#[tokio::test]
async fn a_stream_that_was_made_anew_ends_what_runs_and_distrusts_old_cursors() {
    let mut live = Live::new().await;
    let mut subscription = live.follow("").await;
    live.write_numbers(1..3).await;
    let taken = take(&mut subscription, 2).await;
    let mut record = live
        .rig
        .store
        .streams()
        .await
        .unwrap()
        .into_iter()
        .find(|record| *record.name() == stream())
        .unwrap();
    record.version += 1;
    record.incarnation = 99;
    assert!(live.rig.store.put_stream(&record).await.unwrap());
    let Some(Event::Failed(error)) = timeout(WAIT, subscription.next()).await.unwrap() else {
        panic!("it goes on")
    };
    assert!(error.message.contains("made anew"), "{}", error.message);
    let mut resumed = live.follow(&format!("(resume: \"{}\")", cursor(&taken[1]))).await;
    let told = take(&mut resumed, 1).await;
    assert_eq!(told[0]["data"]["s"]["gap"]["reason"], "INCARNATION");
    assert_eq!(numbers(&take(&mut resumed, 3).await), [0, 1, 2]);
    let again = live.follow(&format!("(resume: \"{}\")", cursor(&told[0]))).await;
    drop(again);
}

#[tokio::test]
async fn what_is_learned_leaves_running_subscriptions_alone() {
    let mut live = Live::new().await;
    let mut subscription = live.follow("").await;
    let record = live
        .rig
        .store
        .streams()
        .await
        .unwrap()
        .into_iter()
        .find(|record| *record.name() == stream())
        .unwrap();
    crate::rig::fill(&live.rig.store, &record, &[("c", 0, r#"{"n":"text","new":true}"#)]).await;
    live.write(&[("a", 0, r#"{"n":1,"new":false}"#)], true).await;
    assert_eq!(numbers(&take(&mut subscription, 1).await), [1]);
}
