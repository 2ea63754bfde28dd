//! Splits, merges, and who forgets what, case by case. What comes of random ones is in `simulation`.

use super::*;
use store::Registration as New;

fn id(name: &str) -> PartitionId {
    PartitionId::new(name)
}

fn ids(names: &str) -> Vec<PartitionId> {
    names.split_whitespace().map(id).collect()
}

const HALF: u128 = 1 << 127;

/// A shard of all hashes; closed if it is `closed`.
fn shard(name: &str, parents: &str, hashes: RangeInclusive<u128>, closed: bool) -> Shard {
    let ending = closed.then(|| 9.into());
    Shard { id: id(name), parents: ids(parents), hashes, starting: 1.into(), ending }
}

/// `a` was split into `b` and `c`, and these were merged into `d`.
fn diamond() -> Vec<Shard> {
    vec![
        shard("d", "b c", 0..=u128::MAX, false),
        shard("a", "", 0..=u128::MAX, true),
        shard("b", "a", 0..=HALF - 1, true),
        shard("c", "a", HALF..=u128::MAX, true),
    ]
}

fn lease(name: &str, parents: &str, generation: u32, checkpoint: Sequence) -> LeaseState {
    let new = New { generation, ..New::new(&id(name), &ids(parents)) };
    LeaseState { epoch: 1, checkpoint, ..LeaseState::registered(new) }
}

const AT: Sequence = Sequence::ZERO;
const END: Sequence = Sequence::END;

fn without(mut shards: Vec<Shard>, names: &str) -> Vec<Shard> {
    shards.retain(|shard| !ids(names).contains(&shard.id));
    shards
}

/// What is registered, with generations · what may be consumed · what is lost · what is done.
#[track_caller]
fn check(listed: &[Shard], leases: &[LeaseState], expect: [&str; 4]) {
    let plan = plan(listed, leases);
    let numbered = |(id, generation): (&PartitionId, u32)| format!("{id}{generation}");
    let register = plan.register.iter().map(|new| numbered((&new.partition, new.generation)));
    let consume = plan.consume.iter().map(|(id, generation)| numbered((id, *generation)));
    let plain =
        |ids: &BTreeSet<PartitionId>| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let got = [
        register.collect::<Vec<_>>().join(" "),
        consume.collect::<Vec<_>>().join(" "),
        plain(&plan.lost),
        plain(&plan.done),
    ];
    assert_eq!(got.each_ref().map(String::as_str), expect);
    for new in &plan.register {
        let parents = &listed.iter().find(|shard| shard.id == new.partition).unwrap().parents;
        assert_eq!(new.parents, *parents);
    }
}

#[test]
fn parents_are_registered_and_consumed_first() {
    let all = diamond();
    check(&all, &[], ["a1 b2 c2 d3", "", "", ""]);
    let (a, b, c, d) =
        (lease("a", "", 1, AT), lease("b", "a", 2, AT), lease("c", "a", 2, AT), lease("d", "b c", 3, AT));
    let end = |lease: &LeaseState| LeaseState { checkpoint: END, ..lease.clone() };
    check(&all, std::slice::from_ref(&a), ["b2 c2 d3", "a1", "", ""]);
    check(&all, &[d.clone(), c.clone(), b.clone(), a.clone()], ["", "a1", "", ""]);
    check(&all, &[end(&a), b.clone(), c.clone(), d.clone()], ["", "b2 c2", "", "a"]);
    check(&all, &[end(&a), end(&b), c.clone(), d.clone()], ["", "c2", "", "a b"]);
    check(&all, &[end(&a), end(&b), end(&c), d.clone()], ["", "d3", "", "a b c"]);
    // The generation is the one that was registered.
    check(&all, &[end(&a), end(&b), end(&c), LeaseState { generation: 7, ..d }], ["", "d7", "", "a b c"]);
    check(&all, &[end(&a), LeaseState { generation: 5, ..end(&b) }], ["c2 d6", "", "", "a b"]);
}

#[test]
fn what_the_source_has_forgotten_is_waited_for_only_if_somebody_may_hold_it() {
    let (b, c, d) = (lease("b", "a", 2, AT), lease("c", "a", 2, AT), lease("d", "b c", 3, AT));
    // It was gone before anybody came.
    check(&without(diamond(), "a"), &[], ["b1 c1 d2", "", "", ""]);
    check(&without(diamond(), "a b c"), &[], ["d1", "", "", ""]);
    // It is gone, and was not done: somebody ends it, and only then its children's turn comes.
    let a = lease("a", "", 1, AT);
    check(&without(diamond(), "a"), &[a.clone(), b.clone(), c.clone(), d.clone()], ["", "", "a", ""]);
    check(&without(diamond(), "a b"), &[a, b.clone(), c.clone(), d.clone()], ["", "", "a", ""]);
    let a = lease("a", "", 1, END);
    check(&without(diamond(), "a b"), &[a, b, c, d], ["", "c2", "b", "a"]);
}

