//! Migrations: by many at once, cut short, and refused where the schema is another's.

use std::sync::Mutex;

use super::*;
use crate::scylla::migrate::How;
use crate::scylla::{examine, migrate, session};

/// With a lock that is soon free again.
const SOON: How = How { dry_run: false, lock_seconds: 3, upto: migrate::VERSION };

async fn drop_keyspace(keyspace: &str) {
    let session = session::connect(&options(keyspace), &password(), None).await.unwrap();
    let mut drop =
        scylla::statement::unprepared::Statement::new(format!("DROP KEYSPACE IF EXISTS {keyspace}"));
    drop.set_request_timeout(Some(std::time::Duration::from_secs(60)));
    session.query_unpaged(drop, &[]).await.unwrap();
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
    assert!(refused.contains("has schema 0") && refused.contains("runs on 1 and 2"), "{refused}");

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
    for (version, expect) in
        [(0, "none"), (1, "none"), (2, "has schema 3, and this binary runs on 1 and 2: run a newer")]
    {
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
