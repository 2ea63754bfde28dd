//! Reading a topic: its buckets, from one end of time to the other, merged as far as they overlap.

use std::cmp::Ordering;
use std::collections::VecDeque;

use futures_util::future::try_join_all;
use schema::{Message, StreamName, Timestamp, Topic};

use super::Scylla;
use super::buckets::{Listed, Looks, Region, TopicBuckets};
use super::rows::{Row, RowReader};
use crate::{Order, RowMark, StoreError, TopicPage};

/// Bytes of one answer, about.
const ANSWER_BYTES: u64 = 4 << 20;
/// Buckets that are opened together at most.
const OPEN_MAX: usize = 16;

/// A place between rows: time, and the bytes of a position. No position is empty, so that is before all of its time.
type Mark = (i64, Vec<u8>);

impl Scylla {
    /// Reads one topic from either end; see [`crate::Messages::read_topic`].
    pub(super) async fn read_page(
        &self,
        stream: &StreamName,
        topic: &Topic,
        page: &TopicPage,
    ) -> Result<Vec<Message>, StoreError> {
        let (older, newer) = match page.order {
            Order::Ascending => (&page.after, &page.before),
            Order::Descending => (&page.before, &page.after),
        };
        let mut low: Mark = (page.range.from.max(Timestamp::MIN).0, Vec::new());
        let mut high: Mark = (page.range.to.0, Vec::new());
        if let Some(older) = older {
            low = low.max(mark(older));
        }
        if let Some(newer) = newer {
            high = high.min(mark(newer));
        }
        let mut read = Read { store: self, stream, topic, page, messages: Vec::new(), bytes: 0 };
        let mut looks = Looks::new(TopicBuckets { store: self, stream, topic }, page.order);
        while low < high && !read.is_full() {
            // The high mark may lie within its instant.
            let span = (low.0, high.0.saturating_add(i64::from(!high.1.is_empty())));
            let region = looks.region(span.0, span.1).await?;
            let inner_low = low.clone().max((region.from, Vec::new()));
            let inner_high = high.clone().min((region.to, Vec::new()));
            let done = (region.from, region.to) == span;
            let edges = (region.from, region.to);
            read.region(region, inner_low, inner_high).await?;
            match (done, page.order) {
                (true, _) => break,
                (false, Order::Ascending) => low = (edges.1, Vec::new()),
                (false, Order::Descending) => high = (edges.0, Vec::new()),
            }
        }
        Ok(read.messages)
    }
}

/// One page while it is read.
struct Read<'a> {
    store: &'a Scylla,
    stream: &'a StreamName,
    topic: &'a Topic,
    page: &'a TopicPage,
    messages: Vec<Message>,
    bytes: usize,
}

/// One bucket while it is read.
struct Cursor {
    listed: Listed,
    rows: VecDeque<Message>,
    /// What is left of it.
    low: Mark,
    high: Mark,
    done: bool,
}

