//! Claims of messages' ids.
//!
//! Nearly every id is claimed once, so that case is made cheap. The first claim that is written of an id stands under the
//! id itself, its *head*: that there is none is one look-up, which a filter in memory answers. Further claims stand
//! behind the head, by their place in the log, and are looked for only where there is a head.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use async_trait::async_trait;
use schema::StreamName;

use super::Embedded;
use super::blocking::{Fault, lock};
use super::tables::Tables;
use super::values::Claimed;
use super::{keys, values};
use crate::{IdClaim, Ids, StoreError};

#[async_trait]
impl Ids for Embedded {
    async fn claim_ids(
        &self,
        stream: &StreamName,
        claims: &[IdClaim],
        window_micros: i64,
    ) -> Result<Vec<bool>, StoreError> {
        let (stream, claims) = (stream.clone(), claims.to_vec());
        self.write("claim ids", move |tables| tables.claim_ids(&stream, &claims, window_micros)).await
    }
}

/// What is known of an id while a batch is decided.
struct Head {
    claimed: Claimed,
    /// Nobody else has claimed it, in this batch or before.
    alone: bool,
}

impl Tables {
    /// Writes all claims, then decides each by what is written: whichever of two comes first in the log is kept,
    /// whoever asks first.
    fn claim_ids(&self, stream: &StreamName, claims: &[IdClaim], window: i64) -> Result<Vec<bool>, Fault> {
        let keys: Vec<Vec<u8>> = claims.iter().map(|claim| keys::id(stream, claim)).collect();
        let _one_at_a_time = lock(&self.id_heads);
        let mut heads: HashMap<&[u8], Head> = HashMap::with_capacity(claims.len());
        let mut batch = self.db.batch();
        for (key, claim) in keys.iter().zip(claims) {
            let claimed = Claimed::of(claim);
            let head = match heads.entry(key) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => match self.ids.get(key)? {
                    Some(value) => {
                        let claimed = Claimed::decode(&value).ok_or_else(unreadable)?;
                        unknown.insert(Head { claimed, alone: false })
                    }
                    None => {
                        batch.insert(&self.ids, &key[..], claimed.encode());
                        unknown.insert(Head { claimed, alone: true });
                        continue;
                    }
                },
            };
            head.alone = false;
            if head.claimed != claimed {
                batch.insert(&self.ids, keys::id_claim(key, claim), values::arrival(claim.arrived_at));
            }
        }
        batch.commit()?;
        keys.iter()
            .zip(claims)
            .map(|(key, claim)| self.is_claimed_earlier(key, claim, &heads[&key[..]], window))
            .collect()
    }

    fn is_claimed_earlier(
        &self,
        key: &[u8],
        claim: &IdClaim,
        head: &Head,
        window: i64,
    ) -> Result<bool, Fault> {
        if head.alone {
            return Ok(false);
        }
        let near = |arrived_at: schema::Timestamp| {
            arrived_at.0.abs_diff(claim.arrived_at.0) <= window.unsigned_abs()
        };
        if head.claimed.place < Claimed::of(claim).place && near(head.claimed.arrived_at) {
            return Ok(true);
        }
        // The nearest first: of an id that is sent on and on, the one before is within the window.
        let mut first = key.to_vec();
        first.push(0);
        for earlier in self.ids.range(first..keys::id_claim(key, claim)).rev() {
            if near(values::read_arrival(&earlier.value()?).ok_or_else(unreadable)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn unreadable() -> Fault {
    Fault::corrupt("the claim of an id")
}
