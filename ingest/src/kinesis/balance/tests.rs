//! Who takes what, case by case. That it settles is in `simulation`.

use std::time::{Duration, Instant};

use ::store::testing::{Telltale, Turns, seeds};
use schema::Sequence;
use store::{Registration, Report};

use super::*;

const TERM: Duration = Duration::from_secs(10);

fn worker(name: &str) -> WorkerId {
    name.into()
}

/// Leases as `owner:epoch` of shards `0`, `1`, ...; no owner is `-`.
fn leases(owners: &str) -> Vec<LeaseState> {
    let lease = |(index, text): (usize, &str)| {
        let (owner, epoch) = text.split_once(':').unwrap_or((text, "1"));
        let new = Registration::new(&PartitionId::new(index.to_string()), &[]);
        LeaseState {
            epoch: epoch.parse().unwrap(),
            owner: (owner != "-").then(|| owner.into()),
            heartbeat: 1,
            ..LeaseState::registered(new)
        }
    };
    owners.split_whitespace().enumerate().map(lease).collect()
}

fn plan_of(leases: &[LeaseState]) -> Plan {
    let consume = leases.iter().map(|lease| (lease.partition.clone(), 1)).collect();
    Plan { consume, ..Plan::default() }
}

fn balance(
    me: &WorkerId,
    running: &BTreeMap<PartitionId, u64>,
    leases: &[LeaseState],
    plan: &Plan,
    observer: &Observer,
) -> Moves {
    Sight { me, running, leases, plan, observer, elsewhere: &Loads::new() }.balance()
}

/// Who has seen all of `leases`, of which those of `dead` have expired.
fn observer(leases: &[LeaseState], dead: &str) -> Observer {
    let (mut observer, begin) = (Observer::new(TERM), Instant::now());
    observer.observe(leases, begin, begin);
    let mut later = leases.to_vec();
    for lease in later.iter_mut().filter(|lease| lease.owner.as_deref() != Some(dead)) {
        lease.heartbeat += 1;
    }
    observer.observe(&later, begin + TERM, begin + TERM);
    observer
}

