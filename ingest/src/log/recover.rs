//! What a log's folder holds when it is opened: every retained frame is read once.
//!
//! A crash can leave a *torn tail*: the last group, written but never synced, in any state whatever, as a disk may keep
//! a later page and lose an earlier one. It was never acknowledged, so it is cut. Anything else that is not a frame is
//! *damage*: acknowledged messages may lie there, so nothing is touched. The two are told apart by the `synced` frames,
//! which are written after a sync and before its answers: what has one behind it was durable.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use schema::{StreamName, Topic};

use super::LogOffset;
use super::counters::Counters;
use super::error::{LogError, at};
use super::frame::{Frame, Header, Parsed, parse, write};
use super::segment::{self, Segment, Step, Walk};

/// How much of a file is read at once, in bytes.
const PIECE_BYTES: usize = 1 << 20;

/// A log as it was found.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// All segments, oldest first; the last is the one written on.
    pub(crate) segments: Vec<Segment>,
    /// The last segment's file.
    pub(crate) file: File,
    pub(crate) counters: Counters,
    /// Latest arrival, in microseconds since 1970.
    pub(crate) last_arrival: i64,
    /// How many records were found.
    pub(crate) records: u64,
    /// What was cut, if the tail was torn.
    pub(crate) torn: Option<Torn>,
}

/// A torn tail that was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The file.
    pub file: PathBuf,
    /// Where in it the cut was made, in bytes.
    pub offset: u64,
    /// How much was cut, in bytes.
    pub bytes: u64,
}

/// A log as it lies there, untouched.
#[derive(Debug)]
pub(super) struct Inspected {
    /// All segments, oldest first, with the size of their files.
    pub(super) segments: Vec<Segment>,
    pub(super) scan: Scan,
    /// Where the last segment is to be cut.
    pub(super) torn: Option<Torn>,
}

/// Reads the log in `folder` and changes nothing.
pub(super) fn inspect(folder: &Path) -> Result<Inspected, LogError> {
    let segments = segment::list(folder)?;
    let mut scan = Scan::default();
    let mut torn = None;
    for (index, segment) in segments.iter().enumerate() {
        let is_last = index + 1 == segments.len();
        let path = segment::path(folder, segment.base);
        if index > 0 && segments[index - 1].end() != segment.base {
            let end = segments[index - 1].end().0;
            return Err(damaged(
                path,
                0,
                format!("the file before it ends at {end}, so one is missing or cut"),
            ));
        }
        let file = File::open(&path).map_err(at("open the log's file", &path))?;
        match scan.segment(&file, segment).map_err(at("read the log's file", &path))? {
            Ok(()) => {}
            // Only a file that was just being made has no header, and the one before it still is there.
            Err(Wrong { at: 0, what, .. }) if index == 0 && segment.base != LogOffset::ZERO => {
                return Err(damaged(path, 0, what));
            }
            Err(Wrong { at, what, tearable })
                if !is_last || !tearable || is_synced_after(&file, segment, at, &path)? =>
            {
                return Err(damaged(path, at, what));
            }
            Err(Wrong { at: offset, .. }) => {
                torn = Some(Torn { bytes: segment.bytes - offset, file: path, offset });
            }
        }
    }
    Ok(Inspected { segments, scan, torn })
}

/// Reads the log in `folder`, cuts a torn tail, and makes an empty log where there is none.
pub(crate) fn recover(folder: &Path) -> Result<Recovered, LogError> {
    let Inspected { segments: mut found, scan, torn } = inspect(folder)?;
    let mut last = None;
    if let Some(segment) = found.last_mut() {
        let path = segment::path(folder, segment.base);
        let options = OpenOptions::new().read(true).write(true).open(&path);
        let file = options.map_err(at("open the log's file", &path))?;
        if let Some(torn) = &torn {
            file.set_len(torn.offset)
                .and_then(|()| file.sync_all())
                .map_err(at("cut the torn tail of", &path))?;
            segment.bytes = torn.offset;
        }
        last = Some((file, path));
    }
    // A segment whose very header is torn was just being made: nothing was ever appended to it.
    if found.last().is_some_and(|segment| segment.bytes == 0) {
        found.pop();
        last = None;
    }
    let (file, segments) = match last {
        Some((file, path)) => {
            settle(&file, &mut found).map_err(at("sync the log's file", &path))?;
            (file, found)
        }
        None => begin(folder, found, &scan)?,
    };
    segment::sync_folder(folder).map_err(at("sync the log's folder", folder))?;
    let Scan { counters, last_arrival, records, .. } = scan;
    let torn = torn.filter(|torn| torn.bytes > 0);
    Ok(Recovered { segments, file, counters, last_arrival, records, torn })
}

/// Syncs what was found, as it may be in memory only: readers must see nothing that a power cut can still take back.
fn settle(file: &File, segments: &mut [Segment]) -> std::io::Result<()> {
    file.sync_all()?;
    if let Some(last) = segments.last_mut() {
        let mut mark = Vec::new();
        write(&Frame::Synced(last.end()), &mut mark);
        std::os::unix::fs::FileExt::write_all_at(file, &mark, last.bytes)?;
        last.bytes += mark.len() as u64;
    }
    Ok(())
}

