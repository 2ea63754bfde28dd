//! The loop that walks the embedded log, and what is known of that log alone: its partitions are mixed in one sequence of
//! bytes, their numbers have 64 bits and jump only where records were lost, they have neither parents nor ends, all was checked
//! before it, and it is trimmed.

mod spans;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::iter;
use schema::{PartitionId, StreamName};
use store::StreamRecord;
use tokio::sync::watch;

use super::lane::{Lane, Outlet};
use super::progress::Progress;
use super::{ConsumeError, until_due};
use crate::IngestSettings;
use crate::log::{Log, LogError, LogOffset, LogReader, LogRecord};
use crate::streams::Streams;
pub(super) use spans::{GENERATION, spans};

/// So many partitions are written to the store at once.
const LANES_AT_ONCE: usize = 16;

/// What the consumer is woken by.
enum Event {
    /// The log holds more.
    More,
    /// It is time for a checkpoint.
    CheckpointDue,
    /// Nothing more will come, and everything is consumed.
    Drained,
}

/// The loop's state.
pub(crate) struct Consumer {
    log: Log,
    reader: LogReader,
    streams: Streams,
    outlet: Arc<Outlet>,
    settings: IngestSettings,
    progress: Arc<Progress>,
    lanes: BTreeMap<(StreamName, u32), Lane>,
    /// Everything before is journaled.
    next: LogOffset,
    /// Records since the last checkpoint.
    unmarked: u64,
}

impl Consumer {
    pub(crate) fn new(log: Log, streams: Streams, settings: IngestSettings, outlet: Outlet) -> Self {
        let outlet = Arc::new(outlet);
        Self {
            reader: log.reader(),
            next: log.first_offset(),
            progress: Arc::new(Progress::new(outlet.clone())),
            log,
            streams,
            outlet,
            settings,
            lanes: BTreeMap::new(),
            unmarked: 0,
        }
    }

    /// How far it is, for whoever asks.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    /// Walks until `draining` is true and the log's end is reached.
    ///
    /// # Errors
    /// [`ConsumeError`]; a failing store is none.
    pub(crate) async fn run(mut self, draining: watch::Receiver<bool>) -> Result<(), ConsumeError> {
        let outcome = self.walk(draining).await;
        if let Err(error) = &outcome {
            tracing::error!(%error, "the consumer has stopped");
            self.progress.stopped(error.to_string());
        }
        outcome
    }

    async fn walk(&mut self, mut draining: watch::Receiver<bool>) -> Result<(), ConsumeError> {
        let mut durable = self.log.durable();
        loop {
            let event = self.wait(&mut durable, &mut draining).await;
            if !self.handle(event).await? {
                return Ok(());
            }
        }
    }

    async fn wait(
        &self,
        durable: &mut watch::Receiver<LogOffset>,
        draining: &mut watch::Receiver<bool>,
    ) -> Event {
        let more = *durable.borrow_and_update() > self.next;
        let drained = *draining.borrow_and_update() && !more;
        let due = self
            .progress
            .unmarked_since()
            .map(|since| since + Duration::from_millis(self.settings.checkpoint_interval_ms));
        if due.is_some_and(|due| due <= Instant::now()) || self.unmarked >= self.settings.checkpoint_rows {
            return Event::CheckpointDue;
        }
        if more {
            return Event::More;
        }
        if drained {
            return Event::Drained;
        }
        tokio::select! {
            () = until_due(due) => Event::CheckpointDue,
            // The log, and so the sender, is this consumer's own; and that nobody can ask for the end is no end.
            _ = durable.changed() => Event::More,
            Ok(()) = draining.changed() => Event::More,
        }
    }

