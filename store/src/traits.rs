//! What a store must do.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use schema::shape::Shape;
use schema::{Message, PartitionId, Position, Sequence, StreamName, TimeRange, Timestamp, Topic};

use crate::{Leases, LetterDecisions, StoreError, StreamRecord};

/// A whole store.
pub trait Store: Messages + Journal + Ids + Leases + Catalog + DeadLetters {}

impl<T: Messages + Journal + Ids + Leases + Catalog + DeadLetters> Store for T {}

/// Which way rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// A row's place within its topic: rows are ordered by time, then position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowMark {
    /// The message's time.
    pub time: Timestamp,
    /// The message's position.
    pub position: Position,
}

impl RowMark {
    /// The place of `message`.
    pub fn of(message: &Message) -> Self {
        Self { time: message.time, position: message.position.clone() }
    }
}

/// What to read of one topic.
#[derive(Clone, Debug)]
pub struct TopicPage {
    /// Rows whose time lies in here.
    pub range: TimeRange,
    /// From which end.
    pub order: Order,
    /// Only rows that come after this place, in `order`.
    pub after: Option<RowMark>,
    /// Only rows that come before this place, in `order`.
    pub before: Option<RowMark>,
    /// At most so many rows, at least 1.
    pub rows_max: usize,
    /// No further row once so many bytes of messages were read. At least one row is given.
    pub bytes_max: usize,
}

/// Which topics to list.
#[derive(Clone, Debug)]
pub struct TopicFilter {
    /// Topics that may have messages in this range: every topic that has one is listed, and some that have none may be.
    pub range: TimeRange,
    /// Topics that begin so.
    pub prefix: String,
    /// Only topics after this one, in byte order.
    pub after: Option<Topic>,
    /// At most so many.
    pub limit: usize,
}

/// A topic, and the time that its messages span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicActivity {
    /// The topic.
    pub topic: Topic,
    /// Time of its first message.
    pub first_time: Timestamp,
    /// Time of its last message.
    pub last_time: Timestamp,
}

/// The messages themselves, by topic and time.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Writes rows of one stream. Writing a row again changes nothing.
    async fn write_messages(&self, stream: &StreamName, messages: &[Message]) -> Result<(), StoreError>;

    /// Reads rows of one topic, ordered by (time, position) as `page` says. Rows that the stream's retention has
    /// passed may be missing.
    async fn read_topic(
        &self,
        stream: &StreamName,
        topic: &Topic,
        page: TopicPage,
    ) -> Result<Vec<Message>, StoreError>;

    /// Lists topics in byte order.
    async fn topics(
        &self,
        stream: &StreamName,
        filter: TopicFilter,
    ) -> Result<Vec<TopicActivity>, StoreError>;
}

/// What one partition accepted, in log order, from one batch. It covers all of `(after, last]`, even where nothing in it
/// was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// The last sequence before this row.
    pub after: Sequence,
    /// The last sequence in this row.
    pub last: Sequence,
    /// The messages, by position.
    pub messages: Vec<Message>,
    /// Where the partition goes on, if this is its end (`last` is [`Sequence::END`]); empty in every other row.
    pub children: Vec<PartitionId>,
}

/// The answer to a reader that has consumed its partition up to some sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The row that covers what comes next. It may begin earlier: drop what was consumed.
    Row(JournalRow),
    /// Nothing more was journaled.
    Wait,
    /// What comes next is gone, by retention or by damage; there is something again after `to`.
    Gap {
        /// The last sequence that is missing.
        to: Sequence,
    },
}

/// Per partition, what was accepted, in log order.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Appends a row. The rows and dead letters of its batch are written already; appending it again changes nothing.
    async fn append_journal(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        row: &JournalRow,
    ) -> Result<(), StoreError>;

    /// What follows `consumed` in a partition. The checkpoint is read before the rows: only so is a gap one.
    async fn next_journal(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        consumed: Sequence,
    ) -> Result<Next, StoreError>;
}

/// A record's claim of the id that its message bears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdClaim {
    /// The partition key: ids are told apart among equal keys.
    pub key: Arc<str>,
    /// The message's id.
    pub id: String,
    /// 1 + the highest generation of the partition's parents: older generations come first.
    pub generation: u32,
    /// Where the record stands.
    pub sequence: Sequence,
    /// Which message of the record.
    pub sub: u32,
    /// When it arrived.
    pub arrived_at: Timestamp,
}

