//! The log held against a plain list: what was acknowledged is there after any crash, once, in order, and its sequences are
//! never given again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::frame::{Frame, Record};
use super::segment::{Step, Walk};
use super::*;

const STREAMS: [&str; 2] = ["events", "orders"];

fn settings() -> IngestSettings {
    IngestSettings { segment_bytes: 4_096, partitions_per_stream: 2, ..IngestSettings::default() }
}

fn clock() -> Clock {
    Arc::new(|| Timestamp(1_000_000))
}

fn open(folder: &Path) -> Result<Log, LogError> {
    Log::open(folder, &settings(), clock(), &[], Arc::default())
}

fn entry(stream: usize, key: u8, bytes: usize) -> LogEntry {
    LogEntry {
        stream: StreamName::new(STREAMS[stream]).unwrap(),
        key: format!("key-{key}").into(),
        topic: key.is_multiple_of(2).then(|| Topic::new("named").unwrap()),
        data: "x".repeat(bytes).into(),
    }
}

fn read_all(log: &Log) -> Vec<LogRecord> {
    let (mut reader, mut from, mut all) = (log.reader(), LogOffset::ZERO, Vec::new());
    loop {
        let chunk = reader.read(from, 700, 3).unwrap();
        if chunk.records.is_empty() && chunk.next == from {
            return all;
        }
        from = chunk.next;
        all.extend(chunk.records);
    }
}

/// A group of entries: stream, key, size.
type Group = Vec<(usize, u8, usize)>;

fn groups() -> impl Strategy<Value = Vec<Group>> {
    prop::collection::vec(prop::collection::vec((0..2usize, any::<u8>(), 0..900usize), 1..4), 1..12)
}

/// Appends each group, and says what must be read back.
async fn append(log: &Log, groups: &[Group]) -> Vec<LogRecord> {
    let mut expect = Vec::new();
    for group in groups {
        let entries: Vec<LogEntry> =
            group.iter().map(|(stream, key, bytes)| entry(*stream, *key, *bytes)).collect();
        let placed = log.append(entries.clone()).await.unwrap();
        expect.extend(entries.into_iter().zip(placed).map(|(entry, placed)| LogRecord {
            stream: entry.stream,
            partition: placed.partition,
            sequence: placed.sequence,
            arrived_at: placed.arrived_at,
            key: entry.key,
            topic: entry.topic,
            data: entry.data,
        }));
    }
    expect
}

/// Sequences count from 1 in each partition, without a hole.
fn assert_dense(records: &[LogRecord]) {
    let mut last: BTreeMap<_, u64> = BTreeMap::new();
    for record in records {
        let last = last.entry((record.stream.clone(), record.partition)).or_default();
        assert_eq!(record.sequence, *last + 1, "{record:?}");
        *last += 1;
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let segments = segment::list(folder).unwrap();
    let paths = segments.iter().map(|segment| segment::path(folder, segment.base));
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Where each frame of a file ends, and whether it is a record.
fn frame_ends(path: &Path) -> Vec<(u64, bool)> {
    let file = File::open(path).unwrap();
    let mut walk = Walk::new(&file, 0, file.metadata().unwrap().len(), 1 << 20);
    let mut ends = Vec::new();
    loop {
        let record = match walk.next().unwrap() {
            Step::Frame(frame, ..) => matches!(frame, Frame::Record(_)),
            Step::Bad(at) => panic!("no frame at {at}"),
            Step::End => return ends,
        };
        ends.push((walk.at(), record));
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_leaves_whole_records_and_the_count_goes_on(
        groups in groups(), more in groups(), cut: prop::sample::Index,
    ) {
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let log = open(folder.path()).unwrap();
            let written = append(&log, &groups).await;
            prop_assert_eq!(&read_all(&log), &written);
            log.close().await;

            let (last, bytes) = files(folder.path()).pop().unwrap();
            let cut = cut.index(bytes.len() + 1) as u64;
            let lost = frame_ends(&last).iter().filter(|(end, record)| *record && *end > cut).count();
            File::options().write(true).open(&last).unwrap().set_len(cut).unwrap();

            let log = open(folder.path()).unwrap();
            let mut kept = written[..written.len() - lost].to_vec();
            prop_assert_eq!(&read_all(&log), &kept, "cut at {}", cut);
            kept.extend(append(&log, &more).await);
            log.close().await;
            let log = open(folder.path()).unwrap();
            prop_assert_eq!(&read_all(&log), &kept);
            prop_assert_eq!(log.records(), kept.len() as u64);
            assert_dense(&kept);
            Ok(())
        })?;
    }

    #[test]
    fn a_change_before_the_tail_refuses_to_start_and_changes_nothing(
        groups in groups(), file: prop::sample::Index, at: prop::sample::Index, flip in 1u8..,
    ) {
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let log = open(folder.path()).unwrap();
            let written = append(&log, &groups).await;
            log.close().await;

            let files_before = files(folder.path());
            let index = file.index(files_before.len());
            let (path, bytes) = &files_before[index];
            let at = at.index(bytes.len());
            File::options().write(true).open(path).unwrap().write_all_at(&[bytes[at] ^ flip], at as u64).unwrap();
            let ends = frame_ends_of(&files_before, index);
            // The last frame is the mark of the last sync: with it nothing is lost.
            if index + 1 == files_before.len() && at as u64 >= ends[ends.len() - 2] {
                prop_assert_eq!(read_all(&open(folder.path()).unwrap()), written);
                return Ok(());
            }
            let changed = files(folder.path());
            match open(folder.path()).map(|_| ()) {
                Err(LogError::Damaged { file, offset, .. }) => {
                    prop_assert_eq!(&file, path);
                    let start = ends.iter().rev().find(|end| **end <= at as u64).copied().unwrap_or(0);
                    prop_assert_eq!(offset, start);
                }
                other => prop_assert!(false, "{:?}", other),
            }
            prop_assert_eq!(files(folder.path()), changed);
            Ok(())
        })?;
    }
}

