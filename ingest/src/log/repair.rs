//! Setting damage aside: what can't be read any more becomes a gap, what can is kept, and the damaged files stay beside
//! it under another name.
//!
//! A repaired file is as long as it was, and every frame that is kept lies where it did: so the files before and after
//! need not change. Readers of the journal are told of what is missing by the jump in its partition's sequences.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::{LogError, at};
use super::frame::{Frame, GAP_BYTES_MIN, Header, write, write_gap};
use super::recover::{damaged, inspect};
use super::segment::{self, Segment};
use super::survey::{Bytes, Partition, Survey, Verdict};
use super::{Known, LogOffset, Missing};

/// How the names of files begin that were set aside.
pub(super) const SET_ASIDE: &str = "damaged-";
/// The longest single frame of a gap, as frames are read whole.
const GAP_BYTES_MAX: usize = 1 << 20;

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// The files that were damaged; empty: none was.
    pub files: Vec<SetAside>,
    /// What is lost.
    pub missing: Vec<Missing>,
    /// Further records that the log has lost, and the store has.
    pub stored: u64,
    /// How many records were kept.
    pub records: u64,
}

/// A file that was damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where it was, and where the repaired one is now.
    pub file: PathBuf,
    /// Where it is now, unchanged.
    pub kept_as: PathBuf,
    /// What could not be read, in bytes from its start: from, to.
    pub gaps: Vec<(u64, u64)>,
}

/// Sets aside what is damaged of the log in `folder`. `known` names every partition that may have a record, with the last
/// sequence that the store has of it.
///
/// # Errors
/// [`LogError::InUse`] while a process has the log open, [`LogError::Io`] if files can't be written; it may be run again.
pub fn repair(folder: &Path, known: &[Known]) -> Result<Repaired, LogError> {
    let _held = super::lock(folder)?;
    if inspect(folder).is_ok() {
        return Ok(Repaired::default());
    }
    let segments = segment::list(folder)?;
    let stored = |partition: &Partition| {
        let mine = known.iter().filter(|(stream, index, _)| (stream, index) == (&partition.0, &partition.1));
        mine.map(|(.., last)| *last).max().unwrap_or(0)
    };
    let mut survey = Survey::default();
    let mut repairs = Vec::new();
    let mut successor = None;
    for (index, segment) in segments.iter().enumerate() {
        let path = segment::path(folder, segment.base);
        let bytes = fs::read(&path).map_err(at("read the log's file", &path))?;
        let next = segments.get(index + 1);
        let wanted = next.map(|next| (next.base.0 - segment.base.0) as usize);
        // What a header stands for that can't be read: where partitions stood before its file.
        let counts: Vec<_> =
            survey.counts().map(|(name, index, next)| (name.to_owned(), index, next)).collect();
        let header = Header {
            base: segment.base,
            last_arrival: survey.last_arrival,
            next: counts.iter().map(|(name, index, next)| (name.as_str(), *index, *next)).collect(),
        };
        let piece = Bytes { bytes: &bytes, base: segment.base, wanted, is_first: index == 0 };
        let mut mended = bytes.clone();
        let verdict = survey.segment(piece, &stored);
        if verdict.holes.is_empty() && verdict.end == bytes.len() {
            continue;
        }
        fill(&mut mended, &verdict, header).ok_or_else(|| {
            damaged(
                path.clone(),
                0,
                "the damage there is too small to be set aside, which no fault of a disk is",
            )
        })?;
        if next.is_none() {
            successor = Some(LogOffset(segment.base.0 + verdict.end as u64));
        }
        repairs.push((segment.clone(), mended, verdict));
    }
    if let Some(base) = successor {
        survey.close(known.iter().map(|(stream, index, _)| (stream.clone(), *index)), &stored);
        // Before anything else, as it is what keeps sequences from being given again, should this be cut short.
        let header = Header { base, last_arrival: survey.last_arrival, next: survey.counts().collect() };
        segment::create(folder, header).map_err(at("make a file of the log in", folder))?;
    }
    let mut files = Vec::new();
    for (segment, mended, verdict) in repairs {
        let gaps = verdict.holes.iter().map(|hole| (hole.start as u64, hole.end as u64)).collect();
        let (file, kept_as) = replace(folder, &segment, &mended)?;
        files.push(SetAside { file, kept_as, gaps });
    }
    inspect(folder)?;
    survey.missing.sort();
    Ok(Repaired { files, missing: survey.missing, stored: survey.stored, records: survey.records })
}

/// Puts gaps where `verdict` has holes, and a header where that is in one.
fn fill(bytes: &mut Vec<u8>, verdict: &Verdict, mut header: Header<'_>) -> Option<()> {
    bytes.resize(verdict.end, 0);
    for hole in &verdict.holes {
        let mut place = &mut bytes[hole.clone()];
        if hole.start == 0 {
            let mut frame = Vec::new();
            write(&Frame::Header(Header { next: std::mem::take(&mut header.next), ..header }), &mut frame);
            let (front, rest) = place.split_at_mut_checked(frame.len())?;
            front.copy_from_slice(&frame);
            place = rest;
        }
        while !place.is_empty() {
            let size = if place.len() < GAP_BYTES_MAX + GAP_BYTES_MIN { place.len() } else { GAP_BYTES_MAX };
            let (gap, rest) = place.split_at_mut(size);
            if gap.len() < GAP_BYTES_MIN {
                return None;
            }
            write_gap(gap);
            place = rest;
        }
    }
    Some(())
}

/// Gives a segment other bytes, and keeps the file as it was; there is no moment without either.
fn replace(folder: &Path, segment: &Segment, bytes: &[u8]) -> Result<(PathBuf, PathBuf), LogError> {
    let path = segment::path(folder, segment.base);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kept_as = (0u32..)
        .map(|n| if n == 0 { format!("{SET_ASIDE}{name}") } else { format!("{SET_ASIDE}{n}-{name}") })
        .map(|name| folder.join(name))
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.join(SET_ASIDE));
    let new = folder.join("repaired.tmp");
    let written = fs::File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(at("write the repaired file", &new))?;
    fs::hard_link(&path, &kept_as).map_err(at("keep the damaged file as", &kept_as))?;
    segment::sync_folder(folder).map_err(at("sync the log's folder", folder))?;
    fs::rename(&new, &path).map_err(at("put the repaired file in the place of", &path))?;
    segment::sync_folder(folder).map_err(at("sync the log's folder", folder))?;
    Ok((path, kept_as))
}

#[cfg(test)]
mod tests;
