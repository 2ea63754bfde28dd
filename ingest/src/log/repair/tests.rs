//! Repairs held against what was written: what lies outside the damage is kept, what is missing is told, and no sequence is
//! given again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use schema::{Clock, StreamName, Timestamp};

use super::*;
use crate::IngestSettings;
use crate::log::{Log, LogEntry, LogRecord, examine};

const STREAMS: [&str; 2] = ["events", "orders"];
const PARTITIONS: u32 = 2;

fn open(folder: &Path) -> Result<Log, LogError> {
    let settings = IngestSettings {
        segment_bytes: 4_096,
        partitions_per_stream: PARTITIONS,
        ..IngestSettings::default()
    };
    let clock: Clock = Arc::new(|| Timestamp(1_000_000));
    Log::open(folder, &settings, clock, &[], Arc::default())
}

/// All partitions that there may be; the store has `stored` of each.
fn known(stored: u64) -> Vec<Known> {
    let partitions = |name| (0..PARTITIONS).map(move |index| (StreamName::new(name).unwrap(), index, stored));
    STREAMS.into_iter().flat_map(partitions).collect()
}

async fn append(log: &Log, groups: &[Vec<(usize, u8, usize)>]) -> Vec<LogRecord> {
    let mut written = Vec::new();
    for group in groups {
        let entry = |(stream, key, bytes): &(usize, u8, usize)| LogEntry {
            stream: StreamName::new(STREAMS[*stream]).unwrap(),
            key: format!("key-{key}").into(),
            topic: None,
            data: "x".repeat(*bytes).into(),
        };
        let entries: Vec<LogEntry> = group.iter().map(entry).collect();
        let placed = log.append(entries.clone()).await.unwrap();
        written.extend(entries.into_iter().zip(placed).map(|(entry, placed)| LogRecord {
            stream: entry.stream,
            partition: placed.partition,
            sequence: placed.sequence,
            arrived_at: placed.arrived_at,
            key: entry.key,
            topic: entry.topic,
            data: entry.data,
        }));
    }
    written
}

fn read_all(log: &Log) -> Vec<LogRecord> {
    log.reader().read(log.first_offset(), usize::MAX >> 1, usize::MAX).unwrap().records
}

type Place = (StreamName, u32, u64);

fn place(record: &LogRecord) -> Place {
    (record.stream.clone(), record.partition, record.sequence)
}

/// What a repair said to be missing for certain, and what perhaps.
fn told(missing: &[Missing]) -> [BTreeSet<Place>; 2] {
    [true, false].map(|certain| {
        let mine = missing.iter().filter(|one| one.certain == certain);
        mine.flat_map(|one| (one.first..=one.last).map(|n| (one.stream.clone(), one.partition, n))).collect()
    })
}

/// Something that happens to a file.
#[derive(Clone, Debug)]
enum Harm {
    Flip(prop::sample::Index, u8),
    Zero(prop::sample::Index, usize),
    Cut(prop::sample::Index),
    Remove,
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        6 => (any::<prop::sample::Index>(), 1u8..).prop_map(|(at, by)| Harm::Flip(at, by)),
        3 => (any::<prop::sample::Index>(), 1..2_000usize).prop_map(|(at, bytes)| Harm::Zero(at, bytes)),
        1 => any::<prop::sample::Index>().prop_map(Harm::Cut),
        1 => Just(Harm::Remove),
    ]
}

fn inflict(path: &Path, harm: &Harm) {
    let mut bytes = fs::read(path).unwrap();
    let at = |index: &prop::sample::Index| index.index(bytes.len().max(1));
    match harm {
        Harm::Flip(index, by) => {
            let at = at(index);
            bytes[at] ^= by;
        }
        Harm::Zero(index, count) => {
            let at = at(index);
            let end = bytes.len().min(at + count);
            bytes[at..end].fill(0);
        }
        Harm::Cut(index) => {
            let at = at(index);
            bytes.truncate(at);
        }
        Harm::Remove => return fs::remove_file(path).unwrap(),
    }
    fs::write(path, bytes).unwrap();
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let segments = segment::list(folder).unwrap();
    segments.iter().map(|segment| segment::path(folder, segment.base)).collect()
}

