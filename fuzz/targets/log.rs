//! The log's files: whatever lies there, it is refused by name and place, or read; and nothing durable is cut.

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use ingest::IngestSettings;
use ingest::log::{Log, LogError, LogOffset, LogRecord};
use schema::Timestamp;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The input is a byte that says how the file is made of the rest: the bytes themselves, or parts of it in frames.
pub(crate) fn target(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else { return };
    let base = if how & 4 == 0 { 0 } else { 4_096 };
    let bytes = match how & 3 {
        0 => rest.to_vec(),
        1 => framed(base, Vec::new(), rest),
        _ => framed(base, frame(&header(base)), rest),
    };
    let folder = folder();
    let path = folder.path().join(format!("{base:020}.log"));
    fs::write(&path, &bytes).expect("the file is written");
    let found = open(folder.path());
    let now = fs::read(&path).unwrap_or_default();
    match found {
        Err(LogError::Damaged { file, offset, .. }) => {
            assert_eq!(file, path, "the file is named");
            assert!(offset <= bytes.len() as u64, "byte {offset} lies in the file");
            assert!(now.starts_with(&bytes), "what is damaged is left as it was");
        }
        Err(other) => panic!("{other}"),
        Ok(Read { records, refused }) => {
            if let Some(refused) = &refused {
                let LogError::Damaged { file, offset, .. } = refused else { panic!("{refused}") };
                assert!(*file == path && *offset <= now.len() as u64, "{refused}");
            }
            let kept = bytes.iter().zip(&now).take_while(|(a, b)| a == b).count();
            let synced = (0..bytes.len()).rfind(|at| is_mark(base, &bytes, *at));
            assert!(synced.is_none_or(|at| kept >= at + MARK_BYTES), "what was durable was cut");
            for record in &records {
                let data = &record.data;
                let is_there = data.is_empty() || bytes.windows(data.len()).any(|part| part == &data[..]);
                assert!(is_there, "{record:?} was never written");
            }
            match open(folder.path()) {
                Ok(again) => assert_eq!(again.records, records, "opened again, it is the same"),
                Err(error) => panic!("opened again: {error}"),
            }
        }
    }
}

/// In memory where there is such a place: the bytes are what matters here, and not the disk.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder for the log")
}

/// What was read of a log that could be opened.
struct Read {
    records: Vec<LogRecord>,
    /// Why no more was: a record whose checksum is right may hold what no record of ours does.
    refused: Option<LogError>,
}

/// Opens the log, reads all of it, and closes it.
fn open(folder: &Path) -> Result<Read, LogError> {
    let clock = Arc::new(|| Timestamp(1));
    let log = Log::open(folder, &IngestSettings::default(), clock, &[], Arc::default())?;
    let (mut reader, mut from) = (log.reader(), LogOffset::ZERO);
    let mut read = Read { records: Vec::new(), refused: None };
    loop {
        match reader.read(from, 512, 3) {
            Ok(chunk) if chunk.next == from && chunk.records.is_empty() => break,
            Ok(chunk) => {
                from = chunk.next;
                read.records.extend(chunk.records);
            }
            Err(error) => {
                read.refused = Some(error);
                break;
            }
        }
    }
    let count = log.records();
    runtime().block_on(log.close());
    assert!(read.refused.is_some() || read.records.len() as u64 == count, "what was counted is read");
    Ok(read)
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_current_thread().build().expect("a runtime"))
}

const MARK_BYTES: usize = 18;

/// Makes frames of `rest`: pieces that begin with their length. 255 marks all before as synced; 254 begins a piece that
/// gets no frame.
fn framed(base: u64, mut file: Vec<u8>, mut rest: &[u8]) -> Vec<u8> {
    while let Some((length, after)) = rest.split_first() {
        rest = after;
        match length {
            255 => {
                let here = base + file.len() as u64;
                file.extend_from_slice(&frame(&mark(here)));
            }
            254 => {
                let (length, after) = rest.split_first().unwrap_or((&0, rest));
                let (piece, after) = after.split_at(after.len().min(usize::from(*length)));
                file.extend_from_slice(piece);
                rest = after;
            }
            _ => {
                let (piece, after) = rest.split_at(rest.len().min(usize::from(*length)));
                file.extend_from_slice(&frame(piece));
                rest = after;
            }
        }
    }
    file
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_le_bytes();
    let sum = crc32c::crc32c_append(crc32c::crc32c(&length), payload).to_le_bytes();
    [&length[..], &sum, payload].concat()
}

/// The payload of a header: version, kind, base, latest arrival, and no partitions.
fn header(base: u64) -> Vec<u8> {
    [&[1, 0][..], &base.to_le_bytes(), &[0; 8], &[0; 4]].concat()
}

/// The payload of a mark: version, kind, and where it stands.
fn mark(here: u64) -> Vec<u8> {
    [&[1, 2][..], &here.to_le_bytes()].concat()
}

fn is_mark(base: u64, bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + MARK_BYTES) == Some(&frame(&mark(base + at as u64))[..])
}
