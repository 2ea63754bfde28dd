//! Ends that nobody asked for: a killed process, and a disk that kept only the beginning of what was written.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::*;
use crate::{Leases, Next};

/// Where the process that is to be killed finds its folder.
const DIR: &str = "TIDEGATE_TEST_KILLED_STORE";

fn batch(number: u64) -> Vec<Message> {
    (1..=10).map(|n| message(["a", "b"][n as usize % 2], number * 10 + n, n as i64)).collect()
}

/// Whatever of the write-ahead log is lost from its end: where the checkpoint stands, all that it covers is there.
#[tokio::test]
async fn a_checkpoint_never_outlives_what_it_covers() {
    let fresh = Fresh::open();
    let epoch = fresh.claim_lease(&stream(), &partition()).await.unwrap().epoch;
    for number in 0..4 {
        append(&fresh, number * 10, number * 10 + 10, batch(number)).await.unwrap();
        let to = (number * 10 + 10).into();
        assert!(fresh.checkpoint(&stream(), &partition(), epoch, to).await.unwrap());
    }
    let Fresh { store, dir } = fresh;
    drop(store);
    let log = write_ahead_log(dir.path());
    let whole = std::fs::read(&log).unwrap();
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap();
    let mut seen = Vec::new();
    for cut in (0..=end).step_by(97).chain([end + 1]) {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(dir.path(), copy.path());
        std::fs::write(write_ahead_log(copy.path()), &whole[..cut]).unwrap();
        let store = open(copy.path());
        let leases = store.leases(&stream()).await.unwrap();
        let checkpoint = leases.first().and_then(|lease| lease.checkpoint.as_u64()).unwrap_or(0);
        for number in 0..checkpoint / 10 {
            let next = store.next_journal(&stream(), &partition(), (number * 10).into()).await.unwrap();
            assert!(matches!(next, Next::Row(row) if row.messages == batch(number)), "cut at {cut}");
        }
        seen.push(checkpoint);
    }
    seen.dedup();
    assert_eq!(seen, [0, 10, 20, 30, 40], "the cuts fell everywhere");
}

/// Writes until it is killed, and says after which checkpoint it is.
#[tokio::test]
#[ignore = "it runs in a process of its own, which `a_killed_process_loses_nothing_that_was_acknowledged` starts"]
async fn writes_until_it_is_killed() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let store = open(&PathBuf::from(dir));
    let lease = store.claim_lease(&stream(), &partition()).await.unwrap();
    let first = lease.checkpoint.as_u64().unwrap() / 10;
    for number in first..1_000_000 {
        append(&store, number * 10, number * 10 + 10, batch(number)).await.unwrap();
        assert!(
            store.checkpoint(&stream(), &partition(), lease.epoch, (number * 10 + 10).into()).await.unwrap()
        );
        println!("checkpoint {}", number + 1);
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut done = 0;
    for round in 0..4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "embedded::tests::crash::writes_until_it_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("checkpoint ")?.parse().ok());
        done = said.take(5 + round * 30).last().unwrap_or(0u64);
        child.kill().unwrap();
        child.wait().unwrap();

        let store = open(dir.path());
        let checkpoint = store.leases(&stream()).await.unwrap()[0].checkpoint.as_u64().unwrap() / 10;
        assert!(checkpoint >= done, "round {round}: {checkpoint} of {done}");
        for number in 0..checkpoint {
            let next = store.next_journal(&stream(), &partition(), (number * 10).into()).await.unwrap();
            assert!(matches!(next, Next::Row(row) if row.messages == batch(number)), "batch {number}");
        }
    }
    assert!(done > 90, "it got far: {done}");
}

fn write_ahead_log(dir: &Path) -> PathBuf {
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let mut logs: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "jnl")).collect();
    assert_eq!(logs.len(), 1, "little was written");
    logs.remove(0)
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else if entry.path().extension().is_none_or(|end| end != "jnl") {
            std::fs::copy(entry.path(), &target).unwrap();
        } else {
            std::fs::write(&target, "").unwrap();
        }
    }
}
