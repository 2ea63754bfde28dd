//! The log's one writer: it takes all that waits, writes it once, syncs it once, and then answers everybody.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use schema::{Clock, Timestamp};
use tokio::sync::{mpsc, oneshot};

use super::counters::Counters;
use super::error::AppendError;
use super::frame::{Frame, Header, Record, write};
use super::segment::{self, Segment};
use super::{LogEntry, LogOffset, Placed, Shared};

/// More than a file system finds room for in a block that is allocated already.
const PROBE_BYTES: usize = 64 << 10;

/// What the writer is told.
#[derive(Debug)]
pub(crate) enum Command {
    Append(Append),
    /// While writes fail: see whether one works again.
    Probe,
    /// Take no more, write what waits, and end.
    Close,
}

/// One call's records, each with its partition.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) entries: Vec<(LogEntry, u32)>,
    /// What they weigh in the queue, in bytes.
    pub(crate) bytes: usize,
    pub(crate) answer: oneshot::Sender<Result<Vec<Placed>, AppendError>>,
    /// Its share of the queue, given back once it is answered.
    pub(crate) _room: tokio::sync::OwnedSemaphorePermit,
}

/// The writer's own.
pub(crate) struct Writer {
    pub(crate) folder: PathBuf,
    pub(crate) segment_bytes: u64,
    pub(crate) group_bytes: usize,
    pub(crate) file: File,
    /// Where the file being written begins.
    pub(crate) base: LogOffset,
    /// Where in it the next frame goes. What lies behind is not the log's.
    pub(crate) end: u64,
    /// Whether something may lie behind: a write that failed half-way.
    pub(crate) must_cut: bool,
    pub(crate) counters: Counters,
    pub(crate) clock: Clock,
    pub(crate) shared: Arc<Shared>,
    /// Whether the last group failed, so that a change is logged once.
    pub(crate) failing: bool,
}