/// Where the frames of a file ended before it was changed.
fn frame_ends_of(files: &[(PathBuf, Vec<u8>)], index: usize) -> Vec<u64> {
    let copy = tempfile::NamedTempFile::new().unwrap();
    fs::write(copy.path(), &files[index].1).unwrap();
    frame_ends(copy.path()).into_iter().map(|(end, _)| end).collect()
}

/// A disk may keep a later page of a write that was never synced, and lose an earlier one.
#[tokio::test]
async fn a_torn_group_is_cut_even_where_its_end_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path()).unwrap();
    let written = append(&log, &[vec![(0, 1, 50)], vec![(1, 2, 50)]]).await;
    log.close().await;
    let (path, bytes) = files(folder.path()).pop().unwrap();
    let mut group = vec![0; 100];
    let data = [b'y'; 100];
    let record = Record {
        stream: "events",
        partition: 0,
        sequence: 9,
        arrival: 0,
        key: "k",
        topic: None,
        data: &data,
    };
    frame::write(&Frame::Record(record), &mut group);
    File::options().write(true).open(&path).unwrap().write_all_at(&group, bytes.len() as u64).unwrap();
    let log = open(folder.path()).unwrap();
    assert_eq!(read_all(&log), written);
    assert_eq!(fs::read(&path).unwrap()[..bytes.len()], bytes);
}

#[tokio::test]
async fn counters_outlive_the_files_that_they_were_counted_in() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path()).unwrap();
    let groups: Vec<Group> = (0..40).map(|n| vec![(0, n % 5, 400)]).collect();
    let written = append(&log, &groups).await;
    assert!(files(folder.path()).len() > 3);
    let size = log.size_bytes();
    let durable = *log.durable().borrow();
    log.trim(durable).unwrap();
    assert!(log.size_bytes() < size && files(folder.path()).len() == 1);
    let left = read_all(&log);
    assert!(written.ends_with(&left));
    log.close().await;

    let log = open(folder.path()).unwrap();
    assert_eq!(read_all(&log), left);
    let mut all = written;
    all.extend(append(&log, &groups).await);
    assert_dense(&all);
}

#[tokio::test]
async fn a_lost_log_goes_on_behind_what_the_store_has() {
    let folder = tempfile::tempdir().unwrap();
    let known: Vec<Known> =
        (0..2).map(|partition| (StreamName::new(STREAMS[0]).unwrap(), partition, 41)).collect();
    let log = Log::open(folder.path(), &settings(), clock(), &known, Arc::default()).unwrap();
    let records = append(&log, &[vec![(0, 1, 1), (1, 1, 1)]]).await;
    assert_eq!(records.iter().map(|record| record.sequence).collect::<Vec<_>>(), [42, 1]);
    log.close().await;
    assert_eq!(read_all(&open(folder.path()).unwrap()), records);
}

#[tokio::test]
async fn a_folder_is_one_processs_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path()).unwrap();
    let error = open(folder.path()).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("is in use by another process"), "{error}");
    log.close().await;
    assert_eq!(log.append(vec![entry(0, 1, 1)]).await, Err(AppendError::Closed));
    assert!(open(folder.path()).is_ok());
}

#[tokio::test]
async fn arrival_never_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = |micros| -> Clock { Arc::new(move || Timestamp(micros)) };
    let mut arrivals = Vec::new();
    for micros in [50, 90, 20, 95] {
        let log = Log::open(folder.path(), &settings(), at(micros), &[], Arc::default()).unwrap();
        arrivals.push(append(&log, &[vec![(0, 1, 1)]]).await[0].arrived_at.0);
        arrivals.push(log.now().0);
        arrivals.push(append(&log, &[vec![(0, 1, 1)]]).await[0].arrived_at.0);
        log.close().await;
    }
    // At a turn, what came before and what comes after are told apart by the time alone.
    assert_eq!(arrivals, [50, 51, 51, 90, 91, 91, 91, 92, 92, 95, 96, 96]);
}

#[tokio::test]
async fn a_file_that_cannot_be_made_refuses_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path()).unwrap();
    let mut written = append(&log, &[vec![(0, 1, 5_000)]]).await;
    let blocked = segment::path(folder.path(), *log.durable().borrow());
    fs::create_dir(&blocked).unwrap();
    for _ in 0..2 {
        let refused = log.append(vec![entry(0, 1, 10)]).await;
        assert!(matches!(refused, Err(AppendError::Disk(_))), "{refused:?}");
    }
    assert!(log.failure().is_some());
    fs::remove_dir(&blocked).unwrap();
    written.extend(append(&log, &[vec![(0, 1, 10)]]).await);
    assert_eq!(log.failure(), None);
    assert_eq!(read_all(&log), written);
    assert_dense(&written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_share_syncs() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = Arc::new(LogMetrics::default());
    let log = Log::open(folder.path(), &IngestSettings::default(), clock(), &[], metrics.clone()).unwrap();
    let writers = (0..64).map(|_| {
        let log = log.clone();
        tokio::spawn(async move {
            for n in 0..20 {
                log.append(vec![entry(0, n, 300)]).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    println!("{} syncs for {} messages of 64 writers", metrics.syncs(), log.records());
    assert!(metrics.syncs() < log.records() / 4, "{} syncs", metrics.syncs());
    assert_dense(&read_all(&log));
}
