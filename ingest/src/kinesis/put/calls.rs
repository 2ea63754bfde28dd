//! Which messages go into which request, so that those of one key arrive in their order.
//!
//! Kinesis takes some of a request's messages and refuses others, each by itself. Had a request two of one key, the first might be
//! refused and the second taken. So each request has one message of a key at most, and a key's next one goes when the one before
//! was taken.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::api::{Entry, Failure, Put};

/// Most messages of a request.
const COUNT_MAX: usize = 500;
/// Most bytes of a request; larger messages go alone, so that a refusal for their size is theirs only.
const BYTES_MAX: usize = 5 << 20;
const LARGE: usize = 1 << 20;

/// Messages on their way.
pub(super) struct Calls {
    entries: Vec<Entry>,
    outcomes: Vec<Option<Result<Put, Failure>>>,
    /// Those that wait, in their order.
    waiting: Vec<usize>,
    /// Why those that still wait do so.
    last: Option<Failure>,
}

/// One request.
pub(super) struct Call {
    indexes: Vec<usize>,
    pub(super) entries: Vec<Entry>,
}

impl Calls {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let (outcomes, waiting) = (entries.iter().map(|_| None).collect(), (0..entries.len()).collect());
        Self { entries, outcomes, waiting, last: None }
    }

    /// The next request, if anything waits.
    pub(super) fn next(&mut self) -> Option<Call> {
        let mut keys: HashMap<&Arc<str>, ()> = HashMap::new();
        let (mut indexes, mut bytes) = (Vec::new(), 0);
        for &index in &self.waiting {
            let Entry { key, data } = &self.entries[index];
            let size = key.len() + data.len();
            // A key that is passed over is passed over for all of its messages.
            if keys.insert(key, ()).is_some() {
                continue;
            }
            if !indexes.is_empty()
                && (bytes + size > BYTES_MAX || size > LARGE || bytes > LARGE && indexes.len() == 1)
            {
                continue;
            }
            indexes.push(index);
            bytes += size;
            if indexes.len() == COUNT_MAX || size > LARGE {
                break;
            }
        }
        let entries = indexes.iter().map(|index| self.entries[*index].clone()).collect();
        (!indexes.is_empty()).then_some(Call { indexes, entries })
    }

    /// The key of the first that waits.
    pub(super) fn first_key(&self) -> &str {
        self.waiting.first().map_or("", |index| &self.entries[*index].key)
    }

    /// What became of a request; `true` if some of it is to be tried again, after a wait.
    pub(super) fn settle(&mut self, call: &Call, answers: Vec<Result<Put, Failure>>) -> bool {
        let mut again = false;
        for (index, answer) in call.indexes.iter().zip(answers) {
            match answer {
                Err(failure @ Failure::Throttled(_)) => {
                    again = true;
                    self.last = Some(failure);
                    continue;
                }
                Ok(_) | Err(Failure::Refused(_)) => {}
                // It may be there, or may never be: what follows it must not come before it is tried again.
                Err(ref failure) => {
                    let key = &self.entries[*index].key;
                    let (given_up, others) =
                        self.waiting.iter().partition(|other| self.entries[**other].key == *key);
                    let given_up: Vec<usize> = given_up;
                    self.waiting = others;
                    given_up.into_iter().for_each(|other| self.outcomes[other] = Some(Err(failure.clone())));
                }
            }
            self.outcomes[*index] = Some(answer);
        }
        self.waiting.retain(|index| self.outcomes[*index].is_none());
        again
    }

    /// What became of each message, in their order.
    pub(super) fn outcomes(self) -> Vec<Result<Put, Failure>> {
        let last = self.last.unwrap_or_else(|| Failure::Unknown("it was not tried".into()));
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(last.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use schema::PartitionId;

    use super::*;

    fn entry(key: &str, size: usize) -> Entry {
        Entry { key: key.into(), data: vec![b'1'; size - key.len()].into() }
    }

    fn put(n: u64) -> Result<Put, Failure> {
        Ok(Put { shard: PartitionId::new("s"), sequence: n.into() })
    }

    #[test]
    fn a_request_has_each_key_once_and_keeps_within_count_and_bytes() {
        let mut calls = Calls::new(["a", "b", "a", "c", "b", "a"].map(|key| entry(key, 5)).into());
        let mut sent = Vec::new();
        while let Some(call) = calls.next() {
            let count = call.indexes.len() as u64;
            sent.push(call.indexes.clone());
            assert!(!calls.settle(&call, (0..count).map(put).collect()));
        }
        assert_eq!(sent, [vec![0, 1, 3], vec![2, 4], vec![5]]);
        let many: Vec<_> = (0..1_201).map(|n| entry(&format!("k{n}"), 10)).collect();
        let counts = |entries: Vec<Entry>| {
            let mut calls = Calls::new(entries);
            let mut counts = Vec::new();
            while let Some(call) = calls.next() {
                counts.push(call.indexes.len());
                calls.settle(&call, call.indexes.iter().map(|index| put(*index as u64)).collect());
            }
            counts
        };
        assert_eq!(counts(many), [500, 500, 201]);
        let sizes = [1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 3, (1 << 20) + 1, 3];
        let large = sizes.into_iter().enumerate().map(|(n, size)| entry(&n.to_string(), size)).collect();
        assert_eq!(counts(large), [5, 3, 1]);
    }

    #[test]
    fn what_is_throttled_goes_again_and_what_follows_it_waits() {
        let mut calls = Calls::new(["a", "b", "a", "b"].map(|key| entry(key, 5)).into());
        let call = calls.next().unwrap();
        assert!(calls.settle(&call, vec![Err(Failure::Throttled("later".into())), put(1)]));
        let call = calls.next().unwrap();
        assert_eq!(call.indexes, [0, 3]);
        assert!(!calls.settle(&call, vec![put(2), Err(Failure::Refused("no".into()))]));
        let call = calls.next().unwrap();
        assert_eq!(call.indexes, [2]);
        assert!(!calls.settle(&call, vec![put(3)]));
        assert!(calls.next().is_none());
        assert_eq!(calls.outcomes(), [put(2), put(1), put(3), Err(Failure::Refused("no".into()))]);
    }

    #[test]
    fn behind_one_whose_fate_is_unknown_nothing_of_its_key_goes() {
        let mut calls = Calls::new(["a", "b", "a", "b"].map(|key| entry(key, 5)).into());
        let call = calls.next().unwrap();
        let unknown = || Failure::Unknown("cut".into());
        assert!(!calls.settle(&call, vec![Err(unknown()), put(1)]));
        let call = calls.next().unwrap();
        assert_eq!(call.indexes, [3]);
        calls.settle(&call, vec![put(2)]);
        assert!(calls.next().is_none());
        assert_eq!(calls.outcomes(), [Err(unknown()), put(1), Err(unknown()), put(2)]);
    }
}
