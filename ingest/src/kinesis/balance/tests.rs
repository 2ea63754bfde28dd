//! Who takes what, case by case. That it settles is in `simulation`.

use schema::Sequence;

use super::*;
use crate::kinesis::lease::Checkpoint;

const TERM: Duration = Duration::from_secs(10);

fn worker(name: &str) -> WorkerId {
    name.into()
}

/// Leases as `owner:epoch` of shards `0`, `1`, ...; no owner is `-`.
fn leases(owners: &str) -> Vec<LeaseView> {
    let lease = |(index, text): (usize, &str)| {
        let (owner, epoch) = text.split_once(':').unwrap_or((text, "1"));
        LeaseView {
            partition: PartitionId::new(index.to_string()),
            parents: Vec::new(),
            generation: 1,
            epoch: epoch.parse().unwrap(),
            owner: (owner != "-").then(|| owner.into()),
            heartbeat: 1,
            checkpoint: Checkpoint::At(Sequence::ZERO),
        }
    };
    owners.split_whitespace().enumerate().map(lease).collect()
}

fn plan_of(leases: &[LeaseView]) -> Plan {
    let consume = leases.iter().map(|lease| (lease.partition.clone(), 1)).collect();
    Plan { consume, ..Plan::default() }
}

/// Who has seen all of `leases`, of which those of `dead` have expired.
fn observer(leases: &[LeaseView], dead: &str) -> Observer {
    let (mut observer, begin) = (Observer::new(TERM), Instant::now());
    observer.observe(leases, begin, begin);
    let mut later = leases.to_vec();
    for lease in later.iter_mut().filter(|lease| lease.owner.as_deref() != Some(dead)) {
        lease.heartbeat += 1;
    }
    observer.observe(&later, begin + TERM, begin + TERM);
    observer
}

/// How many are claimed, what of whom is stolen, and how many are given up, by `me`, who runs its own of `owners`.
#[track_caller]
fn check(owners: &str, dead: &str, expect: (usize, Option<&str>, usize)) {
    let leases = leases(owners);
    let me = worker("me");
    let own = leases.iter().filter(|lease| lease.owner.as_ref() == Some(&me));
    let running = own.map(|lease| (lease.partition.clone(), 1)).collect();
    let observer = observer(&leases, dead);
    // The heartbeats that `observer` saw last.
    let mut seen = leases;
    for lease in seen.iter_mut().filter(|lease| lease.owner.as_deref() != Some(dead)) {
        lease.heartbeat += 1;
    }
    let moves = balance(&me, &running, &seen, &plan_of(&seen), &observer);
    let owner = |take: &Take| {
        let lease = seen.iter().find(|lease| lease.partition == take.partition).unwrap();
        assert_eq!(lease.epoch, take.epoch);
        lease.owner.clone()
    };
    let stolen = moves.steal.as_ref().and_then(owner);
    assert_eq!((moves.claim.len(), stolen.as_deref(), moves.give_up.len()), expect, "{moves:?}");
    assert!(moves.claim.iter().map(owner).all(|owner| owner.is_none_or(|owner| &*owner == dead)));
    let takes = moves.claim.iter().chain(&moves.steal);
    assert!(takes.into_iter().all(|take| !running.contains_key(&take.partition)), "{moves:?}");
}

#[test]
fn a_worker_takes_its_share_of_what_is_free() {
    check("", "", (0, None, 0));
    check("- - -", "", (3, None, 0));
    check("- - - you", "", (2, None, 0));
    check("- - - you he", "", (2, None, 0));
    check("- - - me you he", "", (1, None, 0));
    check("- me me you", "", (0, None, 0));
    check("you you you", "you", (3, None, 0));
    check("you you he he", "you", (2, None, 0));
    check("you you me he", "you", (1, None, 0));
}

#[test]
fn a_worker_steals_one_from_whoever_has_two_more() {
    check("you", "", (0, None, 0));
    check("you you", "", (0, Some("you"), 0));
    check("you you you you you you", "", (0, Some("you"), 0));
    check("you you me", "", (0, None, 0));
    check("you you you me", "", (0, Some("you"), 0));
    check("he he you you you", "", (0, Some("you"), 0));
    check("he he he me me", "", (0, None, 0));
    // What is free goes first.
    check("you you you you -", "", (1, None, 0));
}

