//! The journal: a reader neither skips nor repeats, and is told where history is gone.

use schema::{Message, Sequence, StreamName};

use super::Outcome;
use super::fixture::{Turns, fresh_stream, message, partition, position, seeds, sequence};
use crate::{JournalRow, Next, Store};

/// Rows that follow each other, as one worker writes them: read one by one, and from their midst.
pub async fn a_reader_gets_every_row_once_and_waits<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("journal");
    let (p, other) = (partition(0), partition(1));
    assert_eq!(store.next_journal(&stream, &p, Sequence::ZERO).await?, Next::Wait);
    let epoch = store.claim_lease(&stream, &p).await?.epoch;
    assert_eq!(store.next_journal(&stream, &p, Sequence::ZERO).await?, Next::Wait);
    for (after, last) in [(0, 3), (3, 4), (4, 9)] {
        append(store, &stream, after, last, &[]).await?;
    }
    append_to(store, &stream, 1, 0, 50, &[]).await?;
    for consumed in 0..9 {
        let (after, last) =
            [(0, 3), (3, 4), (4, 9)].into_iter().find(|row| consumed < row.1).unwrap_or_default();
        let next = store.next_journal(&stream, &p, consumed.into()).await?;
        assert_eq!(next, Next::Row(row(0, after, last, &[])), "after {consumed}");
    }
    assert_eq!(store.next_journal(&stream, &p, 9.into()).await?, Next::Wait);
    assert!(store.checkpoint(&stream, &p, epoch, 9.into()).await?);
    assert_eq!(store.next_journal(&stream, &p, 9.into()).await?, Next::Wait);
    assert_eq!(store.next_journal(&stream, &other, 0.into()).await?, Next::Row(row(1, 0, 50, &[])));
    assert_eq!(store.next_journal(&fresh_stream("journal"), &p, 0.into()).await?, Next::Wait);
    Ok(())
}

/// Workers die at any point, and their successors cut batches anew from the checkpoint on. Zombies write late. A reader
/// that joins at any place, and stops within batches, gets each message once and in order.
pub async fn batches_cut_anew_still_cover<S: Store>(store: &S) -> Outcome {
    for seed in seeds(25) {
        let mut turns = Turns::new(seed);
        let stream = fresh_stream("cut");
        let (p, end) = (partition(0), 40 + turns.below(40));
        // Records that are accepted; the others were duplicates or dead letters.
        let dropped: Vec<u64> = (1..=end).filter(|_| turns.one_in(4)).collect();
        let (mut checkpoint, mut late): (u64, Vec<(u64, u64)>) = (0, Vec::new());
        while checkpoint < end {
            let lease = store.claim_lease(&stream, &p).await?;
            assert_eq!(lease.checkpoint, checkpoint.into(), "seed {seed}");
            let mut at = checkpoint;
            while at < end && !turns.one_in(5) {
                let last = end.min(at + 1 + turns.below(9));
                if turns.one_in(8) {
                    // Its reply is lost, and it is written when others are long ahead.
                    late.push((at, last));
                    break;
                }
                append(store, &stream, at, last, &dropped).await?;
                at = last;
                if turns.one_in(3) {
                    assert!(store.checkpoint(&stream, &p, lease.epoch, at.into()).await?, "seed {seed}");
                    checkpoint = at;
                }
            }
            if turns.one_in(3)
                && let Some((after, last)) = late.pop()
            {
                append(store, &stream, after, last, &dropped).await?;
            }
        }
        for _ in 0..6 {
            let from = turns.below(end + 1);
            let (mut consumed, mut got) = (from, Vec::new());
            while let Next::Row(row) = next(store, &stream, consumed, seed).await? {
                let covers = row.after <= consumed.into() && row.last > consumed.into();
                assert!(covers, "seed {seed}: ({}, {}] does not cover {consumed}", row.after, row.last);
                let fresh = row.messages.iter().filter_map(|message| message.position.sequence.as_u64());
                let fresh: Vec<u64> = fresh.filter(|sequence| *sequence > consumed).collect();
                let last = row.last.as_u64().unwrap_or(u64::MAX);
                // It may stop within the batch, and come back.
                let stop = if turns.one_in(3) { *fresh.first().unwrap_or(&last) } else { last };
                got.extend(fresh.into_iter().filter(|sequence| *sequence <= stop));
                consumed = stop;
            }
            let expect: Vec<u64> = (from + 1..=end).filter(|sequence| !dropped.contains(sequence)).collect();
            assert_eq!(got, expect, "seed {seed}: from {from}");
        }
    }
    Ok(())
}

async fn next<S: Store>(
    store: &S,
    stream: &StreamName,
    consumed: u64,
    seed: u64,
) -> Result<Next, crate::StoreError> {
    let next = store.next_journal(stream, &partition(0), consumed.into()).await?;
    assert!(!matches!(next, Next::Gap { .. }), "seed {seed}: a false gap after {consumed}: {next:?}");
    Ok(next)
}

