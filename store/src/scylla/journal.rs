//! The journal: what each batch accepted, in log order, whole.

use async_trait::async_trait;
use schema::{PartitionId, Sequence, StreamName, Timestamp};

use super::slots::{Holding, LeaseRow, bytes, sequence};
use super::{Scylla, ahead, batch};
use crate::{Journal, JournalRow, Next, StoreError};

/// Rows of one look past those that do not follow.
const LOOK: i32 = 1_000;

#[async_trait]
impl Journal for Scylla {
    /// The row goes into the newest slot that this process knows of. A zombie's goes into an older one, where no reader
    /// looks for what its successor has written. A checkpoint in doubt that may have rolled the slot is settled first.
    async fn append_journal(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        row: &JournalRow,
    ) -> Result<(), StoreError> {
        let rule = self.expiry(stream).await?;
        let now = (self.0.clock)();
        let holding = self.0.partitions.held.partition(stream, partition);
        let mut holding = holding.lock().await;
        if holding.is_none() {
            let lease = self.lease(stream, partition).await?;
            let lease = lease.unwrap_or_else(|| LeaseRow::unclaimed(now));
            *holding = Some(Holding { appended: Sequence::ZERO, lease, in_doubt: None });
        }
        self.settle_doubt(stream, partition, &mut holding, &rule).await?;
        let Some(held) = holding.as_mut() else { return Ok(()) };
        let batch = batch::encode(&row.messages, &row.children);
        // Of a row without messages nobody knows when it arrived: it stays as if it had now.
        let arrived_at = row.messages.iter().map(|message| message.arrived_at).max().unwrap_or(now);
        let ttl = rule.ttl(rule.until(arrived_at));
        let size = batch.len() as i64;
        let slot = bytes(&held.lease.newest());
        let values =
            (stream.as_str(), partition.as_str(), slot, bytes(&row.last), bytes(&row.after), batch, ttl);
        self.0.calls.run("append to the journal", &self.0.statements.insert_journal, values).await?;
        held.lease.filled = (held.lease.filled.0 + 1, held.lease.filled.1 + size);
        held.appended = held.appended.max(row.last);
        Ok(())
    }

    async fn next_journal(
        &self,
        stream: &StreamName,
        partition: &PartitionId,
        consumed: Sequence,
    ) -> Result<Next, StoreError> {
        if let Some(row) = self.0.ahead.get(stream, partition, consumed) {
            return Ok(Next::Row(row));
        }
        // Before the rows: only so is a gap one.
        let lease = self.lease(stream, partition).await?;
        let lease = lease.unwrap_or_else(|| LeaseRow::unclaimed(Timestamp(0)));
        let place = Place { store: self, stream, partition };
        let (behind, ahead): (Vec<Sequence>, Vec<Sequence>) =
            lease.slots.iter().map(|(start, _)| *start).partition(|start| *start <= consumed);
        let mut resume: Option<Sequence> = None;
        if let Some(slot) = behind.last() {
            let rows = place.rows(slot, &consumed, ahead::rows_at_once(&lease, slot)).await?;
            match rows.first() {
                Some(row) if row.after <= consumed => {
                    // What follows it, row by row, as far as this slot is where to look for it.
                    let follows = |pair: &[JournalRow]| {
                        pair[0].last == pair[1].after
                            && ahead.first().is_none_or(|next| pair[1].after < *next)
                    };
                    let chain = 1 + rows.windows(2).take_while(|pair| follows(pair)).count();
                    self.0.ahead.put(stream, partition, &rows[..chain]);
                    return Ok(rows.into_iter().next().map_or(Next::Wait, Next::Row));
                }
                None => {}
                Some(_) => match place.scan(slot, &consumed).await? {
                    Scanned::Row(row) => return Ok(Next::Row(row)),
                    Scanned::Resume(after) => resume = after,
                },
            }
        }
        if consumed >= lease.checkpoint {
            return Ok(Next::Wait);
        }
        // It was written once and is not there now. What is ahead begins where a row of this slot or of a later one does.
        for slot in &ahead {
            if resume.is_some() {
                break;
            }
            resume = place.rows(slot, &consumed, 1).await?.first().map(|row| row.after);
        }
        let to = resume.map_or(lease.checkpoint, |resume| resume.min(lease.checkpoint));
        Ok(Next::Gap { to })
    }
}