impl Writer {
    /// Runs until the queue is closed and empty.
    pub(crate) fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let (mut group, mut frames) = (Vec::new(), Vec::new());
        while let Some(command) = queue.blocking_recv() {
            let mut next = Some(command);
            let mut bytes = 0;
            while let Some(command) = next.take() {
                match command {
                    Command::Append(append) => {
                        bytes += append.bytes;
                        group.push(append);
                    }
                    Command::Probe => self.probe(),
                    Command::Close => queue.close(),
                }
                if bytes < self.group_bytes {
                    next = queue.try_recv().ok();
                }
            }
            self.write_group(&mut group, &mut frames);
            frames.clear();
            frames.shrink_to(2 * self.group_bytes);
        }
    }

    fn write_group(&mut self, group: &mut Vec<Append>, frames: &mut Vec<u8>) {
        if group.is_empty() {
            return;
        }
        let outcome = self.append(group, frames);
        self.note(&outcome);
        match outcome {
            Ok(placed) => {
                let records = placed.iter().map(|placed| placed.len() as u64).sum();
                self.shared.publish(self.base, self.end, records);
                for (append, placed) in group.drain(..).zip(placed) {
                    // Whoever hung up gets no answer; the message is kept all the same.
                    let _ = append.answer.send(Ok(placed));
                }
            }
            Err(error) => {
                let refusal = AppendError::Disk(error.to_string());
                for append in group.drain(..) {
                    let _ = append.answer.send(Err(refusal.clone()));
                }
            }
        }
    }

    fn append(&mut self, group: &[Append], frames: &mut Vec<u8>) -> io::Result<Vec<Vec<Placed>>> {
        self.cut()?;
        // Before the group takes its sequences, as the new file's header says which come next.
        if self.end >= self.segment_bytes {
            self.roll()?;
        }
        let arrival = self.shared.next_arrival(&self.clock);
        let placed = group.iter().map(|append| self.place(&append.entries, arrival, frames)).collect();
        let written = self.make_durable(frames);
        if written.is_err() {
            let entries = group.iter().flat_map(|append| &append.entries);
            entries.for_each(|(entry, partition)| self.counters.untake(&entry.stream, *partition));
        }
        written.map(|()| placed)
    }

    /// Gives each entry its sequence, and appends its frame to `frames`.
    fn place(
        &mut self,
        entries: &[(LogEntry, u32)],
        arrival: Timestamp,
        frames: &mut Vec<u8>,
    ) -> Vec<Placed> {
        let place = |(entry, partition): &(LogEntry, u32)| {
            let sequence = self.counters.take(&entry.stream, *partition);
            let record = Record {
                stream: entry.stream.as_str(),
                partition: *partition,
                sequence,
                arrival: arrival.0,
                key: &entry.key,
                topic: entry.topic.as_ref().map(schema::Topic::as_str),
                data: &entry.data,
            };
            write(&Frame::Record(record), frames);
            Placed { partition: *partition, sequence, arrived_at: arrival }
        };
        entries.iter().map(place).collect()
    }

    /// When this returns without an error, `frames` are on the disk; with one, nothing of them counts.
    fn make_durable(&mut self, frames: &[u8]) -> io::Result<()> {
        self.must_cut = true;
        let written = self.file.write_all_at(frames, self.end).and_then(|()| self.sync());
        if let Err(error) = written {
            // Perhaps it works only later: until then the next groups are refused, as frames of this one may lie there.
            let _ = self.cut();
            return Err(error);
        }
        self.end += frames.len() as u64;
        let mut mark = Vec::new();
        write(&Frame::Synced(LogOffset(self.base.0 + self.end)), &mut mark);
        // Not synced by itself: it goes with the next group. That it can't be written takes nothing from this one.
        if self.file.write_all_at(&mark, self.end).is_ok() {
            self.end += mark.len() as u64;
            self.must_cut = false;
        }
        Ok(())
    }

    /// Writes something that does not count and takes it away again, if the last write failed: so a log that nobody
    /// dares to write to any more is found to be well again.
    fn probe(&mut self) {
        if self.failing {
            self.must_cut = true;
            let written = self.file.write_all_at(&[0; PROBE_BYTES], self.end).and_then(|()| self.sync());
            let outcome = written.and_then(|()| self.cut());
            self.note(&outcome);
        }
    }

    fn sync(&self) -> io::Result<()> {
        let started = Instant::now();
        self.file.sync_data()?;
        self.shared.metrics.synced(started.elapsed());
        Ok(())
    }

    /// Cuts what a failed write may have left behind the last frame that counts.
    fn cut(&mut self) -> io::Result<()> {
        if self.must_cut {
            self.file.set_len(self.end)?;
            self.file.sync_all()?;
            self.must_cut = false;
        }
        Ok(())
    }

    /// Goes on in a new file. All of the old one is durable: the last group was synced, and its mark is synced here.
    fn roll(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        let base = LogOffset(self.base.0 + self.end);
        let next: Vec<_> =
            self.counters.all().map(|(stream, partition, next)| (stream.as_str(), partition, next)).collect();
        let last_arrival = self.shared.last_arrival.load(Ordering::Acquire);
        let (file, bytes) = segment::create(&self.folder, Header { base, last_arrival, next })?;
        self.shared.begin(Segment { base, bytes });
        (self.file, self.base, self.end) = (file, base, bytes);
        Ok(())
    }

    fn note<T>(&mut self, outcome: &io::Result<T>) {
        match outcome {
            Err(error) if !self.failing => {
                let folder = self.folder.display();
                tracing::error!(%folder, %error, "the log can't be written: messages are refused until it can");
            }
            Ok(_) if self.failing => tracing::info!("the log can be written again"),
            _ => {}
        }
        self.failing = outcome.is_err();
        self.shared.set_failing(outcome.as_ref().err().map(ToString::to_string));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{recover, segment};
    use schema::StreamName;

    fn entry() -> LogEntry {
        LogEntry { stream: StreamName::new("s").unwrap(), key: "k".into(), topic: None, data: "1".into() }
    }

    fn write(writer: &mut Writer) -> Result<u64, AppendError> {
        let (answer, mut answered) = oneshot::channel();
        let room = Arc::new(tokio::sync::Semaphore::new(1)).try_acquire_owned().unwrap();
        let mut group = vec![Append { entries: vec![(entry(), 0)], bytes: 1, answer, _room: room }];
        writer.write_group(&mut group, &mut Vec::new());
        answered.try_recv().unwrap().map(|placed| placed[0].sequence)
    }

    #[test]
    fn what_a_full_disk_refused_is_as_if_it_had_never_been() {
        let folder = tempfile::tempdir().unwrap();
        let found = recover::recover(folder.path()).unwrap();
        let lock = File::create(folder.path().join("lock")).unwrap();
        let last = found.segments.last().unwrap().clone();
        let mut writer = Writer {
            folder: folder.path().to_path_buf(),
            segment_bytes: 1 << 20,
            group_bytes: 1 << 20,
            file: found.file,
            base: last.base,
            end: last.bytes,
            must_cut: false,
            counters: found.counters,
            clock: Arc::new(|| Timestamp(7)),
            shared: Arc::new(Shared::new(folder.path(), lock, found.segments, 0, 0, Arc::default())),
            failing: false,
        };
        assert_eq!(write(&mut writer), Ok(1));
        let durable = *writer.shared.durable.borrow();

        // Neither can be written nor cut: until that works, nothing is taken.
        let full = File::options().write(true).open("/dev/full").unwrap();
        let file = std::mem::replace(&mut writer.file, full);
        for _ in 0..2 {
            assert!(matches!(write(&mut writer), Err(AppendError::Disk(_))));
            assert!(writer.must_cut);
        }
        writer.probe();
        assert!(writer.failing);
        // What a write leaves that was cut short: longer than what is written next.
        file.write_all_at(&[1; 4_096], writer.end).unwrap();
        writer.file = file;
        assert_eq!(*writer.shared.durable.borrow(), durable);
        writer.probe();
        assert!(!writer.failing);
        assert_eq!(write(&mut writer), Ok(2));
        assert_eq!(*writer.shared.failing.lock().unwrap(), None);
        let path = segment::path(folder.path(), last.base);
        assert_eq!(std::fs::metadata(path).unwrap().len(), writer.end);
        assert_eq!(recover::recover(folder.path()).unwrap().records, 2);
    }
}
