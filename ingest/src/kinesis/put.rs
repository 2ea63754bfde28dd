//! Puts messages into Kinesis, those of one key in their order.

mod calls;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schema::{Position, StreamName};
use store::PublishError;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::api::{Entry, Failure, Kinesis, Put};
use super::pace;
use super::settings::KinesisSettings;
use crate::IngestSettings;
use crate::accept::Append;
use crate::log::LogEntry;
use crate::streams::Streams;
use calls::Calls;

/// The way into Kinesis.
pub(crate) struct Putter {
    kinesis: Arc<dyn Kinesis>,
    streams: Streams,
    /// Requests that may be under way.
    requests: Semaphore,
    /// How long Kinesis is waited for.
    patience: Duration,
}

impl Putter {
    pub(super) fn new(
        kinesis: Arc<dyn Kinesis>,
        streams: Streams,
        settings: &KinesisSettings,
        ingest: &IngestSettings,
    ) -> Self {
        let patience = Duration::from_millis(ingest.queue_wait_ms);
        Self { kinesis, streams, requests: Semaphore::new(settings.puts_max), patience }
    }

    /// Puts messages of one stream: in as many requests as it takes, one after the other.
    async fn put(&self, stream: &StreamName, entries: Vec<Entry>) -> Vec<Result<Put, Failure>> {
        let until = Instant::now() + self.patience;
        let mut calls = Calls::new(entries);
        let mut failures = 0;
        while let Some(call) = calls.next() {
            let answers = match self.request(stream, &call.entries, until).await {
                Ok(answers) => answers,
                Err(failure) => call.entries.iter().map(|_| Err(failure.clone())).collect(),
            };
            let again = calls.settle(&call, answers);
            if !again {
                failures = 0;
                continue;
            }
            failures += 1;
            let next = Instant::now() + pace::after(failures, calls.first_key());
            if next >= until {
                break;
            }
            tokio::time::sleep_until(next).await;
        }
        calls.outcomes()
    }

    async fn request(
        &self,
        stream: &StreamName,
        entries: &[Entry],
        until: Instant,
    ) -> Result<Vec<Result<Put, Failure>>, Failure> {
        let busy = || Failure::Throttled("too many requests are under way".into());
        let permit = tokio::time::timeout_at(until, self.requests.acquire()).await.map_err(|_| busy())?;
        let _permit = permit.map_err(|_| busy())?;
        self.kinesis.put(stream, entries).await
    }
}

#[async_trait]
impl Append for Putter {
    fn carries_topics(&self) -> bool {
        false
    }

    async fn append(&self, entries: Vec<LogEntry>) -> Vec<Result<Position, PublishError>> {
        let mut outcomes: Vec<Option<Result<Position, PublishError>>> =
            entries.iter().map(|_| None).collect();
        let mut streams: Vec<(StreamName, Vec<usize>, Vec<Entry>)> = Vec::new();
        for (index, LogEntry { stream, key, data, .. }) in entries.into_iter().enumerate() {
            let of = streams.iter().position(|(other, ..)| *other == stream).unwrap_or_else(|| {
                streams.push((stream.clone(), Vec::new(), Vec::new()));
                streams.len() - 1
            });
            streams[of].1.push(index);
            streams[of].2.push(Entry { key, data });
        }
        for (stream, indexes, entries) in streams {
            let source = self.streams.get(&stream).map(|record| record.current().source().clone());
            let answers = self.put(&source.unwrap_or(stream), entries).await;
            for (index, answer) in indexes.into_iter().zip(answers) {
                outcomes[index] = Some(answer.map(position).map_err(|failure| refusal(&failure)));
            }
        }
        let none = || Err(PublishError::Unavailable("Kinesis gave no answer".into()));
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(none)).collect()
    }
}

fn position(Put { shard, sequence }: Put) -> Position {
    Position { partition: shard, sequence, sub: 0 }
}

fn refusal(failure: &Failure) -> PublishError {
    match failure {
        Failure::Refused(_) => PublishError::Invalid(failure.to_string()),
        _ => PublishError::Unavailable(failure.to_string()),
    }
}
