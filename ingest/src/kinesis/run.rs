//! One shard while it is consumed here: what it gives goes into the store, and how far that is, is kept.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use schema::{Sequence, StreamName};
use store::JournalRow;
use tokio::sync::{mpsc, watch};

use super::look::Looker;
use super::pace;
use super::reader::Piece;
use super::record::{Fetched, span};
use super::status::ShardStatus;
use crate::IngestSettings;
use crate::consume::{Lane, Outlet, until_due};
use crate::streams::Streams;

/// How it came to an end here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was to be given up, and was.
    Stopped,
    /// Somebody else has it.
    Lost,
    /// The shard has ended.
    Ended,
}

/// One shard while it is consumed here.
pub(super) struct Run {
    pub(super) outlet: Arc<Outlet>,
    pub(super) streams: Streams,
    pub(super) stream: StreamName,
    pub(super) looker: Arc<Looker>,
    pub(super) settings: Arc<IngestSettings>,
    pub(super) status: Arc<ShardStatus>,
    pub(super) lane: Lane,
    /// What it holds between its checkpoint and what it gives first may be gone: readers are told of a gap.
    pub(super) may_lack: bool,
    /// Records since the last checkpoint.
    pub(super) unmarked: u64,
}

impl Run {
    /// Consumes what comes, until `stop` is true: then what was read is stored, and the lease given up.
    pub(super) async fn consume(
        mut self,
        mut pieces: mpsc::Receiver<Piece>,
        mut stop: watch::Receiver<bool>,
    ) -> Outcome {
        loop {
            if self.is_due() && !self.mark().await {
                return Outcome::Lost;
            }
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return self.give_up().await,
                () = until_due(self.due()) => {}
                piece = pieces.recv() => match piece {
                    Some(Piece::Records(records, _room)) => self.take(&records).await,
                    Some(Piece::End) => return self.end(false, &mut stop).await,
                    // Its reader is gone: whoever has it next reads on.
                    None => return self.give_up().await,
                },
            }
        }
    }

    /// Brings records into the store, in pieces of what one row of the journal may hold.
    async fn take(&mut self, records: &[Fetched]) {
        self.status.begin_work();
        let mut after = self.lane.consumed;
        if let Some(first) = records.first().filter(|_| std::mem::take(&mut self.may_lack)) {
            after = after.max(first.sequence.before());
        }
        let mut spans = Vec::new();
        for piece in pieces(records, self.settings.batch_rows, self.settings.batch_bytes) {
            if let Some(span) = span(after, piece) {
                after = span.last;
                spans.push(span);
            }
        }
        let restore = || self.streams.restore(&self.stream);
        let stream = self.outlet.patience.until_done("look up the stream", restore).await;
        self.outlet.walk(&stream, &mut self.lane, &spans).await;
        self.status.dead_letters.store(self.lane.dead_letters, Ordering::Relaxed);
        self.unmarked += records.len() as u64;
    }

    /// When the next checkpoint is due, if anything has none.
    fn due(&self) -> Option<Instant> {
        let interval = Duration::from_millis(self.settings.checkpoint_interval_ms);
        self.status.unmarked_since().map(|since| since + interval)
    }

    fn is_due(&self) -> bool {
        self.unmarked >= self.settings.checkpoint_rows || self.due().is_some_and(|due| due <= pace::now())
    }

    /// Writes a checkpoint; `false` if the shard is another's.
    async fn mark(&mut self) -> bool {
        let Lane { partition, epoch, consumed, .. } = &self.lane;
        let mark = || self.outlet.store.checkpoint(&self.stream, partition, *epoch, *consumed);
        if !self.outlet.patience.until_done("write a checkpoint", mark).await {
            return false;
        }
        self.lane.checkpoint = self.lane.consumed;
        self.unmarked = 0;
        self.status.marked();
        true
    }

    /// All that was read is stored: says so, and lets others have the shard at once.
    pub(super) async fn give_up(mut self) -> Outcome {
        if self.lane.consumed > self.lane.checkpoint && !self.mark().await {
            return Outcome::Lost;
        }
        let Lane { partition, epoch, .. } = &self.lane;
        if let Err(error) = self.outlet.store.release_lease(&self.stream, partition, *epoch).await {
            tracing::warn!(stream = %self.stream, shard = %partition, %error, "a shard's lease could not be given up: others take it when its term is over");
        }
        Outcome::Stopped
    }

    /// The shard has ended: its children are registered, the end is journaled, and then it is done. Where it is `lost`, the
    /// source has forgotten it before it was done, and readers are told of a gap.
    pub(super) async fn end(mut self, lost: bool, stop: &mut watch::Receiver<bool>) -> Outcome {
        let looker = self.looker.clone();
        let children = tokio::select! {
            biased;
            () = stopped(stop) => return self.give_up().await,
            children = looker.children(&self.lane.partition) => children,
        };
        let (stream, partition) = (&self.stream, &self.lane.partition);
        let after = if lost { Sequence::END.before() } else { self.lane.consumed };
        if lost {
            tracing::warn!(%stream, shard = %partition, after = %self.lane.consumed, "Kinesis has forgotten the shard before all of it was read: readers are told of a gap");
        }
        let row = Arc::new(JournalRow { after, last: Sequence::END, messages: Vec::new(), children });
        let append = || self.outlet.store.append_journal(stream, partition, &row);
        self.outlet.patience.until_done("write the journal", append).await;
        self.outlet.announce.announce(stream, partition, &row);
        self.lane.consumed = Sequence::END;
        if self.mark().await { Outcome::Ended } else { Outcome::Lost }
    }
}

/// Waits until `stop` is true.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // That nobody can say so any more is no reason to stop.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// `records` in pieces of at most `rows` records and, beyond one, `bytes` bytes.
fn pieces(records: &[Fetched], rows: usize, bytes: usize) -> impl Iterator<Item = &[Fetched]> {
    let mut rest = records;
    std::iter::from_fn(move || {
        let mut held = 0;
        let fits = rest.iter().take(rows).take_while(|record| {
            let is_first = held == 0;
            held += record.data.len() + 1;
            is_first || held <= bytes
        });
        let (piece, others) = rest.split_at(fits.count());
        rest = others;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use schema::Timestamp;

    use super::*;

    #[test]
    fn pieces_keep_within_rows_and_bytes_and_lose_nothing() {
        let record = |bytes: usize, n: u64| Fetched {
            key: "k".into(),
            sequence: n.into(),
            arrived_at: Timestamp(0),
            data: vec![b'x'; bytes].into(),
        };
        let sizes = [1, 2, 3, 0, 90, 1, 1, 200, 0, 0, 0, 0, 5];
        let records: Vec<_> = sizes.into_iter().zip(0..).map(|(bytes, n)| record(bytes, n)).collect();
        let got: Vec<Vec<usize>> = pieces(&records, 3, 100)
            .map(|piece| piece.iter().map(|record| record.data.len()).collect())
            .collect();
        assert_eq!(got, [vec![1, 2, 3], vec![0, 90, 1], vec![1], vec![200], vec![0, 0, 0], vec![0, 5]]);
        assert_eq!(pieces(&[], 3, 100).count(), 0);
    }
}