#[test]
fn what_the_store_has_forgotten_is_not_consumed_again() {
    let d = lease("d", "b c", 3, AT);
    // Leases of ended shards went before the source forgot the shards; in any order.
    check(&diamond(), std::slice::from_ref(&d), ["", "d3", "", "a b c"]);
    check(&diamond(), &[d.clone(), lease("b", "a", 2, END)], ["", "d3", "", "a b c"]);
    check(&diamond(), &[d.clone(), lease("a", "", 1, END)], ["", "d3", "", "a b c"]);
    check(&without(diamond(), "a b"), &[d], ["", "d3", "", "a b c"]);
}

#[test]
fn a_listing_that_is_not_whole_says_of_nothing_that_it_is_gone() {
    let all = diamond();
    assert!(is_whole(&all));
    let halves = |b: RangeInclusive<u128>, c: RangeInclusive<u128>| {
        vec![shard("b", "a", b, false), shard("c", "a", c, false)]
    };
    assert!(is_whole(&halves(HALF..=u128::MAX, 0..=HALF - 1)));
    for broken in [
        vec![],
        without(all, "d"),
        halves(0..=HALF - 1, HALF + 1..=u128::MAX),
        halves(0..=HALF, HALF..=u128::MAX),
        halves(0..=HALF - 1, HALF..=u128::MAX - 1),
        halves(1..=HALF - 1, HALF..=u128::MAX),
        halves(0..=u128::MAX, 0..=u128::MAX),
        halves(0..=u128::MAX, HALF..=u128::MAX),
    ] {
        assert!(!is_whole(&broken), "{broken:?}");
    }
    // `a` is not listed, and may be for all that is known; nor is `d`.
    let part = without(diamond(), "a d");
    check(&part, &[], ["", "", "", ""]);
    let (a, b) = (lease("a", "", 1, AT), lease("b", "a", 2, AT));
    check(&part, &[a.clone(), b.clone()], ["", "", "", ""]);
    check(&part, &[LeaseState { checkpoint: END, ..a }, b], ["", "b2", "", "a"]);
    check(&[], &[lease("a", "", 1, AT)], ["", "", "", ""]);
    // That `a` is long done is told by `d`, through `b` and `c`, which this listing lacks.
    check(&without(diamond(), "b c d"), &[lease("d", "b c", 3, AT)], ["", "", "", "b c"]);
}

#[test]
fn a_shard_ends_when_its_children_are_known() {
    let (b, c, d) = (lease("b", "a", 2, AT), lease("c", "a", 2, AT), lease("d", "b c", 3, AT));
    let may = |name: &str, listed: &[Shard], leases: &[LeaseState]| may_end(&id(name), listed, leases);
    assert!(!may("a", &diamond(), &[]));
    assert!(!may("a", &diamond(), std::slice::from_ref(&b)));
    assert!(may("a", &diamond(), &[b.clone(), c.clone()]));
    // They had one: it was dropped since.
    assert!(may("a", &diamond(), std::slice::from_ref(&d)));
    assert!(!may("b", &diamond(), &[b.clone(), c.clone()]));
    assert!(may("b", &diamond(), &[b.clone(), c.clone(), d.clone()]));
    // It is open, as far as is known; or its children may be missing; or it is gone, and they are not.
    assert!(!may("d", &diamond(), &[b.clone(), c.clone(), d.clone()]));
    assert!(!may("b", &without(diamond(), "d"), &[b.clone(), c.clone(), d.clone()]));
    assert!(!may("a", &without(diamond(), "a"), std::slice::from_ref(&b)));
    assert!(may("a", &without(diamond(), "a"), &[b, c]));
    assert!(may("a", &without(diamond(), "a b c"), &[d]));
}

#[test]
fn shards_that_come_of_themselves_are_left_alone() {
    let all = vec![
        shard("x", "y", 0..=HALF - 1, false),
        shard("y", "x", 0..=HALF - 1, true),
        shard("z", "z", 0..=HALF - 1, true),
        shard("b", "", HALF..=u128::MAX, false),
    ];
    check(&all, &[], ["b1", "", "", ""]);
}
