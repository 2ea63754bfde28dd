//! A lease's value: who has the partition, and how far it is.

use schema::{PartitionId, Sequence};

use super::{V1, V2, fields, fields_of};
use crate::fields::put;

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::embedded) struct LeaseValue {
    pub(in crate::embedded) epoch: u64,
    pub(in crate::embedded) checkpoint: Sequence,
    pub(in crate::embedded) owner: Option<String>,
    pub(in crate::embedded) parents: Vec<PartitionId>,
}

impl LeaseValue {
    /// The lease of a partition that nobody has claimed.
    pub(in crate::embedded) fn unclaimed(parents: &[PartitionId]) -> Self {
        Self { epoch: 0, checkpoint: Sequence::ZERO, owner: None, parents: parents.to_vec() }
    }

    /// The first version where that says all, so that what the embedded log's leases are stays what it was.
    pub(in crate::embedded) fn encode(&self) -> Vec<u8> {
        let is_plain = self.owner.is_none() && self.parents.is_empty();
        let mut value = vec![if is_plain { V1 } else { V2 }];
        value.extend_from_slice(&self.epoch.to_be_bytes());
        self.checkpoint.encode(&mut value);
        if !is_plain {
            value.push(u8::from(self.owner.is_some()));
            if let Some(owner) = &self.owner {
                put(&mut value, owner.as_bytes());
            }
            for parent in &self.parents {
                put(&mut value, parent.as_str().as_bytes());
            }
        }
        value
    }

    pub(in crate::embedded) fn decode(value: &[u8]) -> Option<Self> {
        let (version, mut fields) = fields_of(value, V2)?;
        let (epoch, checkpoint) = (fields.u64()?, fields.sequence()?);
        let mut lease = Self { epoch, checkpoint, ..Self::unclaimed(&[]) };
        if version == V2 {
            if fields.byte()? > 0 {
                lease.owner = Some(fields.text()?.to_owned());
            }
            while !fields.0.is_empty() {
                lease.parents.push(PartitionId::new(fields.text()?));
            }
        }
        Some(lease)
    }
}

/// A heartbeat: the epoch that it is of, and its counter.
pub(in crate::embedded) fn heartbeat(epoch: u64, beat: u64) -> Vec<u8> {
    let mut value = vec![V1];
    value.extend_from_slice(&epoch.to_be_bytes());
    value.extend_from_slice(&beat.to_be_bytes());
    value
}

/// Reads a heartbeat.
pub(in crate::embedded) fn read_heartbeat(value: &[u8]) -> Option<(u64, u64)> {
    let mut fields = fields(value)?;
    Some((fields.u64()?, fields.u64()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_come_back_and_plain_ones_are_written_as_ever() {
        let parents = [PartitionId::embedded(1), PartitionId::embedded(2)];
        let plain = LeaseValue { epoch: 7, checkpoint: 300.into(), ..LeaseValue::unclaimed(&[]) };
        assert_eq!(plain.encode(), [1, 0, 0, 0, 0, 0, 0, 0, 7, 2, 1, 44]);
        let owned = LeaseValue { owner: Some("worker 1".into()), ..plain.clone() };
        let ended = LeaseValue { checkpoint: Sequence::END, ..LeaseValue::unclaimed(&parents) };
        let both = LeaseValue { parents: parents.to_vec(), ..owned.clone() };
        for lease in [plain, owned, ended, both] {
            let value = lease.encode();
            assert_eq!(LeaseValue::decode(&value), Some(lease));
        }
    }
}
