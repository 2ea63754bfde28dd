//! Dead letters: kept as they came, listed by position.

use bytes::Bytes;
use schema::Timestamp;

use super::Outcome;
use super::fixture::{fresh_stream, position};
use crate::{DeadLetter, Store};

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

fn letter(partition: u64, sequence: u64) -> DeadLetter {
    DeadLetter {
        position: position(partition, sequence),
        arrived_at: Timestamp(sequence as i64),
        key: "a key".into(),
        reason: format!("the record is not JSON: it ends at byte {sequence}"),
        raw: Bytes::from(format!("{{\"n\":{sequence}")),
    }
}
