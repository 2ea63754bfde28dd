//! Reads one shard, ahead of whoever stores what it gives.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use schema::{Clock, PartitionId, StreamName};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use super::api::{Begin, Failure, Given, Kinesis};
use super::pace;
use super::record::Fetched;
use super::settings::ANSWER_BYTES;
use super::status::ShardStatus;

/// What a shard gave, in its order.
pub(super) enum Piece {
    /// Some records, at least one, and the room that they take in memory.
    Records(Vec<Fetched>, OwnedSemaphorePermit),
    /// It is closed, and this was all.
    End,
}

/// Reads one shard. It ends with the shard, or when nobody takes what it gives.
pub(super) struct Reader {
    pub(super) kinesis: Arc<dyn Kinesis>,
    /// Kinesis's name of the stream.
    pub(super) stream: StreamName,
    pub(super) shard: PartitionId,
    pub(super) from: Begin,
    /// In bytes: what all shards may have in memory.
    pub(super) room: Arc<Semaphore>,
    pub(super) poll: Duration,
    pub(super) records_max: u32,
    pub(super) status: Arc<ShardStatus>,
    pub(super) clock: Clock,
}

impl Reader {
    pub(super) async fn run(mut self, pieces: mpsc::Sender<Piece>) {
        let mut iterator: Option<String> = None;
        let mut failures = 0;
        loop {
            let asked = Instant::now();
            let wait = match self.step(&mut iterator, &pieces).await {
                Ok(Step::More { is_behind }) => {
                    failures = 0;
                    pace::until_next(is_behind, self.poll)
                }
                Ok(Step::Opened) => Duration::ZERO,
                Ok(Step::Over) => return,
                Err(failure) => {
                    failures += 1;
                    self.tell(&failure);
                    // It may be the iterator that is not good any more; another one costs little.
                    iterator = None;
                    match failure {
                        Failure::Expired => Duration::ZERO,
                        _ => pace::after(failures, self.shard.as_str()),
                    }
                }
            };
            tokio::time::sleep_until(asked + wait).await;
        }
    }

    async fn step(
        &mut self,
        iterator: &mut Option<String>,
        pieces: &mpsc::Sender<Piece>,
    ) -> Result<Step, Failure> {
        let Some(with) = iterator.as_deref() else {
            *iterator = Some(self.kinesis.open(&self.stream, &self.shard, self.from).await?);
            return Ok(Step::Opened);
        };
        // Nobody closes it.
        let Ok(mut room) = self.room.clone().acquire_many_owned(ANSWER_BYTES as u32).await else {
            return Ok(Step::Over);
        };
        let Given { records, next, behind_ms } = self.kinesis.next(with, self.records_max).await?;
        let lag = Duration::from_millis(behind_ms).max(self.age(records.last()));
        let bytes: u64 = records.iter().map(|record| (record.data.len() + record.key.len()) as u64).sum();
        self.status.read(records.len() as u64, bytes, lag);
        let is_behind = behind_ms > 0 || !records.is_empty();
        if let Some(last) = records.last() {
            self.from = Begin::After(last.sequence);
            // The rest is for others.
            drop(room.split(ANSWER_BYTES.saturating_sub(bytes) as usize));
            if pieces.send(Piece::Records(records, room)).await.is_err() {
                return Ok(Step::Over);
            }
        }
        *iterator = next;
        if iterator.is_some() {
            return Ok(Step::More { is_behind });
        }
        let _ = pieces.send(Piece::End).await;
        Ok(Step::Over)
    }

    /// How long ago `record` was put.
    fn age(&self, record: Option<&Fetched>) -> Duration {
        let micros = record.map_or(0, |record| (self.clock)().0.saturating_sub(record.arrived_at.0));
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    fn tell(&self, failure: &Failure) {
        match failure {
            Failure::Expired => {}
            Failure::Throttled(_) => {
                self.status.counts.throttles.fetch_add(1, Ordering::Relaxed);
            }
            _ => self.status.failed(&self.stream, &self.shard, &failure.to_string()),
        }
    }
}

/// What became of one request.
enum Step {
    /// The shard can be asked.
    Opened,
    /// It gave what it has now.
    More { is_behind: bool },
    /// Nothing more comes, or nobody takes it.
    Over,
}
