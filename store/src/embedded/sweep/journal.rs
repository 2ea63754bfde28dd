//! Sweeping a partition's journal, and the messages that it names.

use std::collections::{BTreeSet, HashMap};

use schema::{PartitionId, Sequence, StreamName, Timestamp, Topic};

use super::super::blocking::{Fault, lock};
use super::super::keys;
use super::super::tables::Tables;
use super::super::values::{self, Entries, Span};
use super::{Allowance, Swept};

/// Writers of messages wait while rows that hold so many are removed.
const MESSAGES_PER_STEP: usize = 1_000;
/// How many rows without messages are looked through for the next that has some.
const EMPTY_ROWS_MAX: usize = 100_000;

/// Journal rows to be removed as one, and the messages that they name.
#[derive(Default)]
struct Step {
    rows: Vec<Vec<u8>>,
    last: Option<Sequence>,
    /// The messages' keys, by topic.
    messages: HashMap<Topic, BTreeSet<Vec<u8>>>,
    size: usize,
}

impl Tables {
    /// Removes a partition's journal rows whose newest message arrived before `cutoff`, up to the first that stays.
    pub(super) fn sweep_journal(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        now: Timestamp,
        cutoff: Timestamp,
        allowance: &mut Allowance,
        swept: &mut Swept,
    ) -> Result<(), Fault> {
        let prefix = keys::partition(stream, partition);
        let lease = self.lease(&keys::meta_lease(stream, partition))?;
        let checkpoint = lease.map_or(Sequence::ZERO, |lease| lease.checkpoint);
        let mut empty_until = None;
        let mut step = Step::default();
        for row in self.journal.prefix(&prefix) {
            let (key, value) = row.into_inner()?;
            let (last, _) = keys::read_journal(&key[prefix.len()..]).ok_or_else(unreadable)?;
            if last > checkpoint {
                break;
            }
            let expired = match Entries::newest_arrival(&value).ok_or_else(unreadable)? {
                Some(newest) => newest < cutoff,
                None => {
                    if empty_until < Some(last) {
                        empty_until = self.empty_until(stream, partition, &key, now, cutoff)?;
                    }
                    empty_until >= Some(last)
                }
            };
            if !expired {
                break;
            }
            if allowance.spent() {
                swept.more = true;
                break;
            }
            let entries = Entries::decode(&value).ok_or_else(unreadable)?;
            allowance.take(1 + entries.len());
            step.add(stream, partition, key.to_vec(), last, entries);
            if step.size >= MESSAGES_PER_STEP {
                self.remove(stream, partition, std::mem::take(&mut step), swept)?;
            }
        }
        self.remove(stream, partition, step, swept)
    }

    /// Up to where rows without messages are past the cutoff, from the one under `key` on. Nobody knows when such a row
    /// was written: it goes with the next that has messages, or once it was seen by a sweep that long ago.
    fn empty_until(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        key: &[u8],
        now: Timestamp,
        cutoff: Timestamp,
    ) -> Result<Option<Sequence>, Fault> {
        let prefix = keys::partition(stream, partition);
        let (first, _) = keys::read_journal(&key[prefix.len()..]).ok_or_else(unreadable)?;
        let mut empty = first;
        for row in self.journal.range(key..&keys::end(prefix.clone())[..]).take(EMPTY_ROWS_MAX) {
            let (key, value) = row.into_inner()?;
            let (last, _) = keys::read_journal(&key[prefix.len()..]).ok_or_else(unreadable)?;
            match Entries::newest_arrival(&value).ok_or_else(unreadable)? {
                Some(newest) => return Ok((newest < cutoff).then_some(last)),
                None => empty = last,
            }
        }
        let seen_key = keys::meta_seen(stream, partition);
        let seen = match self.meta.get(&seen_key)? {
            Some(value) => Some(values::read_mark(&value).ok_or_else(unreadable)?),
            None => None,
        };
        match seen {
            Some((seen, at)) if seen >= first => Ok((at < cutoff).then_some(seen)),
            _ => {
                self.meta.insert(seen_key, values::mark(&empty, now))?;
                Ok(None)
            }
        }
    }

