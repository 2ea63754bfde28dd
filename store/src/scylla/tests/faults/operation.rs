//! The operations that are put to the test, each of which can tell what it has left behind.

use std::sync::LazyLock;

use schema::Stream;
use schema::shape::Shape;

use super::*;
use crate::{
    Catalog, DeadLetter, DeadLetters, Entries, Entry, IdClaim, Ids, Journal, JournalRow, Leases, Messages,
    Next, StoreError, StreamRecord, TopicFilter,
};

const START: i64 = 1_700_000_000_000_000;

/// What a store is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// One row by itself: a journal row.
    Plain,
    /// Many rows in one request.
    Batch,
    /// Claims of ids, which are writes and then reads.
    Ids,
    /// A page of a topic, and the journal.
    Read,
    /// A lease.
    Claim,
    /// A checkpoint.
    Checkpoint,
    /// A stream.
    Catalog,
    /// A document that all nodes share is written.
    Entry,
    /// It is removed.
    Removal,
}

/// A stream made ready for an operation.
pub(super) struct Ready {
    pub(super) stream: StreamName,
    epoch: u64,
}

impl Operation {
    pub(super) const ALL: [Self; 9] = [
        Self::Plain,
        Self::Batch,
        Self::Ids,
        Self::Read,
        Self::Claim,
        Self::Checkpoint,
        Self::Catalog,
        Self::Entry,
        Self::Removal,
    ];

    /// The statement that it stands for.
    pub(super) fn statement(self, store: &Scylla) -> Bytes {
        let statements = &store.0.statements;
        let statement = match self {
            Self::Plain => &statements.insert_journal,
            Self::Batch => &statements.insert_message,
            Self::Ids => &statements.ids_before,
            Self::Read => &statements.messages_ascending,
            Self::Claim => &statements.claim_lease,
            Self::Checkpoint => &statements.checkpoint,
            Self::Catalog => &statements.next_entry,
            Self::Entry => &statements.first_entry,
            Self::Removal => &statements.remove_entry,
        };
        statement.get_id().clone()
    }

    /// What must be there before, written by a store without faults; `store` claims the partition itself.
    pub(super) async fn prepare(self, store: &Scylla, straight: &Scylla) -> Ready {
        let stream = stream("fault");
        if self == Self::Catalog {
            assert!(straight.put_stream(&record(&stream, 1)).await.unwrap());
        }
        if self == Self::Removal {
            assert!(straight.put_entry(stream.as_str(), &entry()).await.unwrap());
        }
        let mut epoch = straight.claim_lease(&stream, &partition()).await.unwrap().epoch;
        match self {
            Self::Read => straight.write_messages(&stream, &messages()).await.unwrap(),
            Self::Plain | Self::Checkpoint => {
                epoch = store.claim_lease(&stream, &partition()).await.unwrap().epoch;
            }
            _ => {}
        }
        if self == Self::Checkpoint {
            store.append_journal(&stream, &partition(), &row()).await.unwrap();
        }
        Ready { stream, epoch }
    }

    /// Does it once.
    pub(super) async fn run(self, store: &Scylla, ready: &Ready) -> Result<(), StoreError> {
        let stream = &ready.stream;
        match self {
            Self::Plain => store.append_journal(stream, &partition(), &row()).await,
            Self::Batch => store.write_messages(stream, &messages()).await,
            Self::Ids => {
                let earlier = store.claim_ids(stream, &[claim(1), claim(2)], 1_000).await?;
                assert_eq!(earlier, [false, true]);
                Ok(())
            }
            Self::Read => {
                let rows = store.read_topic(stream, &topic(), page(Order::Ascending, 100)).await?;
                assert_eq!(rows, messages());
                Ok(())
            }
            Self::Claim => store.claim_lease(stream, &partition()).await.map(|lease| {
                assert!(lease.epoch > ready.epoch);
            }),
            Self::Checkpoint => {
                let moved = store.checkpoint(stream, &partition(), ready.epoch, 3.into()).await?;
                assert!(moved, "an owner is told that it is none");
                Ok(())
            }
            Self::Entry => {
                let put = store.put_entry(stream.as_str(), &entry()).await?;
                assert!(
                    put || store.entry(stream.as_str(), "e").await? == Some(entry()),
                    "nobody else has written"
                );
                Ok(())
            }
            Self::Removal => {
                let removed = store.remove_entry(stream.as_str(), "e", 1).await?;
                assert!(
                    removed || store.entry(stream.as_str(), "e").await?.is_none(),
                    "nobody else has written"
                );
                Ok(())
            }
            Self::Catalog => {
                let next = record(stream, 2);
                let put = store.put_stream(&next).await?;
                assert!(put || store.streams().await?.contains(&next), "nobody else has written");
                Ok(())
            }
        }
    }

