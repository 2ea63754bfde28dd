//! A folder closed and opened again.

use schema::shape::Shape;
use schema::{Sequence, Stream, TimeRange, Timestamp};

use super::*;
use crate::{
    Catalog, DeadLetter, DeadLetters, IdClaim, Ids, Leases, Next, Registration, Report, StreamRecord,
    TopicFilter,
};

#[tokio::test]
async fn everything_is_there_after_a_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (name, p) = (stream(), partition());
    let record = StreamRecord::new(Stream::with_defaults(name.clone()), &[]);
    let shape = Shape { version: 1, ..Shape::default() };
    let claim = |sequence: u64| IdClaim {
        key: "k".into(),
        id: "i".into(),
        generation: 0,
        sequence: sequence.into(),
        sub: 0,
        arrived_at: Timestamp(5),
    };
    let letter = DeadLetter {
        position: message("t", 3, 0).position,
        arrived_at: Timestamp(9),
        key: "k".into(),
        reason: "not JSON".into(),
        raw: Bytes::from_static(b"{"),
    };
    let row = JournalRow {
        after: Sequence::ZERO,
        last: 3.into(),
        messages: vec![message("t", 1, 10), message("t", 2, 20)],
        children: Vec::new(),
    };
    assert!(store.put_stream(&record).await.unwrap());
    assert!(store.put_shape(&name, &shape).await.unwrap());
    let lease = store.claim_lease(&name, &p).await.unwrap();
    store.claim_ids(&name, &[claim(1)], 10).await.unwrap();
    store.write_dead_letters(&name, std::slice::from_ref(&letter)).await.unwrap();
    append(&store, 0, 3, row.messages.clone()).await.unwrap();
    assert!(store.checkpoint(&name, &p, lease.epoch, 3.into()).await.unwrap());
    drop(store);

    for _ in 0..2 {
        let store = open(dir.path());
        assert_eq!(store.streams().await.unwrap(), std::slice::from_ref(&record));
        assert_eq!(store.shape(&name).await.unwrap(), Some(shape.clone()));
        assert_eq!(store.dead_letters(&name, None, 9).await.unwrap(), std::slice::from_ref(&letter));
        assert_eq!(store.claim_ids(&name, &[claim(2)], 10).await.unwrap(), [true]);
        assert_eq!(store.next_journal(&name, &p, 0.into()).await.unwrap(), Next::Row(row.clone()));
        assert_eq!(store.next_journal(&name, &p, 3.into()).await.unwrap(), Next::Wait);
        let all = TopicFilter { range: TimeRange::ALL, prefix: String::new(), after: None, limit: 9 };
        let topics = store.topics(&name, all).await.unwrap();
        assert_eq!((topics[0].first_time.0, topics[0].last_time.0), (10_000_000, 20_000_000));
        let leases = store.leases(&name).await.unwrap();
        assert_eq!((leases.len(), leases[0].checkpoint), (1, 3.into()));
    }
    let again = open(dir.path()).claim_lease(&name, &p).await.unwrap();
    assert_eq!((again.epoch, again.checkpoint), (lease.epoch + 1, 3.into()));
}

#[tokio::test]
async fn leases_of_workers_are_there_after_a_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (name, p, child) = (stream(), partition(), PartitionId::embedded(7));
    store.register_partition(&name, &Registration::new(&p, &[])).await.unwrap();
    store.register_partition(&name, &Registration::new(&child, std::slice::from_ref(&p))).await.unwrap();
    for owner in [&p, &child] {
        assert!(store.claim_lease_if(&name, owner, "worker", 0).await.unwrap().is_some());
        store.renew_lease(&name, owner, 1, Report::default()).await.unwrap();
    }
    let (after, children) = (Sequence::ZERO, vec![child.clone()]);
    let end = JournalRow { after, last: Sequence::END, messages: vec![message("t", 1, 10)], children };
    store.write_messages(&name, &end.messages).await.unwrap();
    store.append_journal(&name, &p, &end).await.unwrap();
    assert!(store.checkpoint(&name, &p, 1, Sequence::END).await.unwrap());
    let leases = store.leases(&name).await.unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.leases(&name).await.unwrap(), leases);
    assert!(leases[0].has_ended() && leases[1].parents == [p.clone()], "{leases:?}");
    assert_eq!((leases[1].owner.as_deref(), leases[1].heartbeat), (Some("worker"), 1));
    assert_eq!(store.next_journal(&name, &p, 0.into()).await.unwrap(), Next::Row(end));
}

#[tokio::test]
async fn a_second_opening_is_refused_and_says_what_to_do() {
    let fresh = Fresh::open();
    let error = Embedded::open(fresh.dir.path(), EmbeddedOptions::default()).unwrap_err().to_string();
    let dir = fresh.dir.path().display();
    let expect = format!(
        "the store in {dir} is in use: stop the other Tidegate that runs on it, or choose another folder"
    );
    assert_eq!(error, expect);
    append(&fresh, 0, 1, vec![message("t", 1, 1)]).await.unwrap();
    let Fresh { store, dir } = fresh;
    drop(store);
    assert_eq!(sequences(&open(dir.path()), "t").await, [1]);
}

#[test]
fn what_is_not_a_folder_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = Embedded::open(&file, EmbeddedOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("the store in {} can't be opened: ", file.display())), "{error}");
    let options = EmbeddedOptions { workers: 0, ..EmbeddedOptions::default() };
    let error = Embedded::open(dir.path(), options).unwrap_err().to_string();
    assert_eq!(error, "the embedded store's workers must be at least 1, not 0");
}

#[tokio::test]
async fn a_folder_of_another_layout_is_refused() {
    let fresh = Fresh::open();
    fresh.tables.with(|tables| tables.meta.insert(super::super::keys::LAYOUT, "0")).unwrap();
    let Fresh { store, dir } = fresh;
    drop(store);
    let error = Embedded::open(dir.path(), EmbeddedOptions::default()).unwrap_err().to_string();
    assert!(
        error.ends_with("written by another version of Tidegate: use that version, or an empty folder"),
        "{error}"
    );
}

#[tokio::test]
async fn sorted_files_read_like_memory() {
    let fresh = Fresh::open();
    let mut expect = Vec::new();
    for batch in 0..5 {
        let messages: Vec<_> =
            (0..500u64).map(|n| message("t", batch * 500 + n + 1, n as i64 - 250)).collect();
        expect.extend(messages.iter().map(|message| (message.time, message.position.sequence)));
        append(&fresh, batch * 500, batch * 500 + 500, messages).await.unwrap();
        fresh.tables.with(|tables| {
            for table in [&tables.messages, &tables.topics, &tables.journal, &tables.meta] {
                table.rotate_memtable_and_wait().unwrap();
            }
        });
    }
    expect.sort_unstable();
    let expect: Vec<_> = expect.iter().filter_map(|(_, sequence)| sequence.as_u64()).collect();
    assert_eq!(sequences(&fresh, "t").await, expect);
    for batch in 0..5 {
        let next = fresh.next_journal(&stream(), &partition(), (batch * 500).into()).await.unwrap();
        assert!(matches!(next, Next::Row(row) if row.messages.len() == 500));
    }
}
