//! Claims of messages' ids. Each claim is a row of its own, and all of them are written before any is judged: so what comes
//! first in the log is kept, whoever asks first.

use async_trait::async_trait;
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use schema::StreamName;
use sha2::{Digest, Sha256};

use super::Scylla;
use super::messages::AT_ONCE;
use super::slots::bytes;
use crate::{IdClaim, Ids, StoreError};

/// Earlier claims of one look; the nearest come first.
const LOOK: i32 = 100;
const DOING: &str = "claim ids";

#[async_trait]
impl Ids for Scylla {
    async fn claim_ids(
        &self,
        stream: &StreamName,
        claims: &[IdClaim],
        window_micros: i64,
    ) -> Result<Vec<bool>, StoreError> {
        let rule = self.expiry(stream).await?;
        let ids: Vec<[u8; 32]> = claims.iter().map(digest).collect();
        let pairs = || ids.iter().zip(claims);
        let writes = pairs().map(|(id, claim)| {
            // Whatever arrives within the window of it, and may be decided again as long as it is kept; what comes in past
            // its retention, after a long time without the store, still has to meet what comes in next.
            let window = rule.id_window.max(window_micros);
            let until = rule.until(claim.arrived_at).max(rule.now.0).saturating_add(window);
            let (generation, sequence, sub) = place(claim);
            let (arrived_at, ttl) = (claim.arrived_at.0, rule.ttl(until));
            let row = (stream.as_str(), &id[..], generation, sequence, sub, arrived_at, ttl);
            self.0.calls.run(DOING, &self.0.statements.insert_id, row)
        });
        let writes: Vec<_> = writes.collect();
        let _: Vec<_> = iter(writes).buffer_unordered(AT_ONCE).try_collect().await?;
        let looks = pairs().map(|(id, claim)| self.is_claimed_earlier(stream, id, claim, window_micros));
        let looks: Vec<_> = looks.collect();
        iter(looks).buffered(AT_ONCE).try_collect().await
    }
}

impl Scylla {
    async fn is_claimed_earlier(
        &self,
        stream: &StreamName,
        id: &[u8],
        claim: &IdClaim,
        window: i64,
    ) -> Result<bool, StoreError> {
        let (mut generation, mut sequence, mut sub) = place(claim);
        loop {
            let key = (stream.as_str(), id, generation, &sequence, sub, LOOK);
            let rows = self.0.calls.query(DOING, &self.0.statements.earlier_ids, key).await?;
            let more = rows.rows_num() >= LOOK as usize;
            let rows = rows.rows::<(i64, &[u8], i64, i64)>();
            for row in rows.map_err(|error| StoreError::unavailable(DOING, error))? {
                let row = row.map_err(|error| StoreError::unavailable(DOING, error))?;
                if row.3.abs_diff(claim.arrived_at.0) <= window.unsigned_abs() {
                    return Ok(true);
                }
                (generation, sequence, sub) = (row.0, row.1.to_vec(), row.2);
            }
            if !more {
                return Ok(false);
            }
        }
    }
}

/// Where a claim stands among those of its id.
fn place(claim: &IdClaim) -> (i64, Vec<u8>, i64) {
    (claim.generation.into(), bytes(&claim.sequence), claim.sub.into())
}

/// Key and id, in as many bytes as a key of the servers may have.
fn digest(claim: &IdClaim) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update((claim.key.len() as u64).to_be_bytes());
    digest.update(claim.key.as_bytes());
    digest.update(claim.id.as_bytes());
    digest.finalize().into()
}
