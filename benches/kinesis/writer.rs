//! The bare batch writer: messages that lie ready in memory go into a store, with journal and checkpoints, and nothing else is done.

use std::sync::Arc;

use schema::{Message, PartitionId, Position, Stream, StreamName, TimeSource, Timestamp, Topic};
use store::testing::cql;
use store::{JournalRow, Store, StreamRecord};

use crate::emulator::record;

/// As many messages in a journal row, and as many rows between two checkpoints, as the consumer's defaults have.
const BATCH: usize = 4_096;
const CHECKPOINT: usize = 50_000;

/// What the writer has ready: the batches of each partition.
pub struct Ready {
    stream: StreamName,
    partitions: Vec<(PartitionId, Vec<Arc<JournalRow>>)>,
}

impl Ready {
    /// So many messages, of as many partitions.
    pub async fn new(stream: &str, count: usize, partitions: u32, store: &Arc<dyn Store>) -> Self {
        let name = StreamName::new(stream).expect("a good name");
        let record = StreamRecord::new(Stream::with_defaults(name.clone()), &[]);
        assert!(store.put_stream(&record).await.expect("the stream"));
        let each = count / partitions as usize;
        let of = |number: u32| {
            let partition = PartitionId::embedded(number);
            let message = |n: usize| message(&partition, number as usize * each + n, n);
            let batches = (0..each).step_by(BATCH).map(|start| {
                let messages = (start..each.min(start + BATCH)).map(message).collect();
                let (after, last) = ((start as u64).into(), (each.min(start + BATCH) as u64).into());
                Arc::new(JournalRow { after, last, messages, children: Vec::new() })
            });
            (partition.clone(), batches.collect())
        };
        Self { stream: name, partitions: (0..partitions).map(of).collect() }
    }

    /// Writes all of it, all partitions at the same time.
    pub async fn write(self, store: &Arc<dyn Store>) {
        let writers = self.partitions.into_iter().map(|(partition, batches)| {
            let (stream, store) = (self.stream.clone(), store.clone());
            tokio::spawn(async move {
                let lease = store.claim_lease(&stream, &partition).await.expect("a lease");
                let (mut unmarked, count) = (0, batches.len());
                for (at, batch) in batches.into_iter().enumerate() {
                    store.write_messages(&stream, &batch.messages).await.expect("messages");
                    store.append_journal(&stream, &partition, &batch).await.expect("the journal");
                    unmarked += batch.messages.len();
                    if unmarked >= CHECKPOINT || at + 1 == count {
                        let held = store.checkpoint(&stream, &partition, lease.epoch, batch.last).await;
                        assert!(held.expect("a checkpoint"));
                        unmarked = 0;
                    }
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.expect("it writes");
        }
    }
}

/// What record `n` of all becomes, the `sequence`th of its partition.
fn message(partition: &PartitionId, n: usize, sequence: usize) -> Message {
    let (key, raw) = record(n);
    let now = Timestamp(cql::now().0);
    Message {
        topic: Topic::new(&key).expect("a good topic"),
        time: now,
        time_source: TimeSource::Arrival,
        arrived_at: now,
        position: Position { partition: partition.clone(), sequence: (sequence as u64 + 1).into(), sub: 0 },
        key: key.into(),
        raw: raw.into(),
    }
}
