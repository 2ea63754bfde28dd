//! Several topics read as one, ordered by time, without loading what is not shown.

use std::collections::VecDeque;

use schema::{Message, Position, StreamName, Timestamp, Topic};

use crate::{Messages, Order, RowMark, StoreError, TopicPage};

/// Reads up to `page.rows_max` rows of `topics`, merged by (time, position, topic) in the order of `page`.
///
/// `page.after` and `page.before` are places in the merged order, so they bear a topic; a row of equal time and
/// position in another topic can't be, as a position is one message. Of T topics and a page of N rows, at most
/// T + 2·N rows are loaded: each topic gives its first few, and one that runs dry gives twice as many the next time,
/// as far as that bound lets it. Of bytes, what waits to be merged holds at most `page.bytes_max` and a row per topic.
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
    let topics_count = topics.len().max(1);
    let mut ask = page.clone();
    ask.rows_max = (page.rows_max / topics_count).max(1);
    ask.bytes_max = page.bytes_max / topics_count;
    let mut loadable = topics.len() + 2 * page.rows_max;
    let mut lanes: Vec<Lane<'_>> = Vec::with_capacity(topics.len());
    for topic in topics {
        let mut lane = Lane { topic, rows: VecDeque::new(), ask: ask.clone(), dry: false };
        let loaded = lane.refill(store, stream, usize::MAX).await?;
        loadable = loadable.saturating_sub(loaded);
        lanes.push(lane);
    }
    let (mut merged, mut bytes) = (Vec::new(), 0);
    while merged.len() < page.rows_max && (bytes < page.bytes_max || merged.is_empty()) {
        let heads = lanes.iter().enumerate().filter_map(|(at, lane)| Some((at, lane.rows.front()?)));
        let next = match page.order {
            Order::Ascending => heads.min_by(|(_, a), (_, b)| place(a).cmp(&place(b))),
            Order::Descending => heads.max_by(|(_, a), (_, b)| place(a).cmp(&place(b))),
        };
        let Some((at, _)) = next else { break };
        let lane = &mut lanes[at];
        if let Some(row) = lane.rows.pop_front() {
            bytes += row.raw.len();
            merged.push(row);
        }
        let wanted = page.rows_max - merged.len();
        if lane.rows.is_empty() && wanted > 0 {
            // Each row that is still wanted may call for one more refill, of a row at least: so many stay reserved.
            let spare = loadable.saturating_sub(wanted).max(1);
            let loaded = lane.refill(store, stream, wanted.min(spare)).await?;
            loadable = loadable.saturating_sub(loaded);
        }
    }
    Ok(merged)
}

fn place(message: &Message) -> (Timestamp, &Position) {
    (message.time, &message.position)
}

/// One topic's share of the merge.
struct Lane<'t> {
    topic: &'t Topic,
    rows: VecDeque<Message>,
    /// The next read.
    ask: TopicPage,
    dry: bool,
}

impl Lane<'_> {
    /// Reads on, at most `rows_max` rows, and says how many there were.
    async fn refill<S: Messages + ?Sized>(
        &mut self,
        store: &S,
        stream: &StreamName,
        rows_max: usize,
    ) -> Result<usize, StoreError> {
        if self.dry {
            return Ok(0);
        }
        let ask = TopicPage { rows_max: self.ask.rows_max.min(rows_max), ..self.ask.clone() };
        let rows = store.read_topic(stream, self.topic, ask).await?;
        self.dry = rows.is_empty();
        self.ask.after = rows.last().map(RowMark::of).or(self.ask.after.take());
        self.ask.rows_max = self.ask.rows_max.saturating_mul(2);
        self.rows = rows.into();
        Ok(self.rows.len())
    }
}