/// How many are claimed, who is asked for one, and how many are given up, by `me`, who runs its own of `owners`.
#[track_caller]
fn check(owners: &str, dead: &str, expect: (usize, Option<&str>, usize)) {
    let leases = leases(owners);
    let me = worker("me");
    let own = leases.iter().filter(|lease| lease.owner.as_deref() == Some(&*me));
    let running = own.map(|lease| (lease.partition.clone(), 1)).collect();
    let observer = observer(&leases, dead);
    // The heartbeats that `observer` saw last.
    let mut seen = leases;
    for lease in seen.iter_mut().filter(|lease| lease.owner.as_deref() != Some(dead)) {
        lease.heartbeat += 1;
    }
    let moves = balance(&me, &running, &seen, &plan_of(&seen), &observer);
    assert!(moves.hand_over.is_empty());
    let owner = |take: &Take| {
        let lease = seen.iter().find(|lease| lease.partition == take.partition).unwrap();
        assert_eq!(lease.epoch, take.epoch);
        lease.owner.clone()
    };
    let asked = moves.ask.as_ref().and_then(owner);
    assert_eq!((moves.claim.len(), asked.as_deref(), moves.give_up.len()), expect, "{moves:?}");
    assert!(moves.claim.iter().map(owner).all(|owner| owner.is_none_or(|owner| &*owner == dead)));
    let takes = moves.claim.iter().chain(&moves.ask);
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
fn a_worker_asks_for_one_of_whoever_has_two_more() {
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
    seen[1].checkpoint = Sequence::END;
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
    let mut see = |lease: &LeaseState, asked, answered| {
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
    let other = LeaseState { heartbeat: 77, ..lease.clone() };
    assert!(!observer.is_expired(&other) && observer.is_expired(&lease));
    // Gone and come again: it is new.
    observer.observe(&[], at(60), at(60));
    observer.observe(std::slice::from_ref(&lease), at(90), at(90));
    assert!(!observer.is_expired(&lease));
}

#[test]
fn what_is_given_up_is_not_asked_for_in_the_same_breath() {
    let leases = leases("a:2 a:2");
    let running = leases.iter().map(|lease| (lease.partition.clone(), 1)).collect();
    let moves = balance(&worker("me"), &running, &leases, &plan_of(&leases), &Observer::new(TERM));
    assert_eq!((moves.claim.len(), moves.ask, moves.give_up.len()), (0, None, 2));
}

/// Shard 0 is `you`'s, of epoch 1, and `by` asks for it.
fn wanted(by: &str) -> Vec<LeaseState> {
    let mut leases = leases("you you you");
    leases[0].wanted_by = Some(by.into());
    leases
}

/// Who has seen `leases` for more than a term, in which their owners lived.
fn patient(leases: &[LeaseState]) -> (Observer, Vec<LeaseState>) {
    let (mut observer, begin) = (Observer::new(TERM), Instant::now());
    let mut seen = leases.to_vec();
    for second in 0..=TERM.as_secs() + 1 {
        let now = begin + Duration::from_secs(second);
        seen.iter_mut().for_each(|lease| lease.heartbeat += 1);
        observer.observe(&seen, now, now);
    }
    (observer, seen)
}

#[test]
fn what_another_asks_for_is_handed_over() {
    let (seen, new) = (wanted("me"), Observer::new(TERM));
    let (you, plan) = (worker("you"), plan_of(&seen));
    let running: BTreeMap<_, _> = seen.iter().map(|lease| (lease.partition.clone(), 1)).collect();
    let moves = balance(&you, &running, &seen, &plan, &new);
    assert_eq!(moves, Moves { hand_over: vec![seen[0].partition.clone()], ..Moves::default() });
    // It is asked of an owner before, or by itself: an answer that was under way.
    let again = running.keys().map(|id| (id.clone(), 2)).collect();
    assert_eq!(balance(&you, &again, &seen, &plan, &new), Moves::default());
    assert_eq!(balance(&you, &running, &wanted("you"), &plan, &new), Moves::default());
}

#[test]
fn who_asked_waits_for_a_term_and_then_takes() {
    let (seen, new, me) = (wanted("me"), Observer::new(TERM), worker("me"));
    let plan = plan_of(&seen);
    let of = |leases: &[LeaseState], observer: &Observer| {
        let moves = balance(&me, &BTreeMap::new(), leases, &plan, observer);
        assert!(moves.give_up.is_empty() && moves.hand_over.is_empty());
        (moves.claim.iter().map(|take| take.partition.to_string()).collect::<Vec<_>>(), moves.ask.is_some())
    };
    assert_eq!(of(&seen, &new), (vec![], false), "one wish at a time");
    let (observer, later) = patient(&seen);
    assert_eq!(of(&later, &observer), (vec!["0".to_owned()], false), "its owner did not hear");
    // It was given up: at once it is who asked's, and nobody else's for a term.
    let mut given = leases("- you you");
    given[0].wanted_by = Some("me".into());
    assert_eq!(of(&given, &new), (vec!["0".to_owned()], false));
    given[0].wanted_by = Some("he".into());
    assert_eq!(of(&given, &new).0.len(), 0);
    let (observer, later) = patient(&given);
    assert_eq!(of(&later, &observer).0, ["0"], "who asked does not come: it is anybody's, up to their share");
}

#[test]
fn what_is_asked_for_counts_for_who_asks() {
    // `he` asks for one of `you`'s three: then all have as many as each other, but me.
    let seen = wanted("he");
    let moves = balance(&worker("me"), &BTreeMap::new(), &seen, &plan_of(&seen), &Observer::new(TERM));
    let asked = moves.ask.unwrap().partition;
    assert!(asked != seen[0].partition, "it is as good as gone");
}

/// Whom `me`, which has nothing here, asks for which shard, given bytes a second of each shard, in KiB, and what is elsewhere.
fn asked(owners: &str, kib: &[u64], elsewhere: &[(&str, usize, u64)]) -> Option<usize> {
    let (me, mut seen) = (worker("me"), leases(owners));
    for (lease, kib) in seen.iter_mut().zip(kib) {
        lease.report = Some(Report { bytes_per_second: kib << 10, ..Report::default() });
    }
    let own = seen.iter().filter(|lease| lease.owner.as_deref() == Some("me"));
    let running = own.map(|lease| (lease.partition.clone(), 1)).collect();
    let load =
        |(name, shards, kib): &(&str, usize, u64)| (worker(name), Load { shards: *shards, bytes: kib << 10 });
    let (plan, observer) = (plan_of(&seen), Observer::new(TERM));
    let elsewhere = elsewhere.iter().map(load).collect();
    let sight = Sight {
        me: &me,
        running: &running,
        leases: &seen,
        plan: &plan,
        observer: &observer,
        elsewhere: &elsewhere,
    };
    sight.balance().ask.map(|ask| ask.partition.as_str().parse().unwrap())
}

#[test]
fn of_one_stream_even_loads_are_made_even_over_all_and_by_bytes() {
    // One shard each of many streams: by this stream alone nobody would ever move one.
    assert_eq!(asked("you", &[], &[]), None);
    assert_eq!(asked("you", &[], &[("you", 0, 0), ("me", 0, 0)]), None);
    assert_eq!(asked("you", &[], &[("you", 1, 0)]), Some(0));
    assert_eq!(asked("you", &[], &[("you", 2, 0), ("me", 2, 0)]), None);
    // This stream comes first, even where it makes all less even.
    assert!(asked("you you", &[], &[("me", 9, 0)]).is_some());
    // The richest of all is asked.
    assert_eq!(asked("you he", &[], &[("you", 2, 0), ("he", 3, 0)]), Some(1));
    // One more shard: the one that makes bytes most even, if that is worth it.
    assert_eq!(asked("you", &[500], &[]), None, "it would only be elsewhere");
    assert_eq!(asked("you you me", &[600, 300, 10], &[]), Some(1));
    assert_eq!(asked("you you me", &[600, 300, 800], &[]), None);
    assert_eq!(asked("you you me", &[60, 30, 40], &[]), None, "too little to care");
    assert_eq!(asked("you you me", &[600, 1, 10], &[]), None, "neither helps");
    // Of two more, too.
    assert_eq!(asked("you you you me", &[900, 400, 100, 600], &[]), Some(1));
}

/// Streams whose shards are somebody's, and what it comes to when each that has less asks, one after the other, and is heard.
fn settle(seed: u64) {
    let mut turns = Turns(seed);
    let workers: Vec<WorkerId> = (0..1 + turns.below(5)).map(|index| worker(&format!("w{index}"))).collect();
    let mut streams: Vec<Vec<LeaseState>> = Vec::new();
    for _ in 0..1 + turns.below(6) {
        let owners: Vec<String> =
            (0..1 + turns.below(6)).map(|_| turns.one_of(&workers).to_string()).collect();
        let mut seen = leases(&owners.join(" "));
        for lease in &mut seen {
            let bytes_per_second = turns.below(1 << 20);
            lease.report = Some(Report { bytes_per_second, ..Report::default() });
        }
        streams.push(seen);
    }
    let shards: usize = streams.iter().map(Vec::len).sum();
    let of = |streams: &[Vec<LeaseState>], worker: &WorkerId| {
        Load::of(streams.iter().flatten().filter(|lease| lease.owner.as_deref() == Some(&**worker)))
    };
    let (mut quiet, mut moved) = (0, 0);
    while quiet < workers.len() * streams.len() * 2 {
        let me = turns.one_of(&workers);
        let at = turns.below(streams.len() as u64) as usize;
        let mut elsewhere = Loads::new();
        for (_, seen) in streams.iter().enumerate().filter(|(other, _)| *other != at) {
            for lease in seen {
                add(&mut elsewhere, &worker(lease.owner.as_deref().unwrap()), Load::of([lease]));
            }
        }
        let seen = &streams[at];
        let own = seen.iter().filter(|lease| lease.owner.as_deref() == Some(&*me));
        let running = own.map(|lease| (lease.partition.clone(), 1)).collect();
        let (plan, observer) = (plan_of(seen), Observer::new(TERM));
        let sight = Sight {
            me: &me,
            running: &running,
            leases: seen,
            plan: &plan,
            observer: &observer,
            elsewhere: &elsewhere,
        };
        let Moves { ask, claim, .. } = sight.balance();
        assert!(claim.is_empty());
        // Everybody must have had a turn in every stream before it is quiet: turns are random, so many are waited for.
        quiet = if ask.is_some() { 0 } else { quiet + usize::from(turns.one_in(8)) };
        if let Some(Take { partition, .. }) = ask {
            moved += 1;
            assert!(moved <= 4 * shards * shards + 40, "moves without end");
            let lease = streams[at].iter_mut().find(|lease| lease.partition == partition).unwrap();
            lease.owner = Some(me.to_string());
        }
    }
    let spread = |counts: Vec<usize>| counts.iter().max().unwrap() - counts.iter().min().unwrap();
    for seen in &streams {
        let count = |worker| of(std::slice::from_ref(seen), worker).shards;
        assert!(spread(workers.iter().map(count).collect()) <= 1, "one stream is uneven");
    }
    assert!(
        spread(workers.iter().map(|worker| of(&streams, worker).shards).collect()) <= 1,
        "all are uneven"
    );
}

/// `TIDEGATE_SEED=n` for that one alone.
#[test]
fn loads_settle_of_each_stream_and_of_all_together() {
    for seed in seeds(300) {
        let _telltale = Telltale(seed);
        settle(seed);
    }
}
