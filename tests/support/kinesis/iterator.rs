//! Iterators at a time, put right: where nothing has come since, the emulator begins with the oldest record, and not with what
//! comes next.

use axum::body::Bytes;
use ferrokinesis::store::Store;
use serde_json::Value;

/// A request for an iterator as it has to be asked, if that is otherwise.
pub(super) async fn corrected(store: &Store, body: &Bytes) -> Option<Bytes> {
    let mut input: Value = serde_json::from_slice(body).ok()?;
    if input["ShardIteratorType"] != "AT_TIMESTAMP" {
        return None;
    }
    let (stream, time) = (input["StreamName"].as_str()?, input["Timestamp"].as_f64()?);
    let range = records_of(input["ShardId"].as_str()?);
    if store.find_first_record_at_timestamp(stream, &range.start, &range.end, time).await.is_some() {
        return None;
    }
    input["ShardIteratorType"] = "LATEST".into();
    input.as_object_mut()?.remove("Timestamp");
    Some(input.to_string().into())
}

/// Between which keys the emulator keeps the records of a shard.
pub(super) fn records_of(shard: &str) -> std::ops::Range<String> {
    let number: u32 = shard.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    format!("{number:08x}/")..format!("{:08x}", number + 1)
}
