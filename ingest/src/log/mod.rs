//! The embedded log: a folder of files to which all partitions of all streams are appended, in one sequence of frames, so
//! that one sync serves everybody who waits.
//!
//! - Acknowledged is durable: [`Log::append`] answers after the sync, never before.
//! - Each (stream, partition) counts its records from 1. Only a log that was lost and made anew leaves a gap.
//! - Arrival never goes back, even where the clock does: which definition of a stream decodes a record hangs on it.
//! - A write that fails is as if it had never been: the file is cut back, nothing of the group is acknowledged, and until
//!   the cut has worked nothing else is appended.
//!
//! Read on in the order of a record's life: [`partition`], `writer` (and `frame`, `segment`, `counters`), [`reader`];
//! `recover` is what happens when a folder is opened again; `examine`, `repair` and `survey` are for one that is damaged.

mod counters;
mod error;
mod examine;
mod frame;
pub mod partition;
pub mod reader;
mod recover;
mod repair;
mod segment;
mod shared;
mod survey;
#[cfg(test)]
mod tests;
mod writer;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use schema::{Clock, StreamName, Timestamp, Topic};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

pub use error::{AppendError, LogError};
pub use examine::{Examined, examine};
pub use partition::partition_of;
pub use reader::{Chunk, LogReader, LogRecord};
pub use recover::Torn;
pub use repair::{Repaired, SetAside, repair};
pub(crate) use shared::Shared;
pub use survey::Missing;
use writer::{Append, Command, Writer};

use crate::IngestSettings;
use crate::metrics::LogMetrics;
use error::at;

/// A place in the log: bytes since its beginning, those counted that were removed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogOffset(pub u64);

impl LogOffset {
    /// The beginning.
    pub const ZERO: Self = Self(0);
}

/// What is to be appended. It was checked and routed: the log takes it as it is.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// The stream.
    pub stream: StreamName,
    /// The partition key.
    pub key: Arc<str>,
    /// The topic that its sender was entitled to name.
    pub topic: Option<Topic>,
    /// The producer's bytes.
    pub data: Bytes,
}

/// Where an entry was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Which of the stream's partitions.
    pub partition: u32,
    /// Counts the partition's records, from 1.
    pub sequence: u64,
    /// When the log took it.
    pub arrived_at: Timestamp,
}

/// A partition whose sequences must go on behind what a store has of it: stream, partition, last sequence there.
pub type Known = (StreamName, u32, u64);

