//! The journal: where the messages of each batch lie, in log order.

use async_trait::async_trait;
use bytes::Bytes;
use fjall::{Readable, Snapshot};
use schema::{Message, PartitionId, Sequence, StreamName};

use super::Embedded;
use super::blocking::Fault;
use super::keys;
use super::tables::Tables;
use super::values::{self, Entries, LeaseValue, MessageReader};
use crate::{Journal, JournalRow, Next, StoreError};

#[async_trait]
impl Journal for Embedded {
    async fn append_journal(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        row: &JournalRow,
    ) -> Result<(), StoreError> {
        let key = keys::journal(&keys::partition(stream, partition), &row.last, &row.after);
        let value = Entries::encode(row);
        self.write("append to the journal", move |tables| {
            // A row is never changed once it is there.
            if !tables.journal.contains_key(&key)? {
                tables.journal.insert(key, value)?;
            }
            Ok(())
        })
        .await
    }

    async fn next_journal(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        consumed: Sequence,
    ) -> Result<Next, StoreError> {
        let (stream, partition) = (stream.clone(), partition.clone());
        self.read("read the journal", move |tables| tables.next_journal(&stream, &partition, consumed)).await
    }
}

/// What a journal row holds.
enum Loaded {
    /// The messages, and the children.
    Whole(Vec<Message>, Vec<PartitionId>),
    /// Some beyond what was consumed are gone, the last of them here.
    Torn(Sequence),
}

impl Tables {
    fn next_journal(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        consumed: Sequence,
    ) -> Result<Next, Fault> {
        // One view for the checkpoint, the rows and the messages: what is written or swept meanwhile is not seen half.
        let view = self.db.snapshot();
        let checkpoint = match view.get(&self.meta, keys::meta_lease(stream, partition))? {
            Some(value) => LeaseValue::decode(&value).ok_or_else(|| Fault::corrupt("a lease"))?.checkpoint,
            None => Sequence::ZERO,
        };
        let trimmed = match view.get(&self.meta, keys::meta_trimmed(stream, partition))? {
            Some(value) => values::read_mark(&value).ok_or_else(|| Fault::corrupt("a sweep's mark"))?.0,
            None => Sequence::ZERO,
        };
        if consumed < trimmed {
            return Ok(Next::Gap { to: trimmed });
        }

        let prefix = keys::partition(stream, partition);
        let start = keys::journal_beyond(&prefix, &consumed);
        let mut resume: Option<Sequence> = None;
        // The first row nearly always is the one; further ones are looked at only where history is damaged.
        for row in view.range(&self.journal, start..keys::end(prefix.clone())) {
            let (key, value) = row.into_inner()?;
            let (last, after) =
                keys::read_journal(&key[prefix.len()..]).ok_or_else(|| Fault::corrupt("a journal row"))?;
            let again_from = if after > consumed {
                after
            } else {
                match self.load(&view, stream, partition, &value, consumed)? {
                    Loaded::Whole(messages, children) => {
                        return Ok(Next::Row(JournalRow { after, last, messages, children }));
                    }
                    Loaded::Torn(to) => to,
                }
            };
            resume = Some(resume.map_or(again_from, |resume| resume.min(again_from)));
        }
        Ok(match resume {
            _ if consumed >= checkpoint => Next::Wait,
            Some(resume) => Next::Gap { to: resume.min(checkpoint) },
            None => Next::Gap { to: checkpoint },
        })
    }

    /// The messages that a journal row names, and its children.
    fn load(
        &self,
        view: &Snapshot,
        stream: &StreamName,
        partition: &PartitionId,
        value: &[u8],
        consumed: Sequence,
    ) -> Result<Loaded, Fault> {
        let mut entries = Entries::decode(value).ok_or_else(|| Fault::corrupt("a journal row"))?;
        let children = std::mem::take(&mut entries.children);
        let mut messages = Vec::with_capacity(entries.len());
        let mut torn = None;
        let mut rows = Vec::new();
        let mut reader: Option<MessageReader> = None;
        for (topic, position, time) in entries.positions(partition) {
            let reader = match &mut reader {
                Some(reader) if *reader.topic() == topic => reader,
                other => {
                    rows = keys::topic_rows(stream, &topic);
                    other.insert(MessageReader::new(topic))
                }
            };
            let key = keys::message(&rows, time, &position);
            match view.get(&self.messages, &key)? {
                Some(value) => {
                    let message = reader.read(&key[rows.len()..], &Bytes::from(value));
                    messages.push(message.ok_or_else(|| Fault::corrupt("a message"))?);
                }
                None if position.sequence > consumed => torn = torn.max(Some(position.sequence)),
                None => {}
            }
        }
        Ok(torn.map_or(Loaded::Whole(messages, children), Loaded::Torn))
    }
}