/// What was found beyond the first row.
enum Scanned {
    Row(JournalRow),
    /// No row follows; the least `after` of those ahead.
    Resume(Option<Sequence>),
}

/// One partition's journal.
struct Place<'a> {
    store: &'a Scylla,
    stream: &'a StreamName,
    partition: &'a PartitionId,
}

impl Place<'_> {
    /// The first rows of a slot that end beyond `consumed`: nearly always the first is the one that follows.
    async fn rows(
        &self,
        slot: &Sequence,
        consumed: &Sequence,
        count: i32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let key = (self.stream.as_str(), self.partition.as_str(), bytes(slot), bytes(consumed), count);
        let found = self.store.0.calls.query(DOING, &self.store.0.statements.next_journal, key).await?;
        let found = found.rows::<(&[u8], &[u8], &[u8])>();
        let found = found.map_err(|error| StoreError::unavailable(DOING, error))?;
        let mut rows = Vec::with_capacity(count as usize);
        for row in found {
            let (last, after, batch) = row.map_err(|error| StoreError::unavailable(DOING, error))?;
            let (last, after) = sequence(last).zip(sequence(after)).ok_or_else(corrupt)?;
            let (messages, children) = batch::decode(batch, self.partition).ok_or_else(corrupt)?;
            rows.push(JournalRow { after, last, messages, children });
        }
        Ok(rows)
    }

    /// The first row of a slot that covers what comes after `consumed`, whatever lies before it: rows that were cut
    /// otherwise, by a zombie or before a crash.
    async fn scan(&self, slot: &Sequence, consumed: &Sequence) -> Result<Scanned, StoreError> {
        let mut resume: Option<Sequence> = None;
        // No sequence is as long as this says, so it is behind all rows that end at `consumed`.
        let mut from = (bytes(consumed), vec![u8::MAX]);
        loop {
            let key = (self.stream.as_str(), self.partition.as_str(), bytes(slot), &from.0, &from.1, LOOK);
            let rows = self.store.0.calls.query(DOING, &self.store.0.statements.scan_journal, key).await?;
            let more = rows.rows_num() >= LOOK as usize;
            for row in rows.rows::<(&[u8], &[u8])>().map_err(|error| StoreError::unavailable(DOING, error))? {
                let (last, after) = row.map_err(|error| StoreError::unavailable(DOING, error))?;
                let start = sequence(after).ok_or_else(corrupt)?;
                if start <= *consumed {
                    return self.row(slot, last, after).await.map(Scanned::Row);
                }
                resume = Some(resume.map_or(start, |resume| resume.min(start)));
                from = (last.to_vec(), after.to_vec());
            }
            if !more {
                return Ok(Scanned::Resume(resume));
            }
        }
    }

    async fn row(&self, slot: &Sequence, last: &[u8], after: &[u8]) -> Result<JournalRow, StoreError> {
        let key = (self.stream.as_str(), self.partition.as_str(), bytes(slot), last, after);
        let rows = self.store.0.calls.query(DOING, &self.store.0.statements.journal_row, key).await?;
        let row = rows.first_row::<(&[u8],)>();
        let (batch,) = row.map_err(|error| StoreError::unavailable(DOING, error))?;
        let (messages, children) = batch::decode(batch, self.partition).ok_or_else(corrupt)?;
        let (last, after) = sequence(last).zip(sequence(after)).ok_or_else(corrupt)?;
        Ok(JournalRow { after, last, messages, children })
    }
}

const DOING: &str = "read the journal";

fn corrupt() -> StoreError {
    StoreError::Corrupt { what: "a journal row".into() }
}
