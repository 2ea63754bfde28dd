//! Several topics read as one, ordered by time, without loading what is not shown.

use std::collections::VecDeque;

use schema::{Message, StreamName, Topic};

use crate::{Messages, Order, RowMark, StoreError, TopicPage};

/// Reads up to `page.rows_max` rows of `topics`, merged by (time, position, topic) in the order of `page`.
///
/// `page.after` and `page.before` are places in the merged order, so they bear a topic; a row of equal time and
/// position in another topic can't be, as a position is one message. Of T topics and a page of N rows, at most
/// T + 2·N rows are loaded: each topic gives its first few, and one that runs dry gives twice as many the next time.
///
/// # Errors
/// The first [`StoreError`] of any read.
pub async fn read_topics<S: Messages + ?Sized>(
    store: &S,
    stream: &StreamName,
    topics: &[Topic],
    page: &TopicPage,
) -> Result<Vec<Message>, StoreError> {
    if let [topic] = topics {
        return store.read_topic(stream, topic, page.clone()).await;
    }
    let first = (page.rows_max / topics.len().max(1)).max(1);
    let mut lanes: Vec<Lane<'_>> = Vec::with_capacity(topics.len());
    for topic in topics {
        let mut lane =
            Lane { topic, rows: VecDeque::new(), chunk: first, mark: page.after.clone(), dry: false };
        lane.refill(store, stream, page).await?;
        lanes.push(lane);
    }
    let (mut merged, mut bytes) = (Vec::new(), 0);
    while merged.len() < page.rows_max && (bytes < page.bytes_max || merged.is_empty()) {
        let heads = lanes.iter().enumerate().filter_map(|(at, lane)| Some((at, lane.rows.front()?)));
        let key = |message: &Message| (message.time, message.position.clone());
        let next = match page.order {
            Order::Ascending => heads.min_by_key(|(_, row)| key(row)),
            Order::Descending => heads.max_by_key(|(_, row)| key(row)),
        };
        let Some((at, _)) = next else { break };
        let lane = &mut lanes[at];
        if let Some(row) = lane.rows.pop_front() {
            bytes += row.raw.len();
            merged.push(row);
        }
        if lane.rows.is_empty() {
            lane.refill(store, stream, page).await?;
        }
    }
    Ok(merged)
}

/// One topic's share of the merge.
struct Lane<'t> {
    topic: &'t Topic,
    rows: VecDeque<Message>,
    /// How many rows the next read asks for.
    chunk: usize,
    mark: Option<RowMark>,
    dry: bool,
}

impl Lane<'_> {
    async fn refill<S: Messages + ?Sized>(
        &mut self,
        store: &S,
        stream: &StreamName,
        page: &TopicPage,
    ) -> Result<(), StoreError> {
        if self.dry {
            return Ok(());
        }
        let rows_max = self.chunk.min(page.rows_max);
        let ask = TopicPage { after: self.mark.clone(), rows_max, ..page.clone() };
        let rows = store.read_topic(stream, self.topic, ask).await?;
        self.dry = rows.is_empty();
        self.mark = rows.last().map(RowMark::of).or(self.mark.take());
        self.chunk *= 2;
        self.rows = rows.into();
        Ok(())
    }
}
