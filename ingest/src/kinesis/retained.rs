//! Whether what follows a checkpoint is still in Kinesis.

use std::sync::Arc;

use schema::{PartitionId, Sequence, Timestamp};
use store::Next;

use super::api::{Begin, Failure};
use super::look::Looker;
use super::pace;

const HOUR: i64 = 3_600_000_000;

/// A shard that is taken up again.
pub(super) struct Retained {
    pub(super) looker: Arc<Looker>,
    pub(super) shard: PartitionId,
    /// When it was found.
    pub(super) registered_at: Timestamp,
    pub(super) now: Timestamp,
}

impl Retained {
    /// Whether records behind `consumed` may be gone: what was consumed last, or the shard's finding where nothing was, is longer
    /// ago than Kinesis keeps records, and it is gone itself. Kinesis does not say what it has forgotten; to tell of a gap that is none does less harm than not to tell.
    pub(super) async fn may_lack(&self, consumed: Sequence) -> bool {
        let Looker { kinesis, source, .. } = &*self.looker;
        let hours = self.until_answered(|| kinesis.retention_hours(source)).await;
        let kept_since = self.now.plus_micros(-(hours.min(100_000) as i64).saturating_mul(HOUR));
        let known = match consumed {
            Sequence::ZERO => Some(self.registered_at),
            consumed => self.came(consumed).await,
        };
        if known.is_some_and(|known| known > kept_since) {
            return false;
        }
        let oldest = self.until_answered(|| self.oldest()).await;
        oldest.is_none_or(|oldest| oldest > consumed)
    }

    /// When what was consumed last came, if the journal still says so.
    async fn came(&self, consumed: Sequence) -> Option<Timestamp> {
        let Looker { outlet, stream, .. } = &*self.looker;
        let read = || outlet.store.next_journal(stream, &self.shard, consumed.before());
        match outlet.patience.until_done("read the journal", read).await {
            Next::Row(row) => row.messages.last().map(|message| message.arrived_at),
            Next::Gap { .. } | Next::Wait => None,
        }
    }

    /// The oldest record that Kinesis still has. It may give nothing, again and again, on the way there.
    async fn oldest(&self) -> Result<Option<Sequence>, Failure> {
        let Looker { kinesis, source, .. } = &*self.looker;
        let mut iterator = kinesis.open(source, &self.shard, Begin::Oldest).await?;
        loop {
            let given = kinesis.next(&iterator, 1).await?;
            if let Some(oldest) = given.records.first() {
                return Ok(Some(oldest.sequence));
            }
            match given.next.filter(|_| given.behind_ms > 0) {
                Some(next) => iterator = next,
                None => return Ok(None),
            }
            tokio::time::sleep(pace::until_next(true, pace::LEAST)).await;
        }
    }

    async fn until_answered<T, F>(&self, ask: impl Fn() -> F) -> T
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut failures = 0;
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(error) => {
                    failures += 1;
                    tracing::debug!(stream = %self.looker.stream, shard = %self.shard, %error, "it is not known yet whether records are gone");
                    tokio::time::sleep(pace::after(failures, self.shard.as_str())).await;
                }
            }
        }
    }
}
