//! Claims of messages' ids. Each claim is a row of its own, and all of them are written before any is judged: so what comes
//! first in the log is kept, whoever asks first.
//!
//! Each id is a partition of the servers, and nearly all are met once. A request for each of them, to write and to look, would be
//! most of what a message costs: several share one.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use schema::StreamName;
use scylla::deserialize::row::DeserializeRow;
use scylla::response::query_result::QueryRowsResult;
use sha2::{Digest, Sha256};

use super::Scylla;
use super::expiry::Rule;
use super::messages::AT_ONCE;
use super::slots::bytes;
use crate::{IdClaim, Ids, StoreError};

/// Claims of one write. Beyond that, servers warn of batches over many partitions.
const WRITE_MAX: usize = 10;
/// Ids of one look; some servers refuse more than 20 partitions.
const LOOK_IDS: usize = 16;
/// Earlier claims of each id in such a look; the nearest come first.
const LOOK_EACH: i32 = 8;
/// Earlier claims of a further look at one id.
const LOOK: i32 = 100;
const DOING: &str = "claim ids";

/// A claim's key in the table, and the claim.
type Keyed<'a> = ([u8; 32], &'a IdClaim);
/// Where a claim stands among those of its id: in the order of the log.
type Place = (i64, Vec<u8>, i64);

#[async_trait]
impl Ids for Scylla {
    async fn claim_ids(
        &self,
        stream: &StreamName,
        claims: &[IdClaim],
        window_micros: i64,
    ) -> Result<Vec<bool>, StoreError> {
        let rule = self.expiry(stream).await?;
        let keyed: Vec<Keyed<'_>> = claims.iter().map(|claim| (digest(claim), claim)).collect();
        let writes = keyed.chunks(WRITE_MAX).map(|claims| self.claim(stream, claims, &rule, window_micros));
        let writes: Vec<_> = writes.collect();
        let () = iter(writes).buffer_unordered(AT_ONCE).try_collect().await?;
        let looks = keyed.chunks(LOOK_IDS).map(|claims| self.judge(stream, claims, window_micros));
        let looks: Vec<_> = looks.collect();
        let judged: Vec<Vec<bool>> = iter(looks).buffered(AT_ONCE).try_collect().await?;
        Ok(judged.concat())
    }
}

impl Scylla {
    async fn claim(
        &self,
        stream: &StreamName,
        claims: &[Keyed<'_>],
        rule: &Rule,
        window: i64,
    ) -> Result<(), StoreError> {
        // Whatever arrives within the window of it, and may be decided again as long as it is kept; what comes in past
        // its retention, after a long time without the store, still has to meet what comes in next.
        let window = rule.id_window.max(window);
        let rows: Vec<_> = claims
            .iter()
            .map(|(id, claim)| {
                let until = rule.until(claim.arrived_at).max(rule.now.0).saturating_add(window);
                let (generation, sequence, sub) = place(claim);
                (stream.as_str(), &id[..], generation, sequence, sub, claim.arrived_at.0, rule.ttl(until))
            })
            .collect();
        self.0.calls.write(DOING, &self.0.statements.insert_id, &rows).await
    }

    /// Whether each was claimed earlier. One look finds it out of nearly all.
    async fn judge(
        &self,
        stream: &StreamName,
        claims: &[Keyed<'_>],
        window: i64,
    ) -> Result<Vec<bool>, StoreError> {
        let places: Vec<Place> = claims.iter().map(|(_, claim)| place(claim)).collect();
        // What comes behind all of them is of no matter to any.
        let Some((generation, sequence, sub)) = places.iter().max() else { return Ok(Vec::new()) };
        let mut ids: Vec<&[u8]> = claims.iter().map(|(id, _)| &id[..]).collect();
        ids.sort_unstable();
        ids.dedup();
        let key = (stream.as_str(), ids, generation, sequence, sub, LOOK_EACH);
        let rows = self.0.calls.query(DOING, &self.0.statements.ids_before, key).await?;
        let mut seen: HashMap<&[u8], Vec<(Place, i64)>> = HashMap::new();
        for (id, generation, sequence, sub, arrived_at) in read::<(&[u8], i64, &[u8], i64, i64)>(&rows)? {
            seen.entry(id).or_default().push(((generation, sequence.to_vec(), sub), arrived_at));
        }
        let mut judged = Vec::with_capacity(claims.len());
        for ((id, claim), place) in claims.iter().zip(places) {
            let there = seen.get(&id[..]).map_or(&[][..], Vec::as_slice);
            let is_near = |arrived_at: i64| arrived_at.abs_diff(claim.arrived_at.0) <= window.unsigned_abs();
            let found = there.iter().any(|(other, arrived_at)| *other < place && is_near(*arrived_at));
            let is_known = found || there.len() < LOOK_EACH as usize;
            judged.push(if is_known {
                found
            } else {
                self.is_claimed_earlier(stream, id, claim, window).await?
            });
        }
        Ok(judged)
    }

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
            for row in read::<(i64, &[u8], i64, i64)>(&rows)? {
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

/// The rows of an answer.
fn read<'a, R: DeserializeRow<'a, 'a>>(rows: &'a QueryRowsResult) -> Result<Vec<R>, StoreError> {
    let rows = rows.rows::<R>().map_err(|error| StoreError::unavailable(DOING, error))?;
    rows.collect::<Result<_, _>>().map_err(|error| StoreError::unavailable(DOING, error))
}

fn place(claim: &IdClaim) -> Place {
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
