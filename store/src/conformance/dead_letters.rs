//! Dead letters: kept as they came, listed by position.

use bytes::Bytes;
use futures_util::future::try_join_all;
use schema::Timestamp;

use super::Outcome;
use super::fixture::{fresh_stream, position};
use crate::letters::discard;
use crate::{DeadLetter, Discarded, LetterDecisions, Store};

/// Page by page, and from any place.
pub async fn letters_are_listed_by_position<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("dead");
    assert_eq!(store.dead_letters(&stream, None, 10).await?, []);
    let mut letters: Vec<DeadLetter> =
        [(0, 1), (0, 255), (0, 256), (0, 70_000), (1, 3), (1, 4), (12, 1)].map(|(p, s)| letter(p, s)).into();
    for letter in letters.iter().rev() {
        store.write_dead_letters(&stream, std::slice::from_ref(letter)).await?;
    }
    let mut second_of_record = letter(0, 256);
    second_of_record.position.sub = 1;
    store.write_dead_letters(&stream, std::slice::from_ref(&second_of_record)).await?;
    letters.insert(3, second_of_record);
    for limit in [1, 3, 8, 100] {
        let (mut after, mut listed) = (None, Vec::new());
        loop {
            let page = store.dead_letters(&stream, after.clone(), limit).await?;
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            assert!(after.as_ref().is_none_or(|after| last.position > *after), "a list that never ends");
            after = Some(last.position.clone());
            listed.extend(page);
        }
        assert_eq!(listed, letters, "by {limit}");
    }
    let page = store.dead_letters(&stream, Some(position(0, 300)), 2).await?;
    assert_eq!(page, letters[4..6]);
    assert_eq!(store.dead_letters(&fresh_stream("dead"), None, 10).await?, []);
    Ok(())
}

/// As after a crash between letters and journal.
pub async fn a_letter_kept_again_changes_nothing<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("dead-again");
    let mut letters = [letter(0, 1), letter(0, 2)];
    letters[0].raw = Bytes::from_static(b"\xff\x00 not even text");
    letters[0].key = "".into();
    letters[1].raw = Bytes::new();
    for _ in 0..2 {
        store.write_dead_letters(&stream, &letters).await?;
        store.write_dead_letters(&stream, &letters[1..]).await?;
    }
    store.write_dead_letters(&stream, &[]).await?;
    assert_eq!(store.dead_letters(&stream, None, 10).await?, letters);
    Ok(())
}

/// Also when its consumer begins again behind it, and the letters around it stay.
pub async fn a_letter_that_was_removed_stays_so<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("dead-removed");
    let letters: Vec<DeadLetter> =
        [(0, 1), (0, 256), (0, 300), (1, 3), (1, 4)].map(|(p, s)| letter(p, s)).into();
    store.write_dead_letters(&stream, &letters).await?;
    for letter in &letters {
        assert_eq!(store.dead_letter(&stream, &letter.position).await?.as_ref(), Some(letter));
    }
    let (nowhere, mut second) = (position(0, 2), position(0, 256));
    second.sub = 1;
    for none in [&nowhere, &second] {
        assert_eq!(store.dead_letter(&stream, none).await?, None);
    }
    let removed = [&letters[1], &letters[2], &letters[4]].map(|letter| letter.position.clone());
    for _ in 0..2 {
        store.remove_dead_letters(&stream, &[&removed[..], std::slice::from_ref(&nowhere)].concat()).await?;
        store.write_dead_letters(&stream, &letters).await?;
        for limit in [1, 2, 10] {
            let listed = store.dead_letters(&stream, None, limit).await?;
            assert_eq!(listed, [&letters[0], &letters[3]].map(Clone::clone)[..limit.min(2)], "by {limit}");
        }
        for position in &removed {
            assert_eq!(store.dead_letter(&stream, position).await?, None);
        }
        let beyond = store.dead_letters(&stream, Some(removed[0].clone()), 10).await?;
        assert_eq!(beyond, letters[3..4]);
    }
    store.remove_dead_letters(&stream, &[]).await?;
    // What was not there was not removed, either.
    store.write_dead_letters(&stream, &[letter(0, 2)]).await?;
    assert_eq!(store.dead_letter(&stream, &nowhere).await?, Some(letter(0, 2)));
    Ok(())
}

/// Each goes on from the one before it, and all of it comes back.
pub async fn of_decisions_at_once_one_is_made<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("decisions");
    assert_eq!(store.letter_decisions(&stream).await?, LetterDecisions::default());
    let decided = |version: u64, by: u64| LetterDecisions {
        version,
        done: version * 1_000,
        replays: vec![position(by, 1), position(by, 2)],
        definition: 2,
        folded: by.is_multiple_of(2).then(|| vec![false, true]),
        discards: vec![position(by, 3)],
    };
    let (revision, mut version) = (store.catalog_revision().await?, 0);
    assert!(!store.put_letter_decisions(&stream, &decided(2, 0)).await?);
    for _ in 0..3 {
        version += 1;
        let all: Vec<LetterDecisions> = (0..4).map(|by| decided(version, by)).collect();
        let puts = all.iter().map(|decisions| store.put_letter_decisions(&stream, decisions));
        let made: Vec<bool> = try_join_all(puts).await?;
        assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
        let winner = made.iter().position(|made| *made).map(|at| all[at].clone());
        assert_eq!(store.letter_decisions(&stream).await?, winner.unwrap_or_default());
        assert!(!store.put_letter_decisions(&stream, &decided(version, 9)).await?);
        assert!(!store.put_letter_decisions(&stream, &decided(version + 2, 9)).await?);
    }
    assert_eq!(store.catalog_revision().await?, revision, "nobody need read the catalog again");
    assert_eq!(store.letter_decisions(&fresh_stream("decisions")).await?, LetterDecisions::default());
    Ok(())
}

/// But for what is being replayed; and what somebody else has not brought to its end is.
pub async fn what_is_discarded_is_gone<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("discards");
    let letters: Vec<DeadLetter> = (1..=5).map(|n| letter(0, n)).collect();
    store.write_dead_letters(&stream, &letters).await?;
    let begun = LetterDecisions {
        version: 1,
        done: 7,
        replays: vec![position(0, 2)],
        discards: vec![position(0, 5)],
        ..LetterDecisions::default()
    };
    assert!(store.put_letter_decisions(&stream, &begun).await?);
    let asked = [3, 2, 9, 1, 3].map(|n| position(0, n));
    let (gone, none) = (Discarded::Gone, Discarded::NotFound);
    let first = discard(store, &stream, &asked).await?;
    assert_eq!(first, [gone, Discarded::BeingReplayed, none, gone, gone]);
    let again = discard(store, &stream, &asked).await?;
    assert_eq!(again, [none, Discarded::BeingReplayed, none, none, none]);
    let left = store.dead_letters(&stream, None, 10).await?;
    assert_eq!(left, [letter(0, 2), letter(0, 4)]);
    let there = store.letter_decisions(&stream).await?;
    assert_eq!((there.replays, there.done, there.discards), (begun.replays, 7, Vec::new()));
    Ok(())
}

fn letter(partition: u64, sequence: u64) -> DeadLetter {
    DeadLetter {
        position: position(partition, sequence),
        arrived_at: Timestamp(sequence as i64),
        key: "a key".into(),
        reason: format!("the record is not JSON: it ends at byte {sequence}"),
        raw: Bytes::from(format!("{{\"n\":{sequence}")),
    }
}
