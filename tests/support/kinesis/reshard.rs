//! Shards of the emulator's streams, and changes of them.

use ferrokinesis::actions::Operation;
use serde_json::{Value, json};

use super::{Emulator, dispatched};

/// A shard, as it is listed.
#[derive(Clone, Debug)]
pub(crate) struct Shard {
    pub(crate) id: String,
    pub(crate) parents: Vec<String>,
    pub(crate) is_open: bool,
    /// The least and the greatest hash of keys that it takes.
    pub(crate) hashes: (u128, u128),
}

impl Emulator {
    /// All shards of a stream, in the order in which they were made.
    pub(crate) fn shards(&self, stream: &str) -> Vec<Shard> {
        let listed = self.call(Operation::ListShards, json!({ "StreamName": stream }));
        listed["Shards"].as_array().unwrap().iter().map(shard).collect()
    }

    /// The shards that take records.
    pub(crate) fn open_shards(&self, stream: &str) -> Vec<Shard> {
        self.shards(stream).into_iter().filter(|shard| shard.is_open).collect()
    }

    /// Splits a shard into two halves.
    pub(crate) fn split(&self, stream: &str, shard: &Shard) {
        let (least, greatest) = shard.hashes;
        let middle = least + (greatest - least) / 2 + 1;
        self.reshard(
            stream,
            Operation::SplitShard,
            json!({ "StreamName": stream, "ShardToSplit": shard.id, "NewStartingHashKey": middle.to_string() }),
        );
    }

    /// Merges the open shard whose hashes are behind those of `shard` with it.
    pub(crate) fn merge(&self, stream: &str, shard: &Shard) {
        let open = self.open_shards(stream);
        let next = open.iter().find(|next| next.hashes.0.checked_sub(1) == Some(shard.hashes.1));
        let next = next.unwrap_or_else(|| panic!("nothing is behind {shard:?} in {open:?}"));
        self.reshard(
            stream,
            Operation::MergeShards,
            json!({ "StreamName": stream, "ShardToMerge": shard.id, "AdjacentShardToMerge": next.id }),
        );
    }

    /// Does it all at once, as seen from outside: what a shard was given is there before it ends.
    fn reshard(&self, stream: &str, operation: Operation, input: Value) {
        self.runtime.block_on(async {
            let _alone = self.faults.order.write().await;
            dispatched(&self.store.0, operation, input).await;
            self.settled(stream).await;
        });
    }
}

fn shard(listed: &Value) -> Shard {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let hash = |name: &str| listed["HashKeyRange"][name].as_str().unwrap().parse().unwrap();
    Shard {
        id: text(&listed["ShardId"]).unwrap(),
        parents: [&listed["ParentShardId"], &listed["AdjacentParentShardId"]]
            .into_iter()
            .filter_map(text)
            .collect(),
        is_open: listed["SequenceNumberRange"]["EndingSequenceNumber"].is_null(),
        hashes: (hash("StartingHashKey"), hash("EndingHashKey")),
    }
}
