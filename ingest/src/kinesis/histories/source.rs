//! Kinesis in memory: it throttles, forgets iterators, answers late, little or not at all, and is resharded meanwhile.

use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use ::store::testing::Turns;
use async_trait::async_trait;
use bytes::Bytes;
use schema::{Clock, PartitionId, Sequence, StreamName};

use crate::kinesis::api::{Begin, Entry, Failure, Given, Kinesis, Put};
use crate::kinesis::record::Fetched;
use crate::kinesis::shards::Shard;

/// What cannot become a message.
pub(super) const POISON: &[u8] = b"{nope";

/// The stream.
pub(super) struct Source {
    state: Mutex<State>,
    clock: Clock,
}

pub(super) struct State {
    pub(super) shards: Vec<(Shard, Vec<Fetched>)>,
    turns: Turns,
    /// Of a hundred requests, so many fail.
    percent: u64,
    next: u64,
}

impl Source {
    pub(super) fn new(count: u32, percent: u64, turns: Turns, clock: Clock) -> Self {
        let mut state = State { shards: Vec::new(), turns, percent, next: 1 };
        let width = u128::MAX / u128::from(count);
        for index in 0..u128::from(count) {
            let end = if index + 1 == u128::from(count) { u128::MAX } else { (index + 1) * width - 1 };
            state.open(Vec::new(), index * width..=end);
        }
        Self { state: Mutex::new(state), clock }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// From now on nothing fails.
    pub(super) fn calm(&self) {
        self.state().percent = 0;
    }

    /// Some time passes; and now and then, that is all.
    async fn answer(&self) -> Result<(), Failure> {
        let (wait, fails, how) = {
            let State { turns, percent, .. } = &mut *self.state();
            (turns.below(60), turns.below(100) < *percent, turns.below(4))
        };
        tokio::time::sleep(Duration::from_millis(wait)).await;
        match how {
            _ if !fails => Ok(()),
            0 => Err(Failure::Throttled("slowly".into())),
            1 => Err(Failure::Expired),
            2 => Err(Failure::Away("no".into())),
            _ => Err(Failure::Unknown("?".into())),
        }
    }
}

impl State {
    fn open(&mut self, parents: Vec<PartitionId>, hashes: RangeInclusive<u128>) {
        let id = PartitionId::embedded(self.shards.len() as u32);
        let shard = Shard { id, parents, hashes, starting: self.number(), ending: None };
        self.shards.push((shard, Vec::new()));
    }

    /// Numbers rise over all shards, as Kinesis's do along any line of shards, and need more than 64 bits.
    fn number(&mut self) -> Sequence {
        self.next += 1 + self.turns.below(3);
        format!("495900000000000000000000{:020}", self.next).parse().unwrap()
    }

    fn close(&mut self, at: usize) -> Shard {
        let ending = self.number();
        let shard = &mut self.shards[at].0;
        shard.ending = Some(ending);
        shard.clone()
    }

    /// Some shard is split, or two that lie side by side are merged.
    pub(super) fn reshard(&mut self) {
        let is_open = |at: &usize| self.shards[*at].0.ending.is_none();
        let mut open: Vec<usize> = (0..self.shards.len()).filter(is_open).collect();
        open.sort_by_key(|at| *self.shards[*at].0.hashes.start());
        let at = self.turns.below(open.len() as u64) as usize;
        match open.get(at + 1) {
            Some(next) if open.len() > 5 || self.turns.one_in(2) => {
                let (left, right) = (self.close(open[at]), self.close(*next));
                self.open(vec![left.id, right.id], *left.hashes.start()..=*right.hashes.end());
            }
            _ => {
                let shard = self.close(open[at]);
                let (start, end) = (*shard.hashes.start(), *shard.hashes.end());
                let middle = start + (end - start) / 2;
                self.open(vec![shard.id.clone()], start..=middle);
                self.open(vec![shard.id], middle + 1..=end);
            }
        }
    }

    fn keep(&mut self, entry: &Entry, clock: &Clock) -> Put {
        let hash = u128::from(crc32c::crc32c(entry.key.as_bytes())) << 96;
        let sequence = self.number();
        let takes =
            |(shard, _): &&mut (Shard, Vec<Fetched>)| shard.ending.is_none() && shard.hashes.contains(&hash);
        let (shard, records) = self.shards.iter_mut().find(takes).unwrap();
        let Entry { key, data } = entry.clone();
        records.push(Fetched { key, sequence, arrived_at: clock(), data });
        Put { shard: shard.id.clone(), sequence }
    }
}

#[async_trait]
impl Kinesis for Source {
    async fn shards(&self, _: &StreamName) -> Result<Vec<Shard>, Failure> {
        self.answer().await?;
        let mut state = self.state();
        let mut listed: Vec<Shard> = state.shards.iter().map(|(shard, _)| shard.clone()).collect();
        if state.percent > 0 && state.turns.one_in(8) {
            // The answer is of two moments.
            listed.pop();
        }
        Ok(listed)
    }

    async fn retention_hours(&self, _: &StreamName) -> Result<u64, Failure> {
        self.answer().await.map(|()| 24)
    }

    async fn open(&self, _: &StreamName, shard: &PartitionId, from: Begin) -> Result<String, Failure> {
        self.answer().await?;
        let state = self.state();
        let (_, records) = state.shards.iter().find(|(other, _)| other.id == *shard).unwrap();
        let at = match from {
            Begin::Oldest => 0,
            Begin::Time(time) => records.partition_point(|record| record.arrived_at < time),
            Begin::After(sequence) => records.partition_point(|record| record.sequence <= sequence),
        };
        Ok(format!("{shard} {at}"))
    }

    async fn next(&self, iterator: &str, records_max: u32) -> Result<Given, Failure> {
        self.answer().await?;
        let mut state = self.state();
        let (shard, at) = iterator.split_once(' ').unwrap();
        let at: usize = at.parse().unwrap();
        let most = 1 + state.turns.below(12) as usize;
        let nothing = state.percent > 0 && state.turns.one_in(6);
        let most = if nothing { 0 } else { most.min(records_max as usize) };
        let (shard, all) = state.shards.iter().find(|(other, _)| other.id.as_str() == shard).unwrap();
        let records: Vec<Fetched> = all[at..].iter().take(most).cloned().collect();
        let to = at + records.len();
        let is_over = shard.ending.is_some() && to == all.len();
        let next = (!is_over).then(|| format!("{} {to}", shard.id));
        Ok(Given { records, next, behind_ms: u64::from(to < all.len()) })
    }

    async fn put(&self, _: &StreamName, entries: &[Entry]) -> Result<Vec<Result<Put, Failure>>, Failure> {
        self.answer().await?;
        let mut state = self.state();
        let percent = state.percent;
        let mut answers = Vec::new();
        for entry in entries {
            answers.push(match state.turns.below(100) < percent {
                true => Err(Failure::Throttled("too much".into())),
                false => Ok(state.keep(entry, &self.clock)),
            });
        }
        // All of it was taken, and nobody hears.
        if state.turns.below(100) < percent / 2 {
            return Err(Failure::Unknown("cut".into()));
        }
        Ok(answers)
    }
}

/// A message, or what is none.
pub(super) fn data(key: &str, n: u64, is_poison: bool) -> Bytes {
    match is_poison {
        true => Bytes::from_static(POISON),
        false => format!(r#"{{"k":"{key}","n":{n},"id":"{key}-{n}"}}"#).into(),
    }
}
