//! Where a writer puts messages: an open bucket that covers them, or a new one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::unsync::Cache;
use schema::{Message, StreamName, Topic};

use super::density::Density;
use super::{BYTES_MAX, Bucket, ROW_BYTES, ROWS_MAX};
use crate::StoreError;
use crate::scylla::Scylla;
use crate::scylla::expiry::{Rule, stamp};

/// Buckets of a topic that are kept open at once: the newest, and some for what comes late.
const OPEN_MAX: usize = 16;

/// What this process knows of the topics that it writes. It is lost with it, and found again.
pub(in crate::scylla) struct Writers {
    topics: Mutex<Cache<(StreamName, Topic), Shared>>,
}

/// What is known of one topic, locked while buckets are opened.
type Shared = Arc<tokio::sync::Mutex<Known>>;

/// What is known of one topic.
#[derive(Debug, Default)]
pub(in crate::scylla) struct Known {
    density: Density,
    /// The one used last stands last.
    open: Vec<Open>,
    /// The span in the topic table, and when its row goes.
    pub(in crate::scylla) span: Option<(i64, i64, i64)>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    bucket: Bucket,
    rows: u64,
    bytes: u64,
    /// When the row goes that says that it is there, in microseconds.
    until: i64,
}

impl Open {
    fn has_room(&self) -> bool {
        self.rows < ROWS_MAX && self.bytes < BYTES_MAX
    }
}

/// Messages, each bucket's together.
pub(in crate::scylla) type Placed<'m> = Vec<(Bucket, Vec<&'m Message>)>;

impl Writers {
    pub(in crate::scylla) fn new(topics: usize) -> Self {
        Self { topics: Mutex::new(Cache::new(topics)) }
    }

    /// What is known of a topic.
    pub(in crate::scylla) fn topic(&self, stream: &StreamName, topic: &Topic) -> Shared {
        let key = (stream.clone(), topic.clone());
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = topics.get(&key) {
            return known.clone();
        }
        let known = Shared::default();
        topics.insert(key, known.clone());
        known
    }
}

impl Scylla {
    /// Finds a bucket for each of `messages`, which are of one topic. When this answers, every bucket that it names stands
    /// in `topic_buckets`, for longer than its messages.
    pub(in crate::scylla) async fn place<'m>(
        &self,
        stream: &StreamName,
        topic: &Topic,
        messages: &[&'m Message],
        rule: &Rule,
    ) -> Result<Placed<'m>, StoreError> {
        let known = self.0.writers.topic(stream, topic);
        let mut known = known.lock().await;
        known.observe(messages);
        let mut placed: HashMap<Bucket, Vec<&Message>> = HashMap::new();
        for message in messages {
            let until = rule.until(message.arrived_at);
            let at = match known.open_for(message.time.0) {
                Some(at) => at,
                None => self.open_bucket(stream, topic, &mut known, message.time.0).await?,
            };
            if known.open[at].until < until {
                let until = rule.with_slack(until);
                self.note_bucket(stream, topic, &known, at, (rule.ttl(until), stamp(until))).await?;
                known.open[at].until = until;
            }
            let open = &mut known.open[at];
            open.rows += 1;
            open.bytes += size(message);
            placed.entry(open.bucket).or_default().push(message);
        }
        Ok(placed.into_iter().collect())
    }

    /// Opens the bucket for a message of `time`: goes on with the newest part that is there, unless it is full.
    async fn open_bucket(
        &self,
        stream: &StreamName,
        topic: &Topic,
        known: &mut Known,
        time: i64,
    ) -> Result<usize, StoreError> {
        let doing = "open a bucket";
        let (calls, statements) = (&self.0.calls, &self.0.statements);
        let mut bucket = Bucket::around(time, known.density.width());
        let key = (stream.as_str(), topic.as_str(), bucket.end(), bucket.width);
        let newest = calls.query(doing, &statements.newest_part, key).await?;
        let newest = newest.maybe_first_row::<(i32, Option<i32>)>();
        let newest = newest.map_err(|error| StoreError::unavailable(doing, error))?;
        let mut open = Open { bucket, rows: 0, bytes: 0, until: i64::MIN };
        if let Some((part, row_bytes)) = newest {
            bucket.part = part;
            let key = (stream.as_str(), topic.as_str(), bucket.width, bucket.start, bucket.part);
            let rows = calls.query(doing, &statements.count_messages, key).await?;
            let (rows,) =
                rows.first_row::<(i64,)>().map_err(|error| StoreError::unavailable(doing, error))?;
            let row_bytes = row_bytes.unwrap_or(0).max(0) as u64 + ROW_BYTES;
            open = Open { bucket, rows: rows as u64, bytes: rows as u64 * row_bytes, until: i64::MIN };
            // One that this process filled is known to be full, whatever its rows are said to take on average.
            if !open.has_room() || known.open.iter().any(|open| open.bucket == bucket) {
                bucket.part += 1;
                open = Open { bucket, rows: 0, bytes: 0, until: i64::MIN };
            }
        }
        if known.open.len() >= OPEN_MAX {
            known.open.remove(0);
        }
        known.open.push(open);
        Ok(known.open.len() - 1)
    }

    /// Notes that a bucket is there, for so long.
    async fn note_bucket(
        &self,
        stream: &StreamName,
        topic: &Topic,
        known: &Known,
        at: usize,
        (ttl, stamp): (i32, i64),
    ) -> Result<(), StoreError> {
        let bucket = known.open[at].bucket;
        let row_bytes = known.density.row_bytes().and_then(|bytes| i32::try_from(bytes).ok());
        let (end, width, part) = (bucket.end(), bucket.width, bucket.part);
        let row = (stream.as_str(), topic.as_str(), end, width, part, row_bytes, ttl, stamp);
        self.0.calls.run("open a bucket", &self.0.statements.insert_bucket, row).await.map(|_| ())
    }
}

impl Known {
    fn observe(&mut self, messages: &[&Message]) {
        let times = || messages.iter().map(|message| message.time.0);
        if let (Some(first), Some(last)) = (times().min(), times().max()) {
            let bytes = messages.iter().map(|message| size(message)).sum();
            self.density.observe(messages.len() as u64, bytes, first, last);
        }
    }

    /// An open bucket for a message of `time`, the one used last first.
    fn open_for(&mut self, time: i64) -> Option<usize> {
        let at = self.open.iter().rposition(|open| open.bucket.covers(time) && open.has_room())?;
        let last = self.open.len() - 1;
        self.open[at..].rotate_left(1);
        Some(last)
    }
}

fn size(message: &Message) -> u64 {
    (message.raw.len() + message.key.len()) as u64 + ROW_BYTES
}