/// Where each record's frame lies in the log.
fn frames(folder: &Path) -> Vec<(Place, PathBuf, Vec<u8>)> {
    let mut frames = Vec::new();
    for path in paths(folder) {
        let bytes = fs::read(&path).unwrap();
        let mut here = 0;
        while here < bytes.len() {
            let super::super::frame::Parsed::Frame(frame, size) = super::super::frame::parse(&bytes[here..])
            else {
                panic!("a log that nothing has happened to")
            };
            if let Frame::Record(record) = frame {
                let place = (StreamName::new(record.stream).unwrap(), record.partition, record.sequence);
                frames.push((place, path.clone(), bytes[here..here + size].to_vec()));
            }
            here += size;
        }
    }
    frames
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn damage_anywhere_is_set_aside_and_told(
        groups in prop::collection::vec(prop::collection::vec((0..2usize, any::<u8>(), 0..700usize), 1..4), 3..25),
        harms in prop::collection::vec((any::<prop::sample::Index>(), harm()), 1..4),
        more in prop::collection::vec((0..2usize, any::<u8>(), 0..50usize), 6..12),
        stored in prop_oneof![Just(0u64), 0..9u64],
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            let log = open(folder).unwrap();
            let written = append(&log, &groups).await;
            log.close().await;
            let before = frames(folder);
            for (file, harm) in &harms {
                let paths = paths(folder);
                // A first or last file that is gone, or a last one that is shorter, can't be missed by anybody.
                let at = file.index(paths.len());
                let is_edge = at == 0 || at + 1 == paths.len();
                let is_last = at + 1 == paths.len();
                if !(is_edge && matches!(harm, Harm::Remove) || is_last && matches!(harm, Harm::Cut(_))) {
                    inflict(&paths[at], harm);
                }
            }
            if !matches!(examine(folder), Err(LogError::Damaged { .. })) {
                prop_assert!(open(folder).is_ok());
                return Ok(());
            }
            let refused = open(folder).map(|_| ()).unwrap_err().to_string();
            prop_assert!(refused.contains("is damaged") && refused.contains("at byte"), "{}", refused);

            let damaged: Vec<(PathBuf, Vec<u8>)> =
                paths(folder).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
            let repaired = repair(folder, &known(stored)).unwrap();
            prop_assert!(!repaired.files.is_empty());
            for file in &repaired.files {
                let original = damaged.iter().find(|(path, _)| *path == file.file).map(|(_, bytes)| bytes);
                prop_assert_eq!(Some(&fs::read(&file.kept_as).unwrap()), original);
            }
            prop_assert_eq!(repair(folder, &known(stored)).unwrap(), Repaired::default());
            let log = open(folder).unwrap();
            let kept = read_all(&log);
            prop_assert_eq!(repaired.records, kept.len() as u64);
            prop_assert!(kept.iter().all(|record| written.contains(record)), "a record that nobody wrote");
            let kept: BTreeSet<Place> = kept.iter().map(place).collect();
            // What can be read in a file that is as it was is kept.
            for (place, path, _) in &before {
                let untouched = !repaired.files.iter().any(|file| file.file == *path);
                let there = damaged.iter().any(|(other, _)| other == path);
                prop_assert!(!untouched || !there || kept.contains(place) || is_torn(&damaged, path), "{:?}", place);
            }
            // A single changed byte costs a single record.
            if let [(_, Harm::Flip(..))] = &harms[..] {
                prop_assert!(written.len() - kept.len() <= 1, "{} of {}", kept.len(), written.len());
            }
            let [certain, perhaps] = told(&repaired.missing);
            prop_assert!(certain.is_disjoint(&kept) && perhaps.is_disjoint(&kept));
            for record in written.iter().map(place).filter(|record| !kept.contains(record)) {
                let safe = record.2 <= stored;
                prop_assert!(
                    safe || certain.contains(&record) || perhaps.contains(&record),
                    "nobody was told of {:?}: {:?}", record, repaired.missing
                );
            }
            let all: BTreeSet<Place> = written.iter().map(place).collect();
            prop_assert!(certain.is_subset(&all), "{:?} never were", certain.difference(&all));

            let again = append(&log, &[more]).await;
            log.close().await;
            for record in again.iter().map(place) {
                prop_assert!(!all.contains(&record), "{:?} was given again", record);
            }
            let log = open(folder).unwrap();
            let after: BTreeSet<Place> = read_all(&log).iter().map(place).collect();
            prop_assert!(again.iter().all(|record| after.contains(&place(record))));
            Ok(())
        })?;
    }
}

/// Whether this is the last file, whose end may be cut: by what was done to it nobody can tell it from a torn tail.
fn is_torn(damaged: &[(PathBuf, Vec<u8>)], path: &Path) -> bool {
    damaged.last().is_some_and(|(last, _)| last == path)
}
