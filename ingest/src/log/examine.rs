//! Looking at a log that no process has open, for whoever wonders whether it is whole. Nothing is changed.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::error::{LogError, at};
use super::recover::{self, Torn};

/// A log that can be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// How many files it has.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
    /// How many whole records they hold.
    pub records: u64,
    /// What the next start will cut, and nobody will miss.
    pub torn: Option<Torn>,
    /// Files that an earlier repair has set aside.
    pub set_aside: Vec<PathBuf>,
}

/// Reads all of the log in `folder`.
///
/// # Errors
/// [`LogError::Damaged`] says what and where, [`LogError::InUse`] that a process has it open.
pub fn examine(folder: &Path) -> Result<Examined, LogError> {
    if !folder.exists() {
        return Ok(Examined::default());
    }
    let _held = hold(folder)?;
    let found = recover::inspect(folder)?;
    Ok(Examined {
        files: found.segments.len(),
        bytes: found.segments.iter().map(|segment| segment.bytes).sum(),
        records: found.scan.records,
        torn: found.torn.filter(|torn| torn.bytes > 0),
        set_aside: set_aside(folder)?,
    })
}

/// Keeps other processes away for as long as the file lives; none, where there never was one. Unlike a log that is opened,
/// it makes no file and needs no right to write.
pub(super) fn hold(folder: &Path) -> Result<Option<File>, LogError> {
    let path = folder.join("lock");
    let doing = "lock the log with";
    if !path.exists() {
        return Ok(None);
    }
    let file = File::open(&path).map_err(at(doing, &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(LogError::InUse(folder.to_path_buf())),
        Err(TryLockError::Error(error)) => Err(at(doing, &path)(error)),
    }
}

fn set_aside(folder: &Path) -> Result<Vec<PathBuf>, LogError> {
    let listing = || at("list the log's folder", folder);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(listing())? {
        let entry = entry.map_err(listing())?;
        if entry.file_name().to_string_lossy().starts_with(super::repair::SET_ASIDE) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