impl Read<'_> {
    fn is_full(&self) -> bool {
        let full = self.messages.len() >= self.page.rows_max || self.bytes >= self.page.bytes_max;
        full && !self.messages.is_empty()
    }

    /// Which of two messages comes first.
    fn compare(&self, a: &Message, b: &Message) -> Ordering {
        let ordering = (a.time, &a.position).cmp(&(b.time, &b.position));
        if self.page.order == Order::Ascending { ordering } else { ordering.reverse() }
    }

    /// Takes what the region has between two marks. A bucket is opened only when its messages may come next.
    async fn region(&mut self, region: Region, low: Mark, high: Mark) -> Result<(), StoreError> {
        let ascending = self.page.order == Order::Ascending;
        let mut waiting = region.buckets;
        // The next one last.
        if ascending {
            waiting.sort_by_key(|listed| std::cmp::Reverse(listed.bucket.start));
        } else {
            waiting.sort_by_key(|listed| listed.bucket.end());
        }
        let mut cursors: Vec<Cursor> = Vec::new();
        let mut together = 1;
        while !self.is_full() {
            let heads =
                cursors.iter().enumerate().filter_map(|(at, cursor)| Some((at, cursor.rows.front()?)));
            let head = heads.min_by(|(_, a), (_, b)| self.compare(a, b));
            let comes_first = |listed: &&Listed| match head {
                None => true,
                Some((_, head)) if ascending => listed.bucket.start <= head.time.0,
                Some((_, head)) => listed.bucket.end() > head.time.0,
            };
            // Those that overlap are needed all, and more and more of the others: they may be empty, or hold little each.
            let most = overlapping(&waiting).max(together).min(OPEN_MAX);
            let count = waiting.iter().rev().take(most).take_while(comes_first).count();
            if count > 0 {
                together = (together * 2).min(OPEN_MAX);
                let opened = waiting.split_off(waiting.len() - count);
                let opened = opened.into_iter().map(|listed| {
                    let (rows, low, high) = (VecDeque::new(), low.clone(), high.clone());
                    self.fill(Cursor { listed, rows, low, high, done: false })
                });
                let opened = try_join_all(opened).await?;
                let rows: usize = opened.iter().map(|cursor| cursor.rows.len()).sum();
                self.messages.reserve(rows.min(self.page.rows_max - self.messages.len()));
                cursors.extend(opened);
                continue;
            }
            let Some((at, _)) = head else { break };
            let cursor = &mut cursors[at];
            if let Some(message) = cursor.rows.pop_front() {
                // Written again after a crash, a message may lie in two buckets that overlap.
                let is_new = self
                    .messages
                    .last()
                    .is_none_or(|last| (last.time, &last.position) != (message.time, &message.position));
                if is_new {
                    self.bytes += message.raw.len();
                    self.messages.push(message);
                }
            }
            if cursor.rows.is_empty() {
                let cursor = cursors.swap_remove(at);
                if !cursor.done && !self.is_full() {
                    cursors.push(self.fill(cursor).await?);
                }
            }
        }
        Ok(())
    }

    /// Reads on in one bucket: as many rows as the page still wants, within the bytes of an answer.
    async fn fill(&self, mut cursor: Cursor) -> Result<Cursor, StoreError> {
        let doing = "read messages";
        let wanted = (self.page.rows_max - self.messages.len()).max(1) as u64;
        let left = (self.page.bytes_max - self.bytes.min(self.page.bytes_max)) as u64;
        let rows_max = wanted.min(left.min(ANSWER_BYTES) / cursor.listed.row_bytes + 1).min(10_000) as i32;
        let statements = &self.store.0.statements;
        let statement = match self.page.order {
            Order::Ascending => &statements.messages_ascending,
            Order::Descending => &statements.messages_descending,
        };
        let bucket = cursor.listed.bucket;
        let (low, high) = (&cursor.low, &cursor.high);
        let values = (
            (self.stream.as_str(), self.topic.as_str(), bucket.width, bucket.start, bucket.part),
            (low.0, &low.1, high.0, &high.1, rows_max),
        );
        let ((a, b, c, d, e), (f, g, h, i, j)) = values;
        let rows = self.store.0.calls.query(doing, statement, (a, b, c, d, e, f, g, h, i, j)).await?;
        let mut reader = RowReader::new(self.topic.clone());
        cursor.rows.reserve(rows.rows_num());
        for row in rows.rows::<Row<'_>>().map_err(|error| StoreError::unavailable(doing, error))? {
            let row = row.map_err(|error| StoreError::unavailable(doing, error))?;
            let message = reader.read(row);
            let corrupt = || StoreError::Corrupt { what: format!("a message of stream {}", self.stream) };
            cursor.rows.push_back(message.ok_or_else(corrupt)?);
        }
        cursor.done = cursor.rows.len() < rows_max as usize;
        if let Some(last) = cursor.rows.back() {
            let last = mark(&RowMark::of(last));
            match self.page.order {
                Order::Ascending => cursor.low = last,
                Order::Descending => cursor.high = last,
            }
        }
        Ok(cursor)
    }
}

/// How many of the next, which stand last, have an instant in common: any of them may have the next message.
fn overlapping(waiting: &[Listed]) -> usize {
    let (mut from, mut to) = (i64::MIN, i64::MAX);
    let overlaps = |listed: &&Listed| {
        (from, to) = (from.max(listed.bucket.start), to.min(listed.bucket.end()));
        from < to
    };
    waiting.iter().rev().take_while(overlaps).count()
}

fn mark(mark: &RowMark) -> Mark {
    let mut position = Vec::with_capacity(48);
    mark.position.encode(&mut position);
    (mark.time.0, position)
}