/// The embedded log. Clones share it.
#[derive(Clone)]
pub struct Log {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Command>,
    /// Bytes that may still wait.
    room: Arc<Semaphore>,
    queue_bytes: usize,
    queue_wait_ms: u64,
    partitions: u32,
    clock: Clock,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Log {
    /// Opens the log in `folder`, makes it where there is none, and starts its writer. It blocks on the disk, and
    /// reads all that is there.
    ///
    /// # Errors
    /// [`LogError`] if another process has it, if it is damaged, or if the file system refuses.
    pub fn open(
        folder: &Path,
        settings: &IngestSettings,
        clock: Clock,
        known: &[Known],
        metrics: Arc<LogMetrics>,
    ) -> Result<Self, LogError> {
        fs::create_dir_all(folder).map_err(at("make the log's folder", folder))?;
        let lock = lock(folder)?;
        let found = recover::recover(folder)?;
        if let Some(Torn { file, offset, bytes }) = &found.torn {
            let file = file.display();
            tracing::warn!(%file, offset_bytes = offset, size_bytes = bytes, "cut the log's torn tail: a write that a crash cut short, and that was never acknowledged");
        }
        let mut counters = found.counters;
        for (stream, partition, last) in known {
            if counters.next(stream, *partition) <= *last {
                tracing::warn!(%stream, partition, sequence = last, "the log ends before what the store has of it: its sequences go on behind that");
                counters.raise(stream, *partition, last + 1);
            }
        }
        let (base, end) = found.segments.last().map_or((LogOffset::ZERO, 0), |last| (last.base, last.bytes));
        let shared = Shared::new(folder, lock, found.segments, found.last_arrival, found.records, metrics);
        let shared = Arc::new(shared);
        let (queue, commands) = mpsc::channel(settings.queue_calls);
        let writer = Writer {
            folder: folder.to_path_buf(),
            segment_bytes: settings.segment_bytes,
            group_bytes: settings.group_bytes,
            file: found.file,
            base,
            end,
            must_cut: false,
            counters,
            clock: clock.clone(),
            shared: shared.clone(),
            failing: false,
        };
        let thread = std::thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || writer.run(commands))
            .map_err(at("start the writer of", folder))?;
        Ok(Self {
            shared,
            queue,
            room: Arc::new(Semaphore::new(settings.queue_bytes)),
            queue_bytes: settings.queue_bytes,
            queue_wait_ms: settings.queue_wait_ms,
            partitions: settings.partitions_per_stream,
            clock,
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Appends `entries` as one group, each to the partition of its key, and answers in their order once all are
    /// durable. Dropping the future takes nothing back that is under way.
    ///
    /// # Errors
    /// [`AppendError`]: nothing of them is kept.
    pub async fn append(&self, entries: Vec<LogEntry>) -> Result<Vec<Placed>, AppendError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        for LogEntry { key, data, .. } in &entries {
            for (what, bytes, limit) in
                [("key", key.len(), frame::TEXT_BYTES_MAX), ("message", data.len(), frame::DATA_BYTES_MAX)]
            {
                if bytes > limit {
                    return Err(AppendError::TooLong { what, bytes, limit });
                }
            }
        }
        /// What an entry costs beside its texts, about.
        const ENTRY_BYTES: usize = 128;
        let size = |entry: &LogEntry| ENTRY_BYTES + entry.key.len() + entry.data.len();
        let bytes: usize = entries.iter().map(size).sum();
        // A call larger than the whole queue waits until it has the queue for itself.
        let share = bytes.min(self.queue_bytes) as u32;
        let wait = Duration::from_millis(self.queue_wait_ms);
        let enter = async {
            let room = self.room.clone().acquire_many_owned(share).await.map_err(|_| AppendError::Closed)?;
            let permit = self.queue.reserve().await.map_err(|_| AppendError::Closed)?;
            Ok::<_, AppendError>((room, permit))
        };
        let entered = tokio::time::timeout(wait, enter).await;
        let (room, permit) = entered.map_err(|_| AppendError::Busy(self.queue_wait_ms))??;
        let place = |entry: LogEntry| {
            let partition = partition_of(&entry.key, self.partitions);
            (entry, partition)
        };
        let (answer, answered) = oneshot::channel();
        let entries = entries.into_iter().map(place).collect();
        permit.send(Command::Append(Append { entries, bytes, answer, _room: room }));
        answered.await.map_err(|_| AppendError::Closed)?
    }

    /// A reader of this log.
    pub fn reader(&self) -> LogReader {
        LogReader::new(self.shared.clone())
    }

    /// Up to where the log is durable, and a way to wait for more.
    pub fn durable(&self) -> watch::Receiver<LogOffset> {
        self.shared.durable.subscribe()
    }

    /// Where the oldest record that is kept may stand.
    pub fn first_offset(&self) -> LogOffset {
        self.shared.first_offset()
    }

    /// How many records were read when the log was opened, and appended since.
    pub fn records(&self) -> u64 {
        self.shared.records.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Size of the log's files, in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.shared.size_bytes()
    }

    /// Why nothing can be written now, if so.
    pub fn failure(&self) -> Option<String> {
        self.shared.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the writer see whether it can write again, if it could not. [`Log::failure`] tells.
    pub async fn probe(&self) {
        // An error means that the writer has ended.
        let _ = self.queue.send(Command::Probe).await;
    }

    /// A moment that no record has arrived after yet, and no coming one will arrive before.
    pub fn now(&self) -> Timestamp {
        self.shared.turn(&self.clock)
    }

    /// Removes the files that hold nothing at or after `before`. The file being written stays.
    ///
    /// # Errors
    /// [`LogError::Io`]; it may be tried again.
    pub fn trim(&self, before: LogOffset) -> Result<(), LogError> {
        self.shared.trim(before)
    }

    /// Takes no more, and waits until what was taken is written and the folder is free for another process.
    pub async fn close(&self) {
        // An error means that the writer has ended already.
        let _ = self.queue.send(Command::Close).await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        self.shared.unlock();
    }
}

/// Takes the folder for this process. The lock goes with the process, however that ends.
fn lock(folder: &Path) -> Result<File, LogError> {
    let path = folder.join("lock");
    let doing = "lock the log with";
    let options = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = options.map_err(at(doing, &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::InUse(folder.to_path_buf())),
        Err(TryLockError::Error(error)) => Err(at(doing, &path)(error)),
    }
}