    /// Does what follows from `event`; `false` after the last.
    async fn handle(&mut self, event: Event) -> Result<bool, ConsumeError> {
        match event {
            Event::More => self.take_chunk().await?,
            Event::CheckpointDue => self.checkpoint().await?,
            Event::Drained => {
                self.checkpoint().await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Brings the next records into the store.
    async fn take_chunk(&mut self) -> Result<(), ConsumeError> {
        let (records, next) = self.read().await;
        let count = records.len() as u64;
        let mut parts: BTreeMap<(StreamName, u32), Vec<LogRecord>> = BTreeMap::new();
        for record in records {
            parts.entry((record.stream.clone(), record.partition)).or_default().push(record);
        }
        let mut work = Vec::with_capacity(parts.len());
        for (key, records) in parts {
            let (stream, lane) = self.lane(&key).await?;
            work.push((key, stream, lane, records));
        }
        if !work.is_empty() {
            self.progress.begin();
        }
        let outlet = &self.outlet;
        let walks = work.into_iter().map(|(key, stream, mut lane, records)| async move {
            outlet.walk(&stream, &mut lane, &spans(records)).await;
            (key, lane)
        });
        let walked: Vec<_> = iter(walks).buffer_unordered(LANES_AT_ONCE).collect().await;
        self.lanes.extend(walked);
        self.next = next;
        self.unmarked += count;
        self.progress.walked(count);
        Ok(())
    }

    async fn read(&mut self) -> (Vec<LogRecord>, LogOffset) {
        let (from, bytes_max, records_max) = (self.next, self.settings.batch_bytes, self.settings.batch_rows);
        let (log, reader) = (&self.log, &mut self.reader);
        let chunk = self.outlet.patience.until_done("read the log", || {
            let mut reading = std::mem::replace(reader, log.reader());
            async move {
                let read = move || reading.read(from, bytes_max, records_max).map(|chunk| (chunk, reading));
                let read = tokio::task::spawn_blocking(read).await;
                read.unwrap_or_else(|error| {
                    let source = std::io::Error::other(error);
                    Err(LogError::Io { doing: "wait for a read of", path: "the log".into(), source })
                })
            }
        });
        let (chunk, reading) = chunk.await;
        self.reader = reading;
        (chunk.records, chunk.next)
    }

    /// The lane of a partition, claimed when it is first met.
    async fn lane(&mut self, key: &(StreamName, u32)) -> Result<(Arc<StreamRecord>, Lane), ConsumeError> {
        let (name, index) = key;
        let (streams, outlet) = (&self.streams, &self.outlet);
        let stream = outlet.patience.until_done("look up the stream", || streams.restore(name)).await;
        if let Some(lane) = self.lanes.get(key) {
            return Ok((stream, lane.clone()));
        }
        let partition = PartitionId::embedded(*index);
        let claim = || outlet.store.claim_lease(name, &partition);
        let lease = outlet.patience.until_done("claim a partition", claim).await;
        if lease.checkpoint.as_u64().is_none() {
            return Err(ConsumeError::ForeignLog(name.clone(), partition));
        }
        let lane = Lane {
            partition,
            generation: GENERATION,
            epoch: lease.epoch,
            consumed: lease.checkpoint,
            checkpoint: lease.checkpoint,
            dead_letters: 0,
        };
        self.lanes.insert(key.clone(), lane.clone());
        Ok((stream, lane))
    }

    /// Checkpoints every partition that moved, and then removes what no restart will ask for.
    async fn checkpoint(&mut self) -> Result<(), ConsumeError> {
        let outlet = &self.outlet;
        let moved = self.lanes.iter().filter(|(_, lane)| lane.consumed > lane.checkpoint);
        let marks = moved.map(|(key, lane)| async move {
            let mark = || outlet.store.checkpoint(&key.0, &lane.partition, lane.epoch, lane.consumed);
            let held = outlet.patience.until_done("write a checkpoint", mark).await;
            (key.clone(), lane.consumed, held)
        });
        let marked: Vec<_> = iter(marks.collect::<Vec<_>>()).buffer_unordered(LANES_AT_ONCE).collect().await;
        for (key, consumed, held) in marked {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            if !held {
                return Err(ConsumeError::LostLease(key.0, lane.partition.clone()));
            }
            lane.checkpoint = consumed;
        }
        // All that was read is checkpointed now, whatever its partition.
        if let Err(error) = self.log.trim(self.next) {
            tracing::warn!(%error, "could not remove what is done from the log: it is tried again");
        }
        self.unmarked = 0;
        self.progress.marked();
        Ok(())
    }
}
