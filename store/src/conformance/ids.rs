//! Ids: a message that was sent twice is kept once, decided by where it stands and when it arrived.

use schema::Timestamp;

use super::Outcome;
use super::fixture::{Turns, fresh_stream, seeds};
use crate::{IdClaim, Store};

const WINDOW: i64 = 60;

/// Equal ids of equal keys are one within the window, either way; others are not.
pub async fn the_earlier_claim_wins_within_the_window<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("ids");
    let long = "x".repeat(100_000);
    for (first, second, duplicate) in [
        (claim("k", "1", 0, 1, 100), claim("k", "1", 0, 2, 100), true),
        (claim("k", "2", 0, 1, 100), claim("k", "2", 0, 2, 100 + WINDOW), true),
        (claim("k", "3", 0, 1, 100), claim("k", "3", 0, 2, 101 + WINDOW), false),
        // The log's order decides, not arrival's.
        (claim("k", "4", 0, 1, 100), claim("k", "4", 0, 2, 100 - WINDOW), true),
        (claim("k", "5", 0, 1, 100), claim("k", "5", 0, 2, 99 - WINDOW), false),
        (claim("k", "6", 0, 1, 100), claim("other", "6", 0, 2, 100), false),
        (claim("k", "7", 0, 1, 100), claim("k", "77", 0, 2, 100), false),
        (claim("k", "78", 0, 1, 100), claim("k7", "8", 0, 2, 100), false),
        (claim("", "", 0, 1, 100), claim("", "", 0, 2, 100), true),
        (claim("k", &long, 0, 1, 100), claim("k", &long, 0, 2, 100), true),
        // A child's sequences may be lower than its parents'; its generation is not.
        (claim("k", "9", 0, 900, 100), claim("k", "9", 1, 3, 100), true),
        (claim("k", "10", 0, 256, 100), claim("k", "10", 0, 255, 100), false),
    ] {
        let (first, second) = (std::slice::from_ref(&first), std::slice::from_ref(&second));
        assert_eq!(store.claim_ids(&stream, first, WINDOW).await?, [false], "{first:?}");
        assert_eq!(store.claim_ids(&stream, second, WINDOW).await?, [duplicate], "{second:?}");
        // A batch that is decided again is decided the same.
        assert_eq!(store.claim_ids(&stream, second, WINDOW).await?, [duplicate], "{second:?}");
        if !duplicate {
            continue;
        }
        assert_eq!(store.claim_ids(&stream, first, WINDOW).await?, [false], "{first:?}");
        let elsewhere = fresh_stream("ids");
        assert_eq!(store.claim_ids(&elsewhere, second, WINDOW).await?, [false]);
    }
    assert_eq!(store.claim_ids(&stream, &[], WINDOW).await?, [false; 0]);
    Ok(())
}

/// Records of one batch, and messages of one record, are told apart like any others.
pub async fn claims_of_one_batch_count<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("batch");
    let mut second_of_record = claim("k", "a", 0, 1, 0);
    second_of_record.sub = 1;
    let batch = [
        claim("k", "a", 0, 3, 0),
        claim("k", "a", 0, 1, 0),
        second_of_record,
        claim("k", "b", 0, 4, 0),
        claim("k", "b", 0, 5, WINDOW + 1),
        claim("k", "b", 0, 6, WINDOW),
    ];
    for _ in 0..2 {
        let decided = store.claim_ids(&stream, &batch, WINDOW).await?;
        assert_eq!(decided, [true, false, true, false, false, true]);
    }
    Ok(())
}

/// As many ids as a batch may have, and an id that came so often that what decides lies far back.
pub async fn many_claims_are_decided_together<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("many");
    let far = 10 * WINDOW;
    let others = (0..300).map(|n| claim("k", &n.to_string(), 0, 1_000 + n, 0));
    let often = (1..=250).map(|n| claim("k", "often", 0, n, n as i64 * far));
    let mut claims: Vec<IdClaim> = often.chain(others).collect();
    assert_eq!(store.claim_ids(&stream, &claims, WINDOW).await?, vec![false; claims.len()]);
    // Near the first, the fifth from the end, and none of those claims.
    let late = [far, 246 * far + WINDOW, far / 2];
    let late = (2_000..).zip(late).map(|(sequence, arrived_at)| claim("k", "often", 0, sequence, arrived_at));
    let late: Vec<IdClaim> = late.collect();
    assert_eq!(store.claim_ids(&stream, &late, WINDOW).await?, [true, true, false]);
    for claim in &mut claims[250..] {
        claim.sequence = 3_000.into();
    }
    let again = store.claim_ids(&stream, &claims, WINDOW).await?;
    assert_eq!(again, [vec![false; 250], vec![true; 300]].concat());
    Ok(())
}

/// A zombie's batch may be claimed before an earlier one is: what comes first in the log still wins.
pub async fn a_late_claim_of_an_earlier_record_wins<S: Store>(store: &S) -> Outcome {
    let stream = fresh_stream("late");
    assert_eq!(store.claim_ids(&stream, &[claim("k", "a", 0, 9, 0)], WINDOW).await?, [false]);
    assert_eq!(store.claim_ids(&stream, &[claim("k", "a", 0, 5, 0)], WINDOW).await?, [false]);
    assert_eq!(store.claim_ids(&stream, &[claim("k", "a", 0, 9, 0)], WINDOW).await?, [true]);
    Ok(())
}

/// Claims in any batches, any order, and again.
pub async fn claims_agree_with_a_model<S: Store>(store: &S) -> Outcome {
    for seed in seeds(20) {
        let mut turns = Turns::new(seed);
        let stream = fresh_stream("claims");
        let mut claims: Vec<IdClaim> = (1..=60)
            .map(|sequence| {
                let (key, id) = (["a", "b"][turns.below(2) as usize], turns.below(8).to_string());
                let mut claim =
                    claim(key, &id, turns.below(2) as u32, sequence, turns.below(3 * WINDOW as u64) as i64);
                claim.sub = turns.below(2) as u32;
                claim
            })
            .collect();
        turns.shuffle(&mut claims);
        for batch in claims.chunks(1 + turns.below(20) as usize) {
            store.claim_ids(&stream, batch, WINDOW).await?;
        }
        let place = |claim: &IdClaim| (claim.generation, claim.sequence, claim.sub);
        let expect: Vec<bool> = claims
            .iter()
            .map(|claim| {
                claims.iter().any(|other| {
                    (&other.key, &other.id) == (&claim.key, &claim.id)
                        && place(other) < place(claim)
                        && (other.arrived_at.0 - claim.arrived_at.0).abs() <= WINDOW
                })
            })
            .collect();
        assert_eq!(store.claim_ids(&stream, &claims, WINDOW).await?, expect, "seed {seed}");
    }
    Ok(())
}

fn claim(key: &str, id: &str, generation: u32, sequence: u64, arrived_at: i64) -> IdClaim {
    let arrived_at = Timestamp(arrived_at);
    IdClaim { key: key.into(), id: id.into(), generation, sequence: sequence.into(), sub: 0, arrived_at }
}
