//! A log, as those see it who put messages into it.

use async_trait::async_trait;
use schema::{PartitionId, Position};
use store::PublishError;

use crate::log::{Log, LogEntry, Placed};

/// A log that messages are put into.
#[async_trait]
pub(crate) trait Append: Send + Sync {
    /// Whether it keeps the topic that a sender has named.
    fn carries_topics(&self) -> bool;

    /// Makes messages durable, and says of each, in their order, where it stands or why it does not.
    async fn append(&self, entries: Vec<LogEntry>) -> Vec<Result<Position, PublishError>>;
}

/// The embedded log takes all of a call, or nothing.
#[async_trait]
impl Append for Log {
    fn carries_topics(&self) -> bool {
        true
    }

    async fn append(&self, entries: Vec<LogEntry>) -> Vec<Result<Position, PublishError>> {
        let count = entries.len();
        match Self::append(self, entries).await {
            Ok(placed) => placed.iter().map(|placed| Ok(position(placed))).collect(),
            Err(error) => {
                let refuse = |_| Err(PublishError::Unavailable(error.to_string()));
                (0..count).map(refuse).collect()
            }
        }
    }
}

fn position(placed: &Placed) -> Position {
    Position { partition: PartitionId::embedded(placed.partition), sequence: placed.sequence.into(), sub: 0 }
}
