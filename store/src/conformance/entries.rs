//! Small documents that all nodes share: compared and set, so that nobody's change is lost, and followed by their revision.

use std::collections::BTreeMap;

use super::Outcome;
use super::fixture::{Turns, fresh_stream, seeds};
use crate::{Entries, Entry};

/// An entry is written only over the one it was made from.
pub async fn entries_are_compared_and_set<S: Entries>(store: &S) -> Outcome {
    let kind = kind();
    assert_eq!(store.entry(&kind, "a").await?, None);
    for never in [0, 2, u64::MAX] {
        assert!(
            !store.put_entry(&kind, &entry("a", never, "x")).await?,
            "there is no version before {never}"
        );
    }
    for version in 1..4 {
        let next = entry("a", version, "{\"ü\": \"\\u0000\"}");
        let before = store.entries_revision().await?;
        assert!(store.put_entry(&kind, &next).await?);
        assert_ne!(store.entries_revision().await?, before, "the revision tells of the change");
        assert_eq!(store.entry(&kind, "a").await?, Some(next));
        let other = entry("a", version, "other");
        assert!(!store.put_entry(&kind, &other).await?, "version {version} is there");
    }
    assert_eq!(store.entries(&kind).await?.len(), 1);
    Ok(())
}

/// A removal is of one version, too, and nothing is left of it.
pub async fn an_entry_that_was_removed_begins_again<S: Entries>(store: &S) -> Outcome {
    let kind = kind();
    assert!(!store.remove_entry(&kind, "a", 1).await?, "there is none");
    assert!(store.put_entry(&kind, &entry("a", 1, "x")).await?);
    let first = store.entries_revision().await?;
    assert!(store.put_entry(&kind, &entry("a", 2, "y")).await?);
    assert!(!store.remove_entry(&kind, "a", 1).await?, "it has version 2");
    let before = store.entries_revision().await?;
    assert!(store.remove_entry(&kind, "a", 2).await?);
    assert_ne!(store.entries_revision().await?, before, "the revision tells of the change");
    assert!(!store.remove_entry(&kind, "a", 2).await?, "it is gone");
    assert_eq!(store.entry(&kind, "a").await?, None);
    assert_eq!(store.entries(&kind).await?, []);
    assert!(!store.put_entry(&kind, &entry("a", 3, "z")).await?, "nothing is left of it");
    assert!(store.put_entry(&kind, &entry("a", 1, "x")).await?);
    assert_ne!(store.entries_revision().await?, first, "the same again is another change");
    Ok(())
}

/// A list is of one kind, by name.
pub async fn kinds_are_lists_of_their_own<S: Entries>(store: &S) -> Outcome {
    let (one, other) = (kind(), kind());
    for name in ["b", "a/b", "a", "ü", "-", ""] {
        assert!(store.put_entry(&one, &entry(name, 1, name)).await?);
    }
    assert!(store.put_entry(&other, &entry("a", 1, "of the other kind")).await?);
    let names: Vec<_> =
        store.entries(&one).await?.into_iter().map(|entry| (entry.name, entry.document)).collect();
    let expect = ["", "-", "a", "a/b", "b", "ü"].map(|name| (name.to_owned(), name.to_owned()));
    assert_eq!(names, expect);
    assert_eq!(store.entries(&other).await?, [entry("a", 1, "of the other kind")]);
    assert_eq!(store.entries(&one[..one.len() - 1]).await?, [], "the beginning of a kind is another");
    Ok(())
}

/// Of several that change the same version at once, one is told that it did.
pub async fn of_changes_at_once_one_is_made<S: Entries>(store: &S) -> Outcome {
    let kind = kind();
    let [a, b] = ["a", "b"].map(|document| entry("a", 1, document));
    let puts = tokio::join!(store.put_entry(&kind, &a), store.put_entry(&kind, &b));
    let (a_won, b_won) = (puts.0?, puts.1?);
    assert!(a_won != b_won, "{a_won} {b_won}");
    let there = store.entry(&kind, "a").await?;
    assert_eq!(there, Some(if a_won { a } else { b }));
    let next = entry("a", 2, "next");
    let changes = tokio::join!(store.put_entry(&kind, &next), store.remove_entry(&kind, "a", 1));
    let (put, removed) = (changes.0?, changes.1?);
    assert!(put != removed, "{put} {removed}");
    assert_eq!(store.entry(&kind, "a").await?, put.then_some(next));
    Ok(())
}

/// Whoever reads the entries again whenever the revision is another has what is there, after any turns.
pub async fn every_change_is_seen_by_whoever_follows<S: Entries>(store: &S) -> Outcome {
    for seed in seeds(3) {
        let (mut turns, kind) = (Turns::new(seed), kind());
        let (mut model, mut seen) = (BTreeMap::<String, Entry>::new(), (None, Vec::new()));
        for _ in 0..40 {
            let name = format!("e{}", turns.below(3));
            let there = model.get(&name).map_or(0, |entry| entry.version);
            if turns.below(3) == 0 {
                let version = there + turns.below(2);
                let removed = store.remove_entry(&kind, &name, version).await?;
                assert_eq!(removed, there > 0 && version == there, "seed {seed}: {name} {version}");
                if removed {
                    model.remove(&name);
                }
            } else {
                // Few documents: an older change is often the same as a newer one.
                let next = entry(&name, there + turns.below(3), &turns.below(2).to_string());
                let put = store.put_entry(&kind, &next).await?;
                assert_eq!(put, next.version == there + 1, "seed {seed}: {next:?}");
                if put {
                    model.insert(name, next);
                }
            }
            if turns.below(2) == 0 {
                let revision = store.entries_revision().await?;
                if seen.0 != Some(revision) {
                    seen = (Some(revision), store.entries(&kind).await?);
                }
                assert!(seen.1.iter().eq(model.values()), "seed {seed}: {:?} {model:?}", seen.1);
            }
        }
    }
    Ok(())
}

/// A kind that no run has used.
fn kind() -> String {
    fresh_stream("kind").to_string()
}

fn entry(name: &str, version: u64, document: &str) -> Entry {
    Entry { name: name.into(), version, document: document.into() }
}