/// A reader whose next row is not there, though the checkpoint says that it was written, is told up to where.
pub async fn what_was_never_there_is_a_gap_up_to_the_checkpoint<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("gap");
    let p = partition(0);
    let epoch = store.claim_lease(&stream, &p).await?.epoch;
    append(store, &stream, 10, 20, &[]).await?;
    append(store, &stream, 30, 40, &[]).await?;
    let ask = async |consumed: u64| store.next_journal(&stream, &p, consumed.into()).await;
    assert_eq!(ask(0).await?, Next::Wait, "the checkpoint is 0: the row before may still come");
    assert!(store.checkpoint(&stream, &p, epoch, 5.into()).await?);
    assert_eq!(ask(0).await?, Next::Gap { to: 5.into() });
    assert_eq!(ask(5).await?, Next::Wait);
    assert!(store.checkpoint(&stream, &p, epoch, 35.into()).await?);
    assert_eq!(ask(0).await?, Next::Gap { to: 10.into() });
    assert_eq!(ask(10).await?, Next::Row(row(0, 10, 20, &[])));
    assert_eq!(ask(20).await?, Next::Gap { to: 30.into() });
    assert_eq!(ask(25).await?, Next::Gap { to: 30.into() });
    assert_eq!(ask(39).await?, Next::Row(row(0, 30, 40, &[])));
    assert_eq!(ask(40).await?, Next::Wait);
    assert!(store.checkpoint(&stream, &p, epoch, 60.into()).await?);
    assert_eq!(ask(40).await?, Next::Gap { to: 60.into() });
    Ok(())
}

/// A writer that had no answer writes the same row again.
pub async fn a_row_appended_again_changes_nothing<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("twice");
    for _ in 0..3 {
        append(store, &stream, 0, 5, &[2]).await?;
        append(store, &stream, 5, 9, &[]).await?;
    }
    let p = partition(0);
    assert_eq!(store.next_journal(&stream, &p, 0.into()).await?, Next::Row(row(0, 0, 5, &[2])));
    assert_eq!(store.next_journal(&stream, &p, 5.into()).await?, Next::Row(row(0, 5, 9, &[])));
    assert_eq!(store.next_journal(&stream, &p, 9.into()).await?, Next::Wait);
    Ok(())
}

/// A batch of which nothing was accepted is journaled too: without its row, a reader would stop before it.
pub async fn empty_rows_are_rows<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("empty");
    let all: Vec<u64> = (0..10).collect();
    append(store, &stream, 0, 4, &all).await?;
    append(store, &stream, 4, 5, &[]).await?;
    let p = partition(0);
    let empty = JournalRow { after: 0.into(), last: 4.into(), messages: Vec::new(), children: Vec::new() };
    assert_eq!(store.next_journal(&stream, &p, 0.into()).await?, Next::Row(empty));
    assert_eq!(store.next_journal(&stream, &p, 4.into()).await?, Next::Row(row(0, 4, 5, &[])));
    Ok(())
}

/// Kinesis counts further than 64 bits, and one record of it may carry several messages.
pub async fn sequences_wider_than_64_bits_keep_their_order<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("wide");
    let p = partition(0);
    let numbers = [
        "9",
        "255",
        "256",
        "18446744073709551616",
        "49590338271490256608559692538361571095921575989136588898",
    ];
    let mut after = Sequence::ZERO;
    let mut rows = Vec::new();
    for number in numbers {
        let last = sequence(number);
        let messages = (0..3).map(|sub| {
            let mut one = message("t", i64::from(sub), position(0, 0));
            (one.position.sequence, one.position.sub) = (last, sub);
            one
        });
        rows.push(JournalRow { after, last, messages: messages.collect(), children: Vec::new() });
        after = last;
    }
    for row in rows.iter().rev() {
        store.write_messages(&stream, &row.messages).await?;
        store.append_journal(&stream, &p, row).await?;
    }
    let mut consumed = Sequence::ZERO;
    for row in rows {
        assert_eq!(store.next_journal(&stream, &p, consumed).await?, Next::Row(row.clone()));
        consumed = row.last;
    }
    assert_eq!(store.next_journal(&stream, &p, consumed).await?, Next::Wait);
    Ok(())
}

/// The row of `(after, last]`, each record of which, but those dropped, is a message of one of two topics.
fn row(in_partition: u64, after: u64, last: u64, dropped: &[u64]) -> JournalRow {
    let messages: Vec<Message> = (after + 1..=last)
        .filter(|number| !dropped.contains(number))
        .map(|number| {
            // Times run against the log: rows are found by topic and time, and read back in the order of the log.
            message(["a", "b"][(number % 2) as usize], -(number as i64), position(in_partition, number))
        })
        .collect();
    JournalRow { after: after.into(), last: last.into(), messages, children: Vec::new() }
}

async fn append<S: Store>(store: &S, stream: &StreamName, after: u64, last: u64, dropped: &[u64]) -> Outcome {
    append_to(store, stream, 0, after, last, dropped).await
}

/// What a worker does with a batch: rows, then the journal.
async fn append_to<S: Store>(
    store: &S,
    stream: &StreamName,
    in_partition: u64,
    after: u64,
    last: u64,
    dropped: &[u64],
) -> Outcome {
    let row = row(in_partition, after, last, dropped);
    store.write_messages(stream, &row.messages).await?;
    store.append_journal(stream, &partition(in_partition), &row).await
}
