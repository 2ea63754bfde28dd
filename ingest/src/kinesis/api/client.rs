//! Kinesis as its SDK reaches it.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_sdk_kinesis::config::{BehaviorVersion, Region};
use aws_sdk_kinesis::primitives::{Blob, DateTime};
use aws_sdk_kinesis::types::{self, PutRecordsRequestEntry, ShardIteratorType};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use schema::{PartitionId, Sequence, StreamName, Timestamp};

use super::{Begin, Entry, Failure, Given, Kinesis, Put, credentials};
use crate::kinesis::KinesisSettings;
use crate::kinesis::record::Fetched;
use crate::kinesis::shards::Shard;

/// A client. It tries nothing twice: what a failure means is for whoever asked to say.
pub(in crate::kinesis) struct Client(aws_sdk_kinesis::Client);

impl Client {
    /// A client as `settings` say; whether Kinesis is there shows when something is asked.
    pub(in crate::kinesis) async fn new(settings: &KinesisSettings) -> Self {
        let region = Region::new(settings.region.clone());
        let tls = Provider::Rustls(CryptoMode::AwsLc);
        let http = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
        let wait = Duration::from_millis(settings.request_ms);
        let mut config = aws_sdk_kinesis::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(region.clone())
            .credentials_provider(credentials::chain(region, http.clone()).await)
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().connect_timeout(wait).operation_timeout(wait).build())
            .http_client(http);
        if !settings.endpoint.is_empty() {
            config = config.endpoint_url(&settings.endpoint);
        }
        Self(aws_sdk_kinesis::Client::from_conf(config.build()))
    }
}

#[async_trait]
impl Kinesis for Client {
    async fn shards(&self, stream: &StreamName) -> Result<Vec<Shard>, Failure> {
        let mut shards = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self.0.list_shards();
            let request = match token {
                // Where there is a token, it says which stream.
                Some(token) => request.next_token(token),
                None => request.stream_name(stream.as_str()),
            };
            let answer = request.send().await?;
            for shard in answer.shards() {
                shards.push(listed(shard)?);
            }
            token = answer.next_token;
            if token.is_none() {
                return Ok(shards);
            }
        }
    }

    async fn retention_hours(&self, stream: &StreamName) -> Result<u64, Failure> {
        let answer = self.0.describe_stream_summary().stream_name(stream.as_str()).send().await?;
        let hours = answer.stream_description_summary().map_or(0, |summary| summary.retention_period_hours());
        Ok(u64::try_from(hours).unwrap_or(0))
    }

    async fn open(&self, stream: &StreamName, shard: &PartitionId, from: Begin) -> Result<String, Failure> {
        let request = self.0.get_shard_iterator().stream_name(stream.as_str()).shard_id(shard.as_str());
        let request = match from {
            Begin::Oldest => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
            Begin::Time(Timestamp(micros)) => request
                .shard_iterator_type(ShardIteratorType::AtTimestamp)
                .timestamp(DateTime::from_millis(micros.div_euclid(1_000))),
            Begin::After(sequence) => request
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .starting_sequence_number(sequence.to_string()),
        };
        let answer = request.send().await?;
        answer.shard_iterator.ok_or_else(|| Failure::Unknown("it gave no shard iterator".into()))
    }

    async fn next(&self, iterator: &str, records_max: u32) -> Result<Given, Failure> {
        let limit = i32::try_from(records_max).unwrap_or(i32::MAX);
        let answer = self.0.get_records().shard_iterator(iterator).limit(limit).send().await?;
        let records = answer.records.into_iter().map(fetched).collect::<Result<_, _>>()?;
        let behind_ms =
            answer.millis_behind_latest.and_then(|behind| u64::try_from(behind).ok()).unwrap_or(0);
        Ok(Given { records, next: answer.next_shard_iterator, behind_ms })
    }

    async fn put(
        &self,
        stream: &StreamName,
        entries: &[Entry],
    ) -> Result<Vec<Result<Put, Failure>>, Failure> {
        let mut records = Vec::with_capacity(entries.len());
        for Entry { key, data } in entries {
            let record =
                PutRecordsRequestEntry::builder().partition_key(&**key).data(Blob::new(data.to_vec()));
            records.push(record.build().map_err(|error| Failure::Refused(error.to_string()))?);
        }
        let answer =
            self.0.put_records().stream_name(stream.as_str()).set_records(Some(records)).send().await?;
        let outcomes: Vec<_> = answer.records().iter().map(outcome).collect();
        if outcomes.len() != entries.len() {
            return Err(Failure::Unknown("it did not answer for each message".into()));
        }
        Ok(outcomes)
    }
}

fn outcome(record: &types::PutRecordsResultEntry) -> Result<Put, Failure> {
    if let Some(code) = record.error_code() {
        return Err(Failure::of_record(code, record.error_message().unwrap_or_default()));
    }
    let (Some(shard), Some(number)) = (record.shard_id(), record.sequence_number()) else {
        return Err(Failure::Unknown("it gave no position".into()));
    };
    Ok(Put { shard: PartitionId::new(shard), sequence: sequence(number)? })
}

fn listed(shard: &types::Shard) -> Result<Shard, Failure> {
    let id = shard.shard_id();
    let incomplete = || Failure::Unknown(format!("it says too little of {id}"));
    let hashes = shard.hash_key_range().ok_or_else(incomplete)?;
    let hash = |text: &str| text.parse::<u128>().map_err(|_| incomplete());
    let numbers = shard.sequence_number_range().ok_or_else(incomplete)?;
    let mut parents: Vec<PartitionId> = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()]
        .into_iter()
        .flatten()
        .map(PartitionId::new)
        .collect();
    parents.dedup();
    Ok(Shard {
        id: PartitionId::new(id),
        parents,
        hashes: hash(hashes.starting_hash_key())?..=hash(hashes.ending_hash_key())?,
        starting: sequence(numbers.starting_sequence_number())?,
        ending: numbers.ending_sequence_number().map(sequence).transpose()?,
    })
}

fn fetched(record: types::Record) -> Result<Fetched, Failure> {
    let arrived = record.approximate_arrival_timestamp.and_then(|time| time.to_millis().ok());
    Ok(Fetched {
        key: record.partition_key.unwrap_or_default().into(),
        sequence: sequence(&record.sequence_number)?,
        arrived_at: Timestamp(arrived.unwrap_or(0).saturating_mul(1_000)),
        data: record.data.into_inner().into(),
    })
}

fn sequence(text: &str) -> Result<Sequence, Failure> {
    text.parse().map_err(|_| Failure::Unknown(format!("{text:?} is no sequence number")))
}
