//! Cursors, made and read here alone: opaque to clients, versioned, checksummed.
//!
//! A cursor is a kind, a tag of its stream, what it says, and a checksum, in URL-safe base64.

mod page;
mod resume;

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::StreamName;

pub use page::PageCursor;
pub use resume::{HistoryMark, Place, Places, ResumeCursor};

/// Longest cursor that is looked at, in characters.
const TEXT_MAX: usize = 64 << 10;
/// What says more than this is compressed, in bytes.
const PLAIN_MAX: usize = 512;
/// The most that a cursor says, in bytes, however well it was compressed.
const BODY_MAX: u64 = 1 << 20;

/// A text that is not a cursor for what it was given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCursor {
    /// Not something that this API ever gave out, or cut or changed since.
    #[error("the cursor is damaged: pass one exactly as it was given out")]
    Damaged,
    /// Of another version of Tidegate.
    #[error("the cursor comes from another version of Tidegate: start again without it")]
    Version,
    /// Made for another stream.
    #[error("the cursor belongs to another stream")]
    Stream,
    /// A good cursor, of another kind.
    #[error("this is a {0}, and a {1} is expected here")]
    Kind(&'static str, &'static str),
}

/// The kinds, and how each is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Page,
    Resume,
}

/// The first byte of a cursor: its kind and layout. Numbers are never used again for another.
const LAYOUTS: [(u8, Kind, bool); 3] =
    [(1, Kind::Page, false), (2, Kind::Resume, false), (3, Kind::Resume, true)];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Page => "PageCursor",
            Self::Resume => "ResumeCursor",
        }
    }

    fn layout(self, compressed: bool) -> u8 {
        let found = LAYOUTS.iter().find(|layout| (layout.1, layout.2) == (self, compressed));
        found.map_or(0, |layout| layout.0)
    }
}

/// The text of a cursor of `stream` that says `body`.
fn seal(kind: Kind, stream: &StreamName, body: &[u8]) -> String {
    // Only what grows with the number of partitions gets long.
    let compressed = (kind == Kind::Resume && body.len() > PLAIN_MAX).then(|| deflate(body)).flatten();
    let mut bytes = Vec::with_capacity(body.len() + 9);
    bytes.push(kind.layout(compressed.is_some()));
    bytes.extend_from_slice(&stream_tag(stream));
    bytes.extend_from_slice(compressed.as_deref().unwrap_or(body));
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the text of a cursor of `stream` says.
fn open(kind: Kind, stream: &StreamName, text: &str) -> Result<Vec<u8>, InvalidCursor> {
    if text.len() > TEXT_MAX {
        return Err(InvalidCursor::Damaged);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor::Damaged)?;
    let (body, sum) = bytes.split_last_chunk::<4>().ok_or(InvalidCursor::Damaged)?;
    if crc32c::crc32c(body) != u32::from_be_bytes(*sum) {
        return Err(InvalidCursor::Damaged);
    }
    let (&layout, body) = body.split_first().ok_or(InvalidCursor::Damaged)?;
    let (_, found, compressed) =
        LAYOUTS.into_iter().find(|known| known.0 == layout).ok_or(InvalidCursor::Version)?;
    if found != kind {
        return Err(InvalidCursor::Kind(found.name(), kind.name()));
    }
    let (tag, body) = body.split_first_chunk::<4>().ok_or(InvalidCursor::Damaged)?;
    if *tag != stream_tag(stream) {
        return Err(InvalidCursor::Stream);
    }
    if compressed { inflate(body).ok_or(InvalidCursor::Damaged) } else { Ok(body.to_vec()) }
}

fn stream_tag(stream: &StreamName) -> [u8; 4] {
    crc32c::crc32c(stream.as_str().as_bytes()).to_be_bytes()
}

fn deflate(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

fn inflate(body: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    DeflateDecoder::new(body).take(BODY_MAX).read_to_end(&mut plain).ok()?;
    Some(plain)
}
