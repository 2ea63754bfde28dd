//! After a repair, readers of the journal have what was kept, and are told of what was not.

use std::fs;
use std::path::{Path, PathBuf};

use ingest::log::{LogError, examine};
use ingest::{StartError, repair};
use schema::Sequence;
use store::embedded::{Embedded, EmbeddedOptions};
use store::{Journal, Next};

use crate::rig::{Rig, START, partition, stream};

/// What a reader from the beginning is given: sequences of messages, and gaps.
async fn follow(rig: &Rig) -> (Vec<u64>, Vec<(u64, u64)>) {
    let (mut consumed, mut got, mut gaps) = (Sequence::ZERO, Vec::new(), Vec::new());
    loop {
        match rig.store.next_journal(&stream(), &partition(), consumed).await.unwrap() {
            Next::Wait => return (got, gaps),
            Next::Gap { to } => {
                gaps.push((consumed.as_u64().unwrap() + 1, to.as_u64().unwrap()));
                consumed = to;
            }
            Next::Row(row) => {
                assert!(row.after <= consumed, "a row covers what is missing");
                let fresh = row.messages.iter().map(|message| message.position.sequence);
                got.extend(fresh.filter(|sequence| *sequence > consumed).filter_map(|one| one.as_u64()));
                consumed = row.last;
            }
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder.join("log")).unwrap().map(|entry| entry.unwrap().path());
    let mut logs: Vec<PathBuf> =
        all.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    logs.sort();
    logs
}

/// Changes a byte of the record of each of `numbers`.
fn harm(folder: &Path, numbers: &[u64]) {
    for number in numbers {
        let mark = format!("<{number}>");
        for path in files(folder) {
            let mut bytes = fs::read(&path).unwrap();
            if let Some(at) = bytes.windows(mark.len()).position(|window| window == mark.as_bytes()) {
                bytes[at] ^= 1;
                fs::write(&path, bytes).unwrap();
            }
        }
    }
}

/// A log of 40 records in several files, of which the store has none.
async fn written(folder: &Path) {
    let rig = Rig::start(folder, START).await.unwrap();
    let log = folder.join("log");
    let mut kept = Vec::new();
    for number in 1..=40 {
        rig.publish(&format!(r#"{{"mark":"<{number}>","padding":"{}"}}"#, "x".repeat(300))).await;
        // Files that are done with are removed: this test wants them all.
        for path in files(folder) {
            let copy = folder.join("copies").join(path.file_name().unwrap());
            fs::create_dir_all(folder.join("copies")).unwrap();
            fs::copy(&path, &copy).unwrap();
            kept.push((path, copy));
        }
    }
    rig.stop().await;
    for (path, copy) in kept {
        if !path.exists() {
            fs::copy(copy, path).unwrap();
        }
    }
    assert!(fs::read_dir(&log).unwrap().count() > 3);
    fs::remove_dir_all(folder.join("store")).unwrap();
}

#[tokio::test]
async fn what_is_missing_is_a_gap_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    written(folder).await;
    harm(folder, &[3, 4, 17, 30]);
    let refused = Rig::start(folder, START).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, StartError::Log(LogError::Damaged { .. })), "{refused}");

    let store = Embedded::open(&folder.join("store"), EmbeddedOptions::default()).unwrap();
    let repaired = repair(&folder.join("log"), &store, 1).await.unwrap();
    drop(store);
    let missing: Vec<(u64, u64, bool)> =
        repaired.missing.iter().map(|one| (one.first, one.last, one.certain)).collect();
    assert_eq!(missing, [(3, 4, true), (17, 17, true), (30, 30, true)]);
    assert_eq!(repaired.records, 36);
    assert_eq!(examine(&folder.join("log")).unwrap().set_aside.len(), repaired.files.len());

    // Twice, as if it had crashed before its first checkpoint.
    for _ in 0..2 {
        let rig = Rig::start(folder, START).await.unwrap();
        rig.caught_up().await;
        let expect: Vec<u64> = (1..=40).filter(|number| ![3, 4, 17, 30].contains(number)).collect();
        assert_eq!(follow(&rig).await, (expect.clone(), vec![(3, 4), (17, 17), (30, 30)]));
        assert_eq!(rig.rows().await.len(), expect.len());
        rig.stop().await;
    }
    let rig = Rig::start(folder, START).await.unwrap();
    assert_eq!(rig.publish("{}").await.position.sequence, 41.into());
    rig.stop().await;
}

/// What the store has already is no loss, and nobody is told of one.
#[tokio::test]
async fn what_the_store_has_is_not_missing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rig = Rig::start(folder, START).await.unwrap();
    for number in 1..=5 {
        rig.publish(&format!(r#"{{"mark":"<{number}>"}}"#)).await;
    }
    rig.stop().await;
    harm(folder, &[2]);
    let store = Embedded::open(&folder.join("store"), EmbeddedOptions::default()).unwrap();
    let repaired = repair(&folder.join("log"), &store, 1).await.unwrap();
    drop(store);
    assert_eq!((repaired.missing.len(), repaired.stored), (0, 1), "{repaired:?}");
    let rig = Rig::start(folder, START).await.unwrap();
    assert_eq!(rig.publish("{}").await.position.sequence, 6.into());
    rig.caught_up().await;
    assert_eq!(follow(&rig).await, ((1..=6).collect(), vec![]));
    rig.stop().await;
}

/// A log that is lost as a whole goes on behind all that the journal has, also beyond its checkpoint.
#[tokio::test]
async fn a_log_that_is_gone_gives_no_position_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rig = Rig::start(folder, START).await.unwrap();
    for number in 1..=5 {
        rig.publish(&format!(r#"{{"mark":"<{number}>"}}"#)).await;
    }
    rig.stop().await;
    let store = Embedded::open(&folder.join("store"), EmbeddedOptions::default()).unwrap();
    // Journaled, and not checkpointed when it ended.
    let row =
        store::JournalRow { after: 5.into(), last: 9.into(), messages: Vec::new(), children: Vec::new() };
    store.append_journal(&stream(), &partition(), &row).await.unwrap();
    drop(store);
    fs::remove_dir_all(folder.join("log")).unwrap();
    let rig = Rig::start(folder, START).await.unwrap();
    assert_eq!(rig.publish("{}").await.position.sequence, 10.into());
    rig.caught_up().await;
    assert_eq!(follow(&rig).await, (vec![1, 2, 3, 4, 5, 10], vec![]));
    rig.stop().await;
}
