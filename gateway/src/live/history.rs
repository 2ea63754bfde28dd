//! Rows by time, up to a fence: what comes after it is the journal's.

use std::sync::Arc;

use schema::{HistoryMark, Message, Places, TimeRange, Timestamp, Topic};
use store::merge::read_topics;
use store::{Order, RowMark, StoreError, TopicPage};

use super::reader::Source;

/// Most rows, and most bytes of messages, that are read at once.
const PAGE_ROWS: usize = 500;
const PAGE_BYTES: usize = 256 << 10;

/// A reader in mid-history.
#[derive(Debug)]
pub(crate) struct History {
    /// Where the journal goes on.
    pub(crate) fence: Arc<Places>,
    /// The topics that may have rows in the range.
    topics: Vec<Topic>,
    from: Timestamp,
    mark: Option<HistoryMark>,
}

impl History {
    /// From `from` on, or behind `mark`. The fence was taken before `topics` were listed.
    pub(crate) fn new(fence: Places, topics: Vec<Topic>, from: Timestamp, mark: Option<HistoryMark>) -> Self {
        Self { fence: Arc::new(fence), topics, from, mark }
    }

    /// The next rows; `None` after the last.
    pub(super) async fn read(&mut self, source: &Source) -> Result<Option<Arc<[Message]>>, StoreError> {
        loop {
            if self.topics.is_empty() {
                return Ok(None);
            }
            let after = self.mark.clone().map(|mark| RowMark { time: mark.time, position: mark.position });
            let page = TopicPage {
                range: TimeRange { from: self.from, to: TimeRange::ALL.to },
                order: Order::Ascending,
                after,
                before: None,
                rows_max: PAGE_ROWS,
                bytes_max: PAGE_BYTES,
            };
            let rows = read_topics(source.store.as_ref(), &source.stream, &self.topics, &page).await?;
            let Some(last) = rows.last() else { return Ok(None) };
            let end = HistoryMark { time: last.time, position: last.position.clone() };
            let within = |row: &Message| self.fence.get(&row.position.partition).covers(&row.position);
            let messages: Vec<Message> = rows.into_iter().filter(within).collect();
            if messages.is_empty() {
                self.mark = Some(end);
                continue;
            }
            return Ok(Some(messages.into()));
        }
    }

    /// Everything up to `mark` was consumed.
    pub(super) fn mark(&mut self, mark: HistoryMark) {
        self.mark = Some(mark);
    }
}
