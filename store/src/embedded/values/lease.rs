//! A lease's value: who has the partition, and how far it is. And its heartbeat's, which is written far more often.

use schema::{PartitionId, Sequence, Timestamp};

use super::{V1, V2, fields_of};
use crate::fields::{Fields, put};
use crate::{Registration, Report};

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::embedded) struct LeaseValue {
    pub(in crate::embedded) epoch: u64,
    pub(in crate::embedded) checkpoint: Sequence,
    pub(in crate::embedded) owner: Option<String>,
    /// The worker that asks for it.
    pub(in crate::embedded) wanted_by: Option<String>,
    pub(in crate::embedded) parents: Vec<PartitionId>,
    /// As it was registered.
    pub(in crate::embedded) generation: u32,
    pub(in crate::embedded) registered_at: Timestamp,
    pub(in crate::embedded) reads_from: Option<Timestamp>,
}

impl LeaseValue {
    /// The lease of a partition that nobody has claimed, nor registered with more than its name.
    pub(in crate::embedded) fn unclaimed() -> Self {
        Self {
            epoch: 0,
            checkpoint: Sequence::ZERO,
            owner: None,
            wanted_by: None,
            parents: Vec::new(),
            generation: 1,
            registered_at: Timestamp(0),
            reads_from: None,
        }
    }

    /// That of a new one.
    pub(in crate::embedded) fn registered(new: &Registration) -> Self {
        Self {
            parents: new.parents.clone(),
            generation: new.generation,
            registered_at: new.registered_at,
            reads_from: new.reads_from,
            ..Self::unclaimed()
        }
    }

    /// The first version where that says all, so that what the embedded log's leases are stays what it was.
    pub(in crate::embedded) fn encode(&self) -> Vec<u8> {
        let Self { epoch, checkpoint, .. } = *self;
        let is_plain = *self == Self { epoch, checkpoint, ..Self::unclaimed() };
        let mut value = vec![if is_plain { V1 } else { V2 }];
        value.extend_from_slice(&epoch.to_be_bytes());
        checkpoint.encode(&mut value);
        if !is_plain {
            value.extend_from_slice(&self.generation.to_be_bytes());
            value.extend_from_slice(&self.registered_at.0.to_be_bytes());
            for name in [&self.owner, &self.wanted_by] {
                value.push(u8::from(name.is_some()));
                put(&mut value, name.as_deref().unwrap_or_default().as_bytes());
            }
            value.push(u8::from(self.reads_from.is_some()));
            value.extend_from_slice(&self.reads_from.unwrap_or(Timestamp(0)).0.to_be_bytes());
            for parent in &self.parents {
                put(&mut value, parent.as_str().as_bytes());
            }
        }
        value
    }

    pub(in crate::embedded) fn decode(value: &[u8]) -> Option<Self> {
        let (version, mut fields) = fields_of(value, V2)?;
        let (epoch, checkpoint) = (fields.u64()?, fields.sequence()?);
        let mut lease = Self { epoch, checkpoint, ..Self::unclaimed() };
        if version == V2 {
            (lease.generation, lease.registered_at) = (fields.u32()?, fields.time()?);
            lease.owner = name(&mut fields)?;
            lease.wanted_by = name(&mut fields)?;
            let has_start = fields.byte()? > 0;
            lease.reads_from = Some(fields.time()?).filter(|_| has_start);
            while !fields.0.is_empty() {
                lease.parents.push(PartitionId::new(fields.text()?));
            }
        }
        Some(lease)
    }
}

/// A worker's name, or that there is none.
fn name(fields: &mut Fields<'_>) -> Option<Option<String>> {
    let is_there = fields.byte()? > 0;
    let name = fields.text()?;
    Some(is_there.then(|| name.to_owned()))
}

/// A heartbeat: the epoch that it is of, its counter, and what the owner said of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::embedded) struct Heartbeat {
    pub(in crate::embedded) epoch: u64,
    pub(in crate::embedded) beat: u64,
    pub(in crate::embedded) report: Report,
}

impl Heartbeat {
    pub(in crate::embedded) fn encode(&self) -> Vec<u8> {
        let mut value = vec![V2];
        for number in [self.epoch, self.beat].into_iter().chain(self.report.numbers()) {
            value.extend_from_slice(&number.to_be_bytes());
        }
        value
    }

    /// The first version said nothing of its owner.
    pub(in crate::embedded) fn decode(value: &[u8]) -> Option<Self> {
        let (version, mut fields) = fields_of(value, V2)?;
        let (epoch, beat, mut numbers) = (fields.u64()?, fields.u64()?, [0; 6]);
        if version == V2 {
            for number in &mut numbers {
                *number = fields.u64()?;
            }
        }
        Some(Self { epoch, beat, report: Report::of(numbers) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_come_back_and_plain_ones_are_written_as_ever() {
        let parents = [PartitionId::embedded(1), PartitionId::embedded(2)];
        let plain = LeaseValue { epoch: 7, checkpoint: 300.into(), ..LeaseValue::unclaimed() };
        assert_eq!(plain.encode(), [1, 0, 0, 0, 0, 0, 0, 0, 7, 2, 1, 44]);
        let owned = LeaseValue { owner: Some("worker 1".into()), ..plain.clone() };
        let wanted = LeaseValue { wanted_by: Some("worker 2".into()), ..owned.clone() };
        let new = Registration {
            generation: 3,
            registered_at: Timestamp(-5),
            reads_from: Some(Timestamp(0)),
            ..Registration::new(&parents[0], &parents)
        };
        let new = LeaseValue::registered(&new);
        let ended = LeaseValue { checkpoint: Sequence::END, reads_from: None, ..new.clone() };
        for lease in [plain, owned, wanted, new, ended] {
            let value = lease.encode();
            assert_eq!(LeaseValue::decode(&value), Some(lease));
        }
    }

    #[test]
    fn heartbeats_come_back_also_those_that_say_nothing_of_their_owner() {
        let report = Report::of([1, 2, u64::MAX, 3, 0, 4]);
        let heartbeat = Heartbeat { epoch: 3, beat: 4, report };
        assert_eq!(Heartbeat::decode(&heartbeat.encode()), Some(heartbeat));
        let first = [&[V1][..], &[3, 4].map(u64::to_be_bytes).concat()].concat();
        assert_eq!(Heartbeat::decode(&first), Some(Heartbeat { report: Report::default(), ..heartbeat }));
    }
}