/// The ids of messages, for folding those that a producer sent twice.
#[async_trait]
pub trait Ids: Send + Sync {
    /// Claims all ids, and then says of each whether an *earlier* (generation, sequence, sub) has claimed the same one
    /// of the same key, arriving within `window_micros` of it either way. Claims of the same batch count.
    async fn claim_ids(
        &self,
        stream: &StreamName,
        claims: &[IdClaim],
        window_micros: i64,
    ) -> Result<Vec<bool>, StoreError>;
}

/// Streams and shapes.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// All streams, by name.
    async fn streams(&self) -> Result<Vec<StreamRecord>, StoreError>;

    /// Writes an entry if the one there has `record.version - 1` (none: 0). `false` if it has not: read again.
    async fn put_stream(&self, record: &StreamRecord) -> Result<bool, StoreError>;

    /// A stream's shape, once something was learned.
    async fn shape(&self, stream: &StreamName) -> Result<Option<Shape>, StoreError>;

    /// Writes a shape if the one there has `shape.version - 1` (none: 0). `false` if it has not: read again.
    async fn put_shape(&self, stream: &StreamName, shape: &Shape) -> Result<bool, StoreError>;

    /// A number that is another one after each change of a stream or a shape: cheap enough to ask a few times a second.
    async fn catalog_revision(&self) -> Result<u64, StoreError>;
}

/// A small document that all nodes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is called among those of its kind: text without a zero byte.
    pub name: String,
    /// Counts its changes, from 1.
    pub version: u64,
    /// What it says.
    pub document: String,
}

/// Small documents that all nodes share: few of a kind, and read whole. A kind is a word of the code's.
#[async_trait]
pub trait Entries: Send + Sync {
    /// All entries of a kind, by name.
    async fn entries(&self, kind: &str) -> Result<Vec<Entry>, StoreError>;

    /// One of them, if it is there.
    async fn entry(&self, kind: &str, name: &str) -> Result<Option<Entry>, StoreError>;

    /// Writes an entry, durably, if the one there has `entry.version - 1` (none: 0). `false` if it has not: read again.
    async fn put_entry(&self, kind: &str, entry: &Entry) -> Result<bool, StoreError>;

    /// Removes an entry, durably, if the one there has this version. `false` if it has not: read again. Whoever writes one of that
    /// name later begins with version 1 again.
    async fn remove_entry(&self, kind: &str, name: &str, version: u64) -> Result<bool, StoreError>;

    /// A number that is another one after each change of an entry: cheap enough to ask a few times a second. Read before the entries,
    /// it says of which change they are at least.
    async fn entries_revision(&self) -> Result<u64, StoreError>;
}

/// A record that could not become a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it stands in its log.
    pub position: Position,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// The partition key it came with.
    pub key: Arc<str>,
    /// Why it was set aside: one sentence.
    pub reason: String,
    /// Its bytes, as they came.
    pub raw: Bytes,
}

/// Records that could not become messages.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Keeps them. Keeping one again changes nothing, also where it was removed since: whoever consumes a log writes again
    /// what it had written before a crash.
    async fn write_dead_letters(&self, stream: &StreamName, letters: &[DeadLetter])
    -> Result<(), StoreError>;

    /// One of them, if it is there.
    async fn dead_letter(
        &self,
        stream: &StreamName,
        position: &Position,
    ) -> Result<Option<DeadLetter>, StoreError>;

    /// Removes those that are there, for as long as they would have been kept. Removing one again changes nothing.
    async fn remove_dead_letters(
        &self,
        stream: &StreamName,
        positions: &[Position],
    ) -> Result<(), StoreError>;

    /// What was decided about a stream's dead letters, as of every [`DeadLetters::put_letter_decisions`] that was answered.
    async fn letter_decisions(&self, stream: &StreamName) -> Result<LetterDecisions, StoreError>;

    /// Writes what is decided, for good, if what is there has `decisions.version - 1` (nothing: 0). `false` if it has not: read
    /// again.
    async fn put_letter_decisions(
        &self,
        stream: &StreamName,
        decisions: &LetterDecisions,
    ) -> Result<bool, StoreError>;

    /// Lists them by position, those after `after`.
    async fn dead_letters(
        &self,
        stream: &StreamName,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError>;
}