#[test]
fn what_runs_here_is_kept_unless_it_is_anothers() {
    let me = worker("me");
    let late = leases("me:4 me:4");
    let running = late.iter().map(|lease| (lease.partition.clone(), 4)).collect();
    // Its own heartbeats are late: everybody else may think it dead, but it.
    let moves = balance(&me, &running, &late, &plan_of(&late), &observer(&late, "me"));
    assert_eq!(moves, Moves::default());

    // One was taken, one has ended; of one the answer is older than the claim, one is waited for by a listing that is not whole.
    let mut seen = leases("you:5 me:4 you:3 me:4");
    seen[1].checkpoint = Checkpoint::End;
    let running = seen.iter().map(|lease| (lease.partition.clone(), 4)).collect();
    let moves = balance(&me, &running, &seen, &plan_of(&seen[..3]), &observer(&seen, ""));
    let expect =
        Moves { give_up: vec![seen[0].partition.clone(), seen[1].partition.clone()], ..Moves::default() };
    assert_eq!(moves, expect);

    // The lease of one is gone: it ended so long ago that it was dropped.
    let moves = balance(&me, &running, &seen[1..], &plan_of(&seen), &observer(&seen, ""));
    assert_eq!(moves.give_up, [seen[0].partition.clone(), seen[1].partition.clone()]);

    // It was taken by somebody who has died since: it is stopped first, and claimed when it does not run.
    let dead = observer(&seen, "you");
    let running = BTreeMap::from([(seen[0].partition.clone(), 4)]);
    let moves = balance(&me, &running, &seen[..1], &plan_of(&seen[..1]), &dead);
    assert_eq!((moves.claim, moves.give_up), (Vec::new(), vec![seen[0].partition.clone()]));
    let moves = balance(&me, &BTreeMap::new(), &seen[..1], &plan_of(&seen[..1]), &dead);
    assert_eq!(moves.claim, [Take { partition: seen[0].partition.clone(), epoch: 5 }]);

    // It bears this worker's name, and does not run: its claim was never answered, or it failed.
    let moves = balance(&me, &BTreeMap::new(), &leases("me"), &plan_of(&leases("me")), &observer(&[], ""));
    assert_eq!(moves.claim.len(), 1);
}

#[test]
fn what_may_not_be_consumed_is_no_load() {
    let me = worker("me");
    let seen = leases("you you you -");
    let plan = Plan { consume: plan_of(&seen[..1]).consume, ..Plan::default() };
    assert_eq!(balance(&me, &BTreeMap::new(), &seen, &plan, &observer(&seen, "")), Moves::default());
    // What the source has lost is work, too.
    let lost = seen.iter().map(|lease| lease.partition.clone()).collect();
    let plan = Plan { lost, ..Plan::default() };
    assert_eq!(balance(&me, &BTreeMap::new(), &seen, &plan, &observer(&seen, "")).claim.len(), 1);
}

#[test]
fn a_lease_expires_when_its_heartbeat_stood_still_for_a_term() {
    let mut lease = leases("you").remove(0);
    let (mut observer, begin) = (Observer::new(TERM), Instant::now());
    let at = |seconds: u64| begin + Duration::from_secs(seconds);
    let mut see = |lease: &LeaseView, asked, answered| {
        observer.observe(std::slice::from_ref(lease), at(asked), at(answered));
        observer.is_expired(lease)
    };
    // However old it is: this one has just come.
    assert!(!see(&lease, 0, 2));
    assert!(!see(&lease, 9, 11));
    // From an answer to a question there is not a term yet.
    assert!(!see(&lease, 11, 13));
    assert!(see(&lease, 12, 13));
    assert!(see(&lease, 12, 13));
    lease.heartbeat += 1;
    assert!(!see(&lease, 30, 31));
    assert!(!see(&lease, 40, 41));
    lease.epoch += 1;
    assert!(!see(&lease, 41, 42));
    assert!(!see(&lease, 51, 52));
    assert!(see(&lease, 52, 53));
    // What it has not seen like this, it says nothing of.
    let other = LeaseView { heartbeat: 77, ..lease.clone() };
    assert!(!observer.is_expired(&other) && observer.is_expired(&lease));
    // Gone and come again: it is new.
    observer.observe(&[], at(60), at(60));
    observer.observe(std::slice::from_ref(&lease), at(90), at(90));
    assert!(!observer.is_expired(&lease));
}

#[test]
fn what_is_given_up_is_not_stolen_back_in_the_same_breath() {
    let leases = leases("a:2 a:2");
    let running = leases.iter().map(|lease| (lease.partition.clone(), 1)).collect();
    let moves = balance(&worker("me"), &running, &leases, &plan_of(&leases), &Observer::new(TERM));
    assert_eq!((moves.claim.len(), moves.steal, moves.give_up.len()), (0, None, 2));
}