    /// Whether it has been done, once and wholly, as somebody else sees it; never is it done in part.
    pub(super) async fn is_done(self, straight: &Scylla, ready: &Ready) -> bool {
        let (stream, p) = (&ready.stream, partition());
        let lease = straight.lease(stream, &p).await.unwrap().unwrap();
        let next = straight.next_journal(stream, &p, 0.into()).await.unwrap();
        match self {
            Self::Plain => next == Next::Row(row()),
            Self::Batch => {
                let rows = straight.read_topic(stream, &topic(), page(Order::Ascending, 100)).await.unwrap();
                assert!(rows.is_sorted_by(|a, b| a.time < b.time), "a row is there twice");
                rows == messages()
            }
            Self::Claim => lease.epoch as u64 > ready.epoch,
            Self::Checkpoint => {
                assert_eq!(next, Next::Row(row()), "a checkpoint is of no use without its row");
                assert_eq!(lease.epoch as u64, ready.epoch);
                assert!(lease.checkpoint <= 3.into(), "the checkpoint is ahead");
                lease.checkpoint == 3.into()
            }
            Self::Catalog => {
                let streams = straight.streams().await.unwrap();
                let mine: Vec<_> = streams.iter().filter(|record| record.name() == stream).collect();
                assert_eq!(mine.len(), 1);
                mine[0].version == 2
            }
            Self::Entry => straight.entry(stream.as_str(), "e").await.unwrap() == Some(entry()),
            Self::Removal => straight.entry(stream.as_str(), "e").await.unwrap().is_none(),
            Self::Ids | Self::Read => true,
        }
    }

    /// The fault is over: all that the store does works, without its being made anew.
    pub(super) async fn all_works(store: &Scylla, ready: &Ready) {
        let (stream, p) = (&ready.stream, partition());
        let lease = store.claim_lease(stream, &p).await.unwrap();
        store.write_messages(stream, &messages()).await.unwrap();
        store.claim_ids(stream, &[claim(1)], 1_000).await.unwrap();
        let letter = DeadLetter {
            position: message(9, 0).position,
            arrived_at: now(),
            key: "k".into(),
            reason: "r".into(),
            raw: Bytes::new(),
        };
        store.write_dead_letters(stream, std::slice::from_ref(&letter)).await.unwrap();
        let next = JournalRow {
            after: lease.checkpoint,
            last: 9.into(),
            messages: Vec::new(),
            children: Vec::new(),
        };
        store.append_journal(stream, &p, &next).await.unwrap();
        assert!(store.checkpoint(stream, &p, lease.epoch, 9.into()).await.unwrap());
        let rows = store.read_topic(stream, &topic(), page(Order::Descending, 100)).await.unwrap();
        assert!(rows.iter().rev().eq(&messages()));
        let filter = TopicFilter { range: TimeRange::ALL, prefix: String::new(), after: None, limit: 9 };
        assert_eq!(store.topics(stream, filter).await.unwrap().len(), 1);
        assert_eq!(store.dead_letters(stream, None, 9).await.unwrap(), [letter]);
        let shape = Shape { version: 1, ..Shape::default() };
        assert!(store.put_shape(stream, &shape).await.unwrap());
    }
}

fn record(stream: &StreamName, version: u64) -> StreamRecord {
    let definition: Stream = serde_json::from_str(&format!(r#"{{"name":"{stream}"}}"#)).unwrap();
    StreamRecord { version, incarnation: 7, ..StreamRecord::new(definition, &[]) }
}

fn entry() -> Entry {
    Entry { name: "e".into(), version: 1, document: "{}".into() }
}

fn messages() -> Vec<Message> {
    static ARRIVED_AT: LazyLock<Timestamp> = LazyLock::new(now);
    let arrived_at = *ARRIVED_AT;
    (1..=5).map(|number| Message { arrived_at, ..message(number, START + number as i64) }).collect()
}

fn row() -> JournalRow {
    JournalRow { after: 0.into(), last: 3.into(), messages: messages()[..3].to_vec(), children: Vec::new() }
}

fn claim(sequence: u64) -> IdClaim {
    let (key, id) = ("k".into(), "i".to_owned());
    IdClaim { key, id, generation: 0, sequence: sequence.into(), sub: 0, arrived_at: now() }
}