/// Makes the segment that follows `before`.
fn begin(folder: &Path, mut before: Vec<Segment>, scan: &Scan) -> Result<(File, Vec<Segment>), LogError> {
    let base = before.last().map_or(LogOffset::ZERO, Segment::end);
    let path = segment::path(folder, base);
    let (file, bytes) =
        segment::create(folder, scan.header(base)).map_err(at("make the log's file", &path))?;
    before.push(Segment { base, bytes });
    Ok((file, before))
}

pub(super) fn damaged(file: PathBuf, offset: u64, what: impl Into<String>) -> LogError {
    LogError::Damaged { file, offset, what: what.into() }
}

/// Where a file stops being a log's, and why.
struct Wrong {
    /// In bytes from its start.
    at: u64,
    what: &'static str,
    /// Whether a crash can leave it so.
    tearable: bool,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Scan {
    counters: Counters,
    last_arrival: i64,
    pub(super) records: u64,
    /// Names that were read, so that each is kept once.
    names: BTreeMap<String, StreamName>,
}

impl Scan {
    /// Reads a segment; gives where its frames end before its bytes do, and what is wrong there.
    fn segment(&mut self, file: &File, segment: &Segment) -> std::io::Result<Result<(), Wrong>> {
        let mut walk = Walk::new(file, 0, segment.bytes, PIECE_BYTES);
        let mut first = true;
        loop {
            let here = walk.at();
            let wrong = match walk.next()? {
                Step::End if first => Some(("the file is empty", true)),
                Step::End => return Ok(Ok(())),
                Step::Bad(_) => Some(("the bytes there are no frame", true)),
                Step::Frame(Frame::Header(header), _, _) if first => {
                    self.take_header(&header, segment.base).map(|what| (what, false))
                }
                Step::Frame(Frame::Record(record), _, _) if !first => {
                    self.take_record(&record).map(|what| (what, false))
                }
                Step::Frame(Frame::Synced(offset), at, _) if !first && offset.0 == segment.base.0 + at => {
                    None
                }
                Step::Frame(Frame::Gap, ..) if !first => None,
                Step::Frame(..) => Some(("the frame there does not belong there", false)),
            };
            if let Some((what, tearable)) = wrong {
                return Ok(Err(Wrong { at: here, what, tearable }));
            }
            first = false;
        }
    }

    fn take_header(&mut self, header: &Header<'_>, base: LogOffset) -> Option<&'static str> {
        if header.base != base {
            return Some("the file's header is another file's");
        }
        self.last_arrival = self.last_arrival.max(header.last_arrival);
        for (stream, partition, next) in &header.next {
            let Some(stream) = self.name(stream) else { return Some("the file's header names no stream") };
            self.counters.raise(&stream, *partition, *next);
        }
        None
    }

    fn take_record(&mut self, record: &super::frame::Record<'_>) -> Option<&'static str> {
        let Some(stream) = self.name(record.stream) else { return Some("the record there names no stream") };
        if record.topic.is_some_and(|topic| Topic::new(topic).is_err()) {
            return Some("the record there names a topic that is none");
        }
        if record.sequence < self.counters.next(&stream, record.partition) {
            return Some("the sequence there was given before");
        }
        let Some(next) = record.sequence.checked_add(1) else {
            return Some("the sequence there has none after it");
        };
        self.counters.raise(&stream, record.partition, next);
        self.last_arrival = self.last_arrival.max(record.arrival);
        self.records += 1;
        None
    }

    fn name(&mut self, stream: &str) -> Option<StreamName> {
        if let Some(name) = self.names.get(stream) {
            return Some(name.clone());
        }
        let name = StreamName::new(stream).ok()?;
        self.names.insert(stream.to_owned(), name.clone());
        Some(name)
    }

    fn header(&self, base: LogOffset) -> Header<'_> {
        let next = self.counters.all().map(|(stream, partition, next)| (stream.as_str(), partition, next));
        Header { base, last_arrival: self.last_arrival, next: next.collect() }
    }
}

/// Whether a `synced` frame follows `offset`: then what is wrong there was durable once.
///
/// Frames can't be found by their lengths beyond something that is none, so each byte is tried. A producer's bytes
/// can't pretend to be such a frame without knowing at which offset they will lie.
fn is_synced_after(file: &File, segment: &Segment, offset: u64, path: &Path) -> Result<bool, LogError> {
    const MARK_BYTES: usize = 18;
    let mut piece = vec![0; PIECE_BYTES];
    let mut from = offset;
    while from < segment.bytes {
        let wanted = PIECE_BYTES.min((segment.bytes - from) as usize);
        std::os::unix::fs::FileExt::read_exact_at(file, &mut piece[..wanted], from)
            .map_err(at("read the log's file", path))?;
        for start in 0..wanted {
            let bytes = &piece[start..wanted.min(start + MARK_BYTES)];
            if let Parsed::Frame(Frame::Synced(claimed), _) = parse(bytes)
                && claimed.0 == segment.base.0 + from + start as u64
            {
                return Ok(true);
            }
        }
        if wanted < PIECE_BYTES {
            break;
        }
        // A frame may lie across two pieces.
        from += (wanted - MARK_BYTES) as u64;
    }
    Ok(false)
}