    /// Removes the rows of a step, their messages, and the topics left empty, and marks how far the journal is gone: all
    /// of it or nothing.
    fn remove(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        step: Step,
        swept: &mut Swept,
    ) -> Result<(), Fault> {
        let Some(last) = step.last else { return Ok(()) };
        let mut batch = self.db.batch();
        let mut table = lock(&self.topic_table);
        let mut changed = Vec::new();
        let (mut messages, mut topics) = (0, 0);
        for (topic, gone) in step.messages {
            let key = keys::topic(stream, topic.as_str());
            if let Some(span) = table.span(self, &key)? {
                let left = self.span_without(stream, &topic, span, &gone)?;
                match left {
                    Some(left) if left == span => {}
                    Some(left) => batch.insert(&self.topics, key.clone(), left.encode()),
                    None => {
                        topics += 1;
                        batch.remove(&self.topics, key.clone());
                    }
                }
                changed.push((key, left));
            }
            messages += gone.len();
            for key in gone {
                batch.remove(&self.messages, key);
            }
        }
        let rows = step.rows.len();
        for key in step.rows {
            batch.remove(&self.journal, key);
        }
        let key = keys::meta_trimmed(stream, partition);
        let trimmed = match self.meta.get(&key)? {
            Some(value) => values::read_mark(&value).ok_or_else(unreadable)?.0,
            None => Sequence::ZERO,
        };
        // A zombie's late row is swept again, behind the mark.
        batch.insert(&self.meta, key, values::mark(&last.max(trimmed), Timestamp(0)));
        batch.commit()?;
        for (key, left) in changed {
            match left {
                Some(span) => table.remember(key, span),
                None => table.forget(&key),
            }
        }
        swept.messages += messages;
        swept.journal_rows += rows;
        swept.topics += topics;
        Ok(())
    }

    /// What a topic spans without the rows in `gone`; `None` if nothing is left of it.
    fn span_without(
        &self,
        stream: &StreamName,
        topic: &Topic,
        span: Span,
        gone: &BTreeSet<Vec<u8>>,
    ) -> Result<Option<Span>, Fault> {
        let prefix = keys::topic_rows(stream, topic);
        let end = keys::end(prefix.clone());
        let time_of =
            |key: &[u8]| Ok::<_, Fault>(keys::read_time(&key[prefix.len()..]).ok_or_else(unreadable)?.0);
        let Some(oldest) = gone.first() else { return Ok(Some(span)) };
        let oldest = time_of(oldest)?;
        if span.first < oldest {
            // Most likely an older message stays. Newest first, as what was removed before is stepped over.
            for row in self.messages.range(&prefix[..]..&end[..]).rev() {
                if !gone.contains(&*row.key()?) {
                    return Ok(Some(span));
                }
            }
            return Ok(None);
        }
        for row in self.messages.range(keys::from_time(&prefix, oldest)..end) {
            let key = row.key()?;
            if !gone.contains(&*key) {
                return Ok(Some(Span { first: time_of(&key)?, ..span }));
            }
        }
        Ok(None)
    }
}

impl Step {
    fn add(
        &mut self,
        stream: &StreamName,
        partition: &PartitionId,
        key: Vec<u8>,
        last: Sequence,
        entries: Entries,
    ) {
        self.rows.push(key);
        self.last = Some(last);
        self.size += 1 + entries.len();
        for (topic, position, time) in entries.positions(partition) {
            let key = keys::message(&keys::topic_rows(stream, &topic), time, &position);
            self.messages.entry(topic).or_default().insert(key);
        }
    }
}

fn unreadable() -> Fault {
    Fault::corrupt("a journal row, or a mark of one")
}
