//! Reading the log: durable records, in the order in which they were written.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use schema::{StreamName, Timestamp, Topic};

use super::error::{LogError, at};
use super::frame::{Frame, Record};
use super::segment::{self, Segment, Step, Walk};
use super::{LogOffset, Shared};

/// A record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Its stream.
    pub stream: StreamName,
    /// Which of the stream's partitions.
    pub partition: u32,
    /// Counts the partition's records, from 1.
    pub sequence: u64,
    /// When the log took it.
    pub arrived_at: Timestamp,
    /// The partition key.
    pub key: Arc<str>,
    /// The topic that its sender named, or its sender's own where the stream's topic is the caller.
    pub topic: Option<Topic>,
    /// The producer's bytes.
    pub data: Bytes,
}

/// Some records, and where the next ones are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The records, in the order of the log.
    pub records: Vec<LogRecord>,
    /// Where to read on.
    pub next: LogOffset,
}

/// Reads the log from any place of it. It holds one open file.
#[derive(Debug)]
pub struct LogReader {
    shared: Arc<Shared>,
    open: Option<(LogOffset, File)>,
    /// Names that were read, so that each is kept once.
    names: HashMap<String, StreamName>,
}

impl LogReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, open: None, names: HashMap::new() }
    }

    /// Reads durable records from `from` on: at most `records_max`, and none after the one with which `bytes_max` bytes
    /// are reached. Where older ones were trimmed, it begins with the oldest that is there. It blocks on the disk.
    ///
    /// # Errors
    /// [`LogError::Damaged`] for bytes that changed since they were written, [`LogError::Io`] if they can't be read.
    pub fn read(&mut self, from: LogOffset, bytes_max: usize, records_max: usize) -> Result<Chunk, LogError> {
        let mut chunk = Chunk { records: Vec::new(), next: from };
        let mut left = bytes_max as u64;
        while left > 0 && chunk.records.len() < records_max {
            let Some(segment) = self.shared.segment_at(chunk.next) else { break };
            let start = chunk.next.max(segment.base);
            chunk.next = self.read_segment(&segment, start, left, records_max, &mut chunk.records)?;
            left = left.saturating_sub(chunk.next.0 - start.0);
        }
        Ok(chunk)
    }

    /// Reads on in one segment; gives where to read on.
    fn read_segment(
        &mut self,
        segment: &Segment,
        start: LogOffset,
        bytes_max: u64,
        records_max: usize,
        records: &mut Vec<LogRecord>,
    ) -> Result<LogOffset, LogError> {
        let path = segment::path(&self.shared.folder, segment.base);
        let file = match self.open.take() {
            Some((base, file)) if base == segment.base => file,
            _ => File::open(&path).map_err(at("open the log's file", &path))?,
        };
        let first = start.0 - segment.base.0;
        let mut walk = Walk::new(&file, first, segment.bytes, bytes_max as usize);
        while walk.at() - first < bytes_max && records.len() < records_max {
            match walk.next().map_err(at("read the log's file", &path))? {
                Step::End => break,
                Step::Frame(Frame::Record(record), _, piece) => {
                    let (stream, offset) = (record.stream, record.sequence);
                    let damaged = || LogError::Damaged {
                        file: path.clone(),
                        offset: first,
                        what: format!("record {offset} of {stream:?} has a name that is none"),
                    };
                    records.push(keep(&mut self.names, &record, piece).ok_or_else(damaged)?);
                }
                Step::Frame(..) => {}
                Step::Bad(offset) => {
                    let what = "the bytes there are no frame".to_owned();
                    return Err(LogError::Damaged { file: path, offset, what });
                }
            }
        }
        let next = LogOffset(segment.base.0 + walk.at());
        self.open = Some((segment.base, file));
        Ok(next)
    }
}

/// A record of its own, whose data still lie in `piece`.
fn keep(names: &mut HashMap<String, StreamName>, record: &Record<'_>, piece: &Bytes) -> Option<LogRecord> {
    let stream = match names.get(record.stream) {
        Some(name) => name.clone(),
        None => {
            let name = StreamName::new(record.stream).ok()?;
            names.insert(record.stream.to_owned(), name.clone());
            name
        }
    };
    Some(LogRecord {
        stream,
        partition: record.partition,
        sequence: record.sequence,
        arrived_at: Timestamp(record.arrival),
        key: record.key.into(),
        topic: record.topic.map(Topic::new).transpose().ok()?,
        data: piece.slice_ref(record.data),
    })
}
