//! The baseline: the SDK reads all records, and nobody does anything with them.

use aws_sdk_kinesis::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_kinesis::types::ShardIteratorType;
use aws_sdk_kinesis::{Client, Config};

/// Reads all shards of a stream at the same time, until `count` records have come together; gives how many did.
pub async fn read_all(endpoint: &str, stream: &str, shards: u32, count: usize) -> usize {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("x", "y", None, None, "bench"))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    let client = Client::from_conf(config.build());
    let readers = (0..shards)
        .map(|shard| tokio::spawn(read(client.clone(), stream.to_owned(), format!("shardId-{shard:012}"))));
    let mut sum = 0;
    for reader in readers.collect::<Vec<_>>() {
        sum += reader.await.expect("it reads");
    }
    assert!(sum <= count, "{sum} of {count}");
    sum
}

/// Reads a shard until it gives nothing.
async fn read(client: Client, stream: String, shard: String) -> usize {
    let first = client
        .get_shard_iterator()
        .stream_name(stream)
        .shard_id(shard)
        .shard_iterator_type(ShardIteratorType::TrimHorizon);
    let mut iterator = first.send().await.expect("an iterator").shard_iterator;
    let mut sum = 0;
    while let Some(with) = iterator.take() {
        let answer = client.get_records().shard_iterator(with).limit(10_000).send().await.expect("records");
        if answer.records().is_empty() {
            break;
        }
        sum += answer.records().len();
        iterator = answer.next_shard_iterator;
    }
    sum
}
