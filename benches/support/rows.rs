//! A store that holds rows of one stream in memory, and nothing else: what a query costs without what reading costs.

use async_trait::async_trait;
use schema::shape::{Learner, Opens, Shape};
use schema::{
    Limits, Message, PartitionId, Position, Sequence, Stream, StreamName, TimeSource, Timestamp, Topic,
};
use store::{
    Catalog, DeadLetter, DeadLetters, IdClaim, Ids, Journal, JournalRow, Lease, LeaseState, Leases,
    LetterDecisions, Messages, Next, Registration, Report, StoreError, StreamRecord, TopicActivity,
    TopicFilter, TopicPage,
};

/// Rows of one stream and one topic.
pub struct Rows {
    pub record: StreamRecord,
    pub shape: Shape,
    pub messages: Vec<Message>,
}

/// A reading of a device, of about 300 bytes, with five nested fields that a query asks for.
pub fn reading(n: u64) -> String {
    format!(
        r#"{{"id":"{n:036}","site":"plant-{}","device":{{"name":"pump-{}","firmware":"4.11.{}","tags":["north","cold"]}},"reading":{{"temperature":{}.{},"pressure":{},"status":"ok","ok":{},"unit":"bar"}},"operator":"shift-{}","note":"nothing to report from this round of the night watch"}}"#,
        n % 7,
        n % 50,
        n % 9,
        20 + n % 10,
        n % 10,
        1_000 + n % 37,
        n.is_multiple_of(3),
        n % 4
    )
}

/// The query that the benches run over them.
pub const QUERY: &str = "{ readings(last: 1000) { nodes { data { reading { temperature pressure status ok } device { name } } } } }";

impl Rows {
    /// `count` readings of topic `t`.
    pub fn new(count: u64) -> Self {
        let name = StreamName::new("readings").expect("a good name");
        let record = StreamRecord::new(Stream::with_defaults(name), &[]);
        let (limits, opens) = (Limits::default(), Opens::default());
        let mut shape = Shape::default();
        let mut learned = shape.learned.clone();
        let message = |n: u64| Message {
            topic: Topic::new("t").expect("a good topic"),
            time: Timestamp(1_600_000_000_000_000 + n as i64 * 1_000_000),
            time_source: TimeSource::Message,
            arrived_at: Timestamp(1_600_000_000_000_000 + n as i64 * 1_000_000),
            position: Position { partition: PartitionId::embedded(0), sequence: (n + 1).into(), sub: 0 },
            key: "t".into(),
            raw: reading(n).into(),
        };
        let messages: Vec<Message> = (0..count).map(message).collect();
        for message in messages.iter().take(100) {
            let mut learner = Learner::new(&learned, &opens, &limits);
            learner.learn(&mut learned, &message.raw).expect("good JSON");
        }
        shape = shape.grown(learned, &record.type_name, &limits);
        Self { record, shape, messages }
    }
}

#[async_trait]
impl Messages for Rows {
    async fn write_messages(&self, _: &StreamName, _: &[Message]) -> Result<(), StoreError> {
        Err(no_write())
    }

    async fn read_topic(
        &self,
        _: &StreamName,
        _: &Topic,
        page: TopicPage,
    ) -> Result<Vec<Message>, StoreError> {
        Ok(self.messages.iter().rev().take(page.rows_max).cloned().collect())
    }

    async fn topics(&self, _: &StreamName, _: TopicFilter) -> Result<Vec<TopicActivity>, StoreError> {
        let (first, last) = (&self.messages[0], &self.messages[self.messages.len() - 1]);
        Ok(vec![TopicActivity { topic: first.topic.clone(), first_time: first.time, last_time: last.time }])
    }
}

#[async_trait]
impl Catalog for Rows {
    async fn streams(&self) -> Result<Vec<StreamRecord>, StoreError> {
        Ok(vec![self.record.clone()])
    }

    async fn put_stream(&self, _: &StreamRecord) -> Result<bool, StoreError> {
        Err(no_write())
    }

    async fn shape(&self, _: &StreamName) -> Result<Option<Shape>, StoreError> {
        Ok(Some(self.shape.clone()))
    }

    async fn put_shape(&self, _: &StreamName, _: &Shape) -> Result<bool, StoreError> {
        Err(no_write())
    }

    async fn catalog_revision(&self) -> Result<u64, StoreError> {
        Ok(1)
    }
}

#[async_trait]
impl Journal for Rows {
    async fn append_journal(
        &self,
        _: &StreamName,
        _: &PartitionId,
        _: &JournalRow,
    ) -> Result<(), StoreError> {
        Err(no_write())
    }

    async fn next_journal(&self, _: &StreamName, _: &PartitionId, _: Sequence) -> Result<Next, StoreError> {
        Ok(Next::Wait)
    }
}

#[async_trait]
impl Ids for Rows {
    async fn claim_ids(&self, _: &StreamName, _: &[IdClaim], _: i64) -> Result<Vec<bool>, StoreError> {
        Err(no_write())
    }
}

#[async_trait]
impl Leases for Rows {
    async fn register_partition(&self, _: &StreamName, _: &Registration) -> Result<(), StoreError> {
        Err(no_write())
    }

    async fn forget_partition(&self, _: &StreamName, _: &PartitionId) -> Result<bool, StoreError> {
        Err(no_write())
    }

    async fn claim_lease_if(
        &self,
        _: &StreamName,
        _: &PartitionId,
        _: &str,
        _: u64,
    ) -> Result<Option<Lease>, StoreError> {
        Err(no_write())
    }

    async fn renew_lease(
        &self,
        _: &StreamName,
        _: &PartitionId,
        _: u64,
        _: Report,
    ) -> Result<(), StoreError> {
        Err(no_write())
    }

    async fn ask_for_lease(
        &self,
        _: &StreamName,
        _: &PartitionId,
        _: u64,
        _: &str,
    ) -> Result<bool, StoreError> {
        Err(no_write())
    }

    async fn release_lease(&self, _: &StreamName, _: &PartitionId, _: u64) -> Result<bool, StoreError> {
        Err(no_write())
    }

    async fn claim_lease(&self, _: &StreamName, _: &PartitionId) -> Result<Lease, StoreError> {
        Err(no_write())
    }

    async fn checkpoint(
        &self,
        _: &StreamName,
        _: &PartitionId,
        _: u64,
        _: Sequence,
    ) -> Result<bool, StoreError> {
        Err(no_write())
    }

    async fn leases(&self, _: &StreamName) -> Result<Vec<LeaseState>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl DeadLetters for Rows {
    async fn write_dead_letters(&self, _: &StreamName, _: &[DeadLetter]) -> Result<(), StoreError> {
        Err(no_write())
    }

    async fn dead_letter(&self, _: &StreamName, _: &Position) -> Result<Option<DeadLetter>, StoreError> {
        Ok(None)
    }

    async fn remove_dead_letters(&self, _: &StreamName, _: &[Position]) -> Result<(), StoreError> {
        Err(no_write())
    }

    async fn letter_decisions(&self, _: &StreamName) -> Result<LetterDecisions, StoreError> {
        Ok(LetterDecisions::default())
    }

    async fn put_letter_decisions(&self, _: &StreamName, _: &LetterDecisions) -> Result<bool, StoreError> {
        Err(no_write())
    }

    async fn dead_letters(
        &self,
        _: &StreamName,
        _: Option<Position>,
        _: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        Ok(Vec::new())
    }
}

fn no_write() -> StoreError {
    StoreError::Open("these rows are only read".into())
}
