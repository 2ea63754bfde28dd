//! What can go wrong with the log.

use std::io;
use std::path::{Path, PathBuf};

/// Why the log can't be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Another process holds the folder.
    #[error(
        "the log in {} is in use by another process: stop that one first, or choose another data folder",
        .0.display()
    )]
    InUse(PathBuf),
    /// What was durable has changed since.
    #[error(
        "the log is damaged: {} at byte {offset}: {what}. Messages that were acknowledged may lie behind it, so nothing was changed: `tidegate doctor` says what can be done",
        file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it, in bytes.
        offset: u64,
        /// What is there, or is not.
        what: String,
    },
    /// The file system refused.
    #[error("could not {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// Why records were not appended. None of them is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The disk did not take them.
    #[error("the log could not be written: {0}")]
    Disk(String),
    /// Too much waits already.
    #[error("the log is busy: its queue stayed full for {0} ms")]
    Busy(u64),
    /// A frame could not say how long it is.
    #[error("the {what} is {bytes} bytes long, and the log takes at most {limit}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The most that the log takes.
        limit: usize,
    },
    /// Tidegate is stopping.
    #[error("the log is closed, as Tidegate is stopping")]
    Closed,
}

/// Names what was being done, for `map_err`.
pub(crate) fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_path_buf();
    move |source| LogError::Io { doing, path, source }
}
