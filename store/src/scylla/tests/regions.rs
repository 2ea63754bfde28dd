//! Regions, over lists of buckets in memory: whatever a topic's buckets are, a region has all that may hold a message of its
//! time, and few requests tell so. `TIDEGATE_SEED=n` runs that seed alone.

use std::cell::Cell;

use super::*;
use crate::StoreError;
use crate::scylla::buckets::{Bucket, List, Listed, Looks, WIDTHS};
use crate::testing::{Turns, seeds};

const START: i64 = 1_700_000_000_000_000;
const SECOND: i64 = 1_000_000;

/// A topic's buckets, without order, and how many requests there were for them.
struct Model {
    buckets: Vec<Bucket>,
    requests: Cell<usize>,
}

impl Model {
    /// Those that `is_asked` names, in the table's order, as the servers would give them.
    fn list(&self, is_asked: impl Fn(i64) -> bool) -> Vec<Listed> {
        self.requests.set(self.requests.get() + 1);
        let mut buckets: Vec<Bucket> =
            self.buckets.iter().filter(|bucket| is_asked(bucket.end())).copied().collect();
        buckets.sort_by_key(|bucket| (-bucket.end(), bucket.width, -bucket.part));
        buckets.into_iter().map(|bucket| Listed { bucket, row_bytes: 1 }).collect()
    }

    /// What a reader must look into, in the order of [`key`].
    fn overlapping(&self, from: i64, to: i64) -> Vec<(i64, i64, i32)> {
        let overlaps = |bucket: &&Bucket| bucket.start < to && bucket.end() > from;
        let mut buckets: Vec<_> = self.buckets.iter().filter(overlaps).map(key).collect();
        buckets.sort_unstable();
        buckets
    }
}

impl List for &Model {
    async fn oldest(&self, after: i64, count: usize) -> Result<Vec<Listed>, StoreError> {
        let mut listed = self.list(|end| end > after);
        listed.reverse();
        listed.truncate(count);
        Ok(listed)
    }

    async fn newest(&self, after: i64, before: i64, count: usize) -> Result<Vec<Listed>, StoreError> {
        let mut listed = self.list(|end| after < end && end < before);
        listed.truncate(count);
        Ok(listed)
    }

    async fn ending(&self, ends: &[i64]) -> Result<Vec<Listed>, StoreError> {
        Ok(self.list(|end| ends.contains(&end)))
    }
}

fn key(bucket: &Bucket) -> (i64, i64, i32) {
    (bucket.width, bucket.start, bucket.part)
}

/// Buckets in a time that few or many of a width fill, each of some parts.
fn random(turns: &mut Turns) -> Model {
    let span = turns.one_of(&[20, 3_600, 100_000, 10_000_000, 1_000_000_000]);
    let (count, parts) = (turns.one_of(&[0, 5, 30, 300, 3_000]), turns.one_of(&[1, 2, 40]));
    let widths: Vec<i64> = WIDTHS.into_iter().filter(|_| turns.one_in(2)).chain([WIDTHS[0]]).collect();
    let mut model = Model { buckets: Vec::new(), requests: Cell::new(0) };
    for _ in 0..count {
        let time = START + turns.below(span) as i64 * SECOND;
        let mut bucket = Bucket::around(time, turns.one_of(&widths));
        bucket.part = turns.below(parts) as i32;
        model.buckets.push(bucket);
    }
    model.buckets.sort_unstable_by_key(key);
    model.buckets.dedup();
    model
}

/// The ends of a span: around buckets' own ends, or all time.
fn span(turns: &mut Turns, model: &Model) -> (i64, i64) {
    let mut instant = |otherwise: Timestamp| match model.buckets.len() as u64 {
        some @ 1.. if turns.one_in(2) => {
            let bucket = model.buckets[turns.below(some) as usize];
            turns.one_of(&[bucket.start, bucket.end()]) + turns.below(3) as i64 - 1
        }
        _ => otherwise.0,
    };
    (instant(TimeRange::ALL.from), instant(TimeRange::ALL.to))
}

async fn check(seed: u64) {
    let mut turns = Turns(seed);
    let model = random(&mut turns);
    for _ in 0..10 {
        let (mut from, mut to) = span(&mut turns, &model);
        let order = turns.one_of(&[Order::Ascending, Order::Descending]);
        let mut looks = Looks::new(&model, order);
        let (mut regions, asked) = (0, model.requests.get());
        while from < to {
            let region = looks.region(from, to).await.unwrap();
            let at =
                format!("TIDEGATE_SEED={seed}: {order:?} in {from}..{to}: {}..{}", region.from, region.to);
            let begins = match order {
                Order::Ascending => region.from == from && region.to <= to,
                Order::Descending => region.to == to && region.from >= from,
            };
            assert!(begins && region.from < region.to, "{at}");
            let mut found: Vec<_> = region.buckets.iter().map(|listed| key(&listed.bucket)).collect();
            found.sort_unstable();
            assert_eq!(found, model.overlapping(region.from, region.to), "{at}");
            match order {
                Order::Ascending => from = region.to,
                Order::Descending => to = region.from,
            }
            regions += 1;
        }
        let asked = model.requests.get() - asked;
        assert!(asked <= regions * 2 + 1, "TIDEGATE_SEED={seed}: {asked} requests, {regions} regions");
    }
}

#[tokio::test]
async fn a_region_has_all_that_its_time_may_lie_in() {
    for seed in seeds(500) {
        check(seed).await;
    }
}

/// Whether a topic has one bucket or a thousand, its newest are told by one request, though they overlap and one is in parts.
#[tokio::test]
async fn the_newest_region_takes_one_request_whatever_the_topic() {
    for count in [1, 1_000] {
        let mut buckets: Vec<Bucket> =
            (0..count).map(|number| Bucket::around(START + number * 10 * SECOND, WIDTHS[0])).collect();
        buckets.extend(WIDTHS[1..].iter().map(|width| Bucket::around(START, *width)));
        let last = Bucket::around(START + (count - 1) * 10 * SECOND, WIDTHS[0]);
        buckets.extend((1..5).map(|part| Bucket { part, ..last }));
        let model = Model { buckets, requests: Cell::new(0) };
        let all = TimeRange::ALL;
        let region = Looks::new(&model, Order::Descending).region(all.from.0, all.to.0).await.unwrap();
        assert_eq!(model.requests.get(), 1);
        let parts = region.buckets.iter().filter(|listed| listed.bucket.covers(last.start));
        assert!(parts.filter(|listed| listed.bucket.width == last.width).count() == 5, "{region:?}");
    }
}
