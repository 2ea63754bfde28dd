//! Migrations: by many at once, cut short, and refused where the schema is another's.

use std::sync::Mutex;

use super::*;
use crate::scylla::migrate::How;
use crate::scylla::{batch, examine, migrate, session};
use crate::{Journal, JournalRow, Leases, Next, Report};

/// With a lock that is soon free again, though not sooner than a busy server changes a table.
const SOON: How = How { dry_run: false, lock_seconds: 10, upto: migrate::VERSION };

async fn drop_keyspace(keyspace: &str) {
    let session = session::connect(&options(keyspace), &password(), None).await.unwrap();
    let mut drop =
        scylla::statement::unprepared::Statement::new(format!("DROP KEYSPACE IF EXISTS {keyspace}"));
    drop.set_request_timeout(Some(std::time::Duration::from_secs(60)));
    session.query_unpaged(drop, &[]).await.unwrap();
}

/// How a refusal names the schemas that this binary runs on.
fn runs_on() -> String {
    format!("runs on {} and {}", migrate::VERSION, migrate::VERSION + 1)
}

async fn refusal(keyspace: &str) -> String {
    let clock: Clock = Arc::new(now);
    match Scylla::open(&options(keyspace), &password(), clock).await {
        Ok(_) => "none".into(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_at_once_come_to_one_schema_though_one_dies() {
    if left_out() {
        return;
    }
    let keyspace = fresh("five");
    let options = options(&keyspace);
    let refused = refusal(&keyspace).await;
    assert!(refused.contains("`tidegate migrate`"), "{refused}");

    let said = Mutex::new(Vec::new());
    let say = |text| said.lock().unwrap().push(text);
    migrate::run(&options, &password(), true, say).await.unwrap();
    let said = said.into_inner().unwrap();
    assert!(said.iter().any(|text| text.contains("CREATE TABLE IF NOT EXISTS messages")), "{said:?}");
    assert!(refusal(&keyspace).await.contains("can't be used"), "a dry run has made the keyspace");

    // One is given up in the midst of its steps, and leaves the lock behind.
    let (stepped, mut steps) = tokio::sync::mpsc::unbounded_channel();
    let one = options.clone();
    let dies = tokio::spawn(async move {
        migrate::bring(&one, &password(), SOON, |text| stepped.send(text).unwrap()).await
    });
    while !steps.recv().await.unwrap().contains("topic_buckets") {}
    dies.abort();
    let refused = refusal(&keyspace).await;
    assert!(refused.contains("has schema 0") && refused.contains(&runs_on()), "{refused}");

    let others = (0..5).map(|_| async { migrate::bring(&options, &password(), SOON, |_| {}).await });
    for outcome in futures_util::future::join_all(others).await {
        outcome.unwrap();
    }
    assert_eq!(refusal(&keyspace).await, "none");
    drop_keyspace(&keyspace).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_binary_runs_on_its_schema_and_the_next() {
    if left_out() {
        return;
    }
    let keyspace = fresh("versions");
    let options = options(&keyspace);
    migrate::run(&options, &password(), false, |_| {}).await.unwrap();
    let session = session::connect(&options, &password(), None).await.unwrap();
    let too_new = format!("has schema {}, and this binary {}: run a newer", migrate::VERSION + 2, runs_on());
    for (version, expect) in [(0, "none"), (1, "none"), (2, &too_new)] {
        let note = format!(
            "INSERT INTO {keyspace}.schema_versions (shelf, version, name) VALUES (0, {}, 'later')",
            migrate::VERSION + version
        );
        session.query_unpaged(note, &[]).await.unwrap();
        let refused = refusal(&keyspace).await;
        assert!(refused.contains(expect), "{version}: {refused}");
        let seen = examine(&options, &password()).await.unwrap().cluster.unwrap().unwrap();
        let there = seen.keyspace.unwrap().unwrap();
        assert_eq!(there.copies.into_values().collect::<Vec<_>>(), [1]);
        assert_eq!(there.contents.unwrap().version, migrate::VERSION + version);
    }
    drop_keyspace(&keyspace).await;
}

/// The first schema, with what its binary wrote: a claimed partition, a row of its journal, and a checkpoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_of_the_first_schema_go_on() {
    if left_out() {
        return;
    }
    let (keyspace, stream, p) = (fresh("first"), stream("first"), partition());
    // A change of the schema may take longer than other requests.
    let options = ScyllaOptions { request_ms: 60_000, call_ms: 120_000, ..options(&keyspace) };
    migrate::bring(&options, &password(), How { upto: 1, ..SOON }, |_| {}).await.unwrap();
    let refused = refusal(&keyspace).await;
    assert!(refused.contains(&format!("has schema 1, and this binary {}", runs_on())), "{refused}");
    let session = session::connect(&options, &password(), None).await.unwrap();
    session.use_keyspace(&keyspace, false).await.unwrap();
    let row =
        JournalRow { after: 0.into(), last: 5.into(), messages: vec![message(1, 7)], children: Vec::new() };
    let bytes = crate::scylla::slots::bytes;
    let slots = vec![(bytes(&0.into()), now().0)];
    let (name, of) = (stream.as_str(), p.as_str());
    let lease = "INSERT INTO leases (stream, partition, epoch, checkpoint, slots, slot_rows, slot_bytes) VALUES (?, ?, 3, ?, ?, 1, 99) IF NOT EXISTS";
    session.query_unpaged(lease, (name, of, bytes(&5.into()), slots)).await.unwrap();
    session
        .query_unpaged("INSERT INTO partitions (stream, partition) VALUES (?, ?)", (name, of))
        .await
        .unwrap();
    let journal =
        "INSERT INTO journal (stream, partition, slot, last, after, messages) VALUES (?, ?, ?, ?, ?, ?)";
    let batch = batch::encode(&row.messages, &[]);
    let values = (name, of, bytes(&0.into()), bytes(&row.last), bytes(&row.after), batch);
    session.query_unpaged(journal, values).await.unwrap();

    // One is cut short behind the first column; what it has done is done again.
    session.query_unpaged("ALTER TABLE leases ADD owner text", &[]).await.unwrap();
    for _ in 0..2 {
        migrate::bring(&options, &password(), SOON, |_| {}).await.unwrap();
        session
            .query_unpaged("DELETE FROM schema_versions WHERE shelf = 0 AND version >= 2", &[])
            .await
            .unwrap();
    }
    migrate::bring(&options, &password(), SOON, |_| {}).await.unwrap();

    let clock: Clock = Arc::new(now);
    let store = Scylla::open(&options, &password(), clock).await.unwrap();
    let state = store.leases(&stream).await.unwrap().remove(0);
    assert_eq!((state.epoch, state.checkpoint), (3, 5.into()));
    assert_eq!((state.owner, state.heartbeat, state.parents), (None, 0, Vec::new()));
    assert_eq!(store.next_journal(&stream, &p, 0.into()).await.unwrap(), Next::Row(row));
    assert!(store.checkpoint(&stream, &p, 3, 6.into()).await.unwrap(), "the owner goes on");
    assert!(store.release_lease(&stream, &p, 3).await.unwrap());
    let lease = store.claim_lease_if(&stream, &p, "w", 3).await.unwrap().unwrap();
    assert_eq!((lease.epoch, lease.checkpoint), (4, 6.into()));
    store.renew_lease(&stream, &p, 4, Report::default()).await.unwrap();
    let state = store.leases(&stream).await.unwrap().remove(0);
    assert_eq!((state.owner.as_deref(), state.heartbeat), (Some("w"), 1));
    assert_eq!(store.claim_lease(&stream, &p).await.unwrap().epoch, 5);
    drop_keyspace(&keyspace).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queries_in_the_documentation_can_be_asked() {
    if left_out() {
        return;
    }
    let store = open().await;
    let text = include_str!("../../../../docs/cql.md");
    let (_, sql) = text.split_once("```sql\n").unwrap();
    let (sql, _) = sql.split_once("```").unwrap();
    let lines: Vec<&str> = sql.lines().filter(|line| !line.starts_with("--")).collect();
    let queries = lines.join("\n");
    let queries: Vec<&str> = queries.split(';').map(str::trim).filter(|query| !query.is_empty()).collect();
    assert!(queries.len() > 5, "{queries:?}");
    for query in queries {
        let asked = store.0.calls.session.query_unpaged(query, &[]).await;
        assert!(asked.is_ok(), "{query}: {asked:?}");
    }
}
