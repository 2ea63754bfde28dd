//! The log's files: each is named by the offset at which it begins, in 20 digits, so that names sort as offsets do.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::LogOffset;
use super::error::{LogError, at};
use super::frame::{Frame, Header, Parsed, parse, parse_again, write};

/// A file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The offset at which it begins.
    pub(crate) base: LogOffset,
    /// How many of its bytes are durable.
    pub(crate) bytes: u64,
}

impl Segment {
    /// The first offset after it.
    pub(crate) fn end(&self) -> LogOffset {
        LogOffset(self.base.0 + self.bytes)
    }
}

/// The file that begins at `base`.
pub(crate) fn path(folder: &Path, base: LogOffset) -> PathBuf {
    folder.join(format!("{:020}.log", base.0))
}

/// The segments in `folder`, oldest first, with the size of their files.
pub(crate) fn list(folder: &Path) -> Result<Vec<Segment>, LogError> {
    let listing = || at("list the log's folder", folder);
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder).map_err(listing())? {
        let entry = entry.map_err(listing())?;
        let name = entry.file_name();
        let base =
            name.to_str().and_then(|name| name.strip_suffix(".log")).filter(|digits| digits.len() == 20);
        if let Some(base) = base.and_then(|digits| digits.parse().ok()) {
            let bytes = entry.metadata().map_err(listing())?.len();
            segments.push(Segment { base: LogOffset(base), bytes });
        }
    }
    segments.sort_by_key(|segment| segment.base);
    Ok(segments)
}

/// Makes the segment that begins with `header`: durable, and so is its name, when this returns. Gives its size, too.
pub(crate) fn create(folder: &Path, header: Header<'_>) -> io::Result<(File, u64)> {
    let path = path(folder, header.base);
    // One that is there already is left from a try that failed: nothing was ever appended to it.
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
    let mut bytes = Vec::new();
    let base = header.base;
    write(&Frame::Header(header), &mut bytes);
    let synced = LogOffset(base.0 + bytes.len() as u64);
    file.write_all_at(&bytes, 0)?;
    file.sync_all()?;
    bytes.clear();
    write(&Frame::Synced(synced), &mut bytes);
    file.write_all_at(&bytes, synced.0 - base.0)?;
    file.sync_all()?;
    sync_folder(folder)?;
    Ok((file, synced.0 - base.0 + bytes.len() as u64))
}

/// Makes the names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// What a walk came upon.
pub(crate) enum Step<'a> {
    /// A frame, where it begins in the file, and the bytes that it was read from.
    Frame(Frame<'a>, u64, &'a Bytes),
    /// Something else, or less than a whole frame, there.
    Bad(u64),
    /// Nothing more.
    End,
}

/// Walks the frames of a file in order, holding a bounded piece of it.
#[derive(Debug)]
pub(crate) struct Walk<'f> {
    file: &'f File,
    /// Where the next frame begins.
    at: u64,
    end: u64,
    piece: Bytes,
    piece_at: u64,
    piece_bytes: usize,
}

impl<'f> Walk<'f> {
    /// Walks from byte `from` to byte `end`, reading about `piece_bytes` at once.
    pub(crate) fn new(file: &'f File, from: u64, end: u64, piece_bytes: usize) -> Self {
        Self { file, at: from, end, piece: Bytes::new(), piece_at: from, piece_bytes }
    }

    /// Where the next frame begins.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// The next frame.
    pub(crate) fn next(&mut self) -> io::Result<Step<'_>> {
        if self.at >= self.end {
            return Ok(Step::End);
        }
        let size = loop {
            let skip = (self.at - self.piece_at) as usize;
            let here = self.piece.get(skip..).unwrap_or_default();
            match parse(here) {
                Parsed::Frame(_, size) => break size,
                // More than the file has, as when a length was damaged, must not be asked for, let alone allocated.
                Parsed::Partial(size) if size as u64 <= self.end - self.at => self.read(size)?,
                Parsed::Partial(_) | Parsed::Bad => return Ok(Step::Bad(self.at)),
            }
        };
        let (start, skip) = (self.at, (self.at - self.piece_at) as usize);
        self.at += size as u64;
        Ok(match parse_again(&self.piece[skip..skip + size]) {
            Some(frame) => Step::Frame(frame, start, &self.piece),
            None => Step::Bad(start),
        })
    }

    /// Reads on from `at`, at least `size` bytes, which the file has.
    fn read(&mut self, size: usize) -> io::Result<()> {
        let bytes = size.max(self.piece_bytes).min((self.end - self.at) as usize);
        let mut piece = vec![0; bytes];
        self.file.read_exact_at(&mut piece, self.at)?;
        (self.piece, self.piece_at) = (piece.into(), self.at);
        Ok(())
    }
}
