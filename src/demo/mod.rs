//! Lifelike traffic: a shop's page events and their campaigns, joined by `request_id`; devices in three rooms, with gaps
//! and late messages.
//!
//! It goes the way of any other message, through [`Publish`]; only the network is spared.

mod events;
mod random;
mod telemetry;

use std::time::Duration;

use ingest::Ingest;
use schema::{Clock, Stream, StreamName, Timestamp, Topic};
use serde::Deserialize;
use store::{Publish, PublishRequest, WritePolicy};
use tokio::task::JoinHandle;

use crate::commands::Failure;
use events::Events;
use random::Random;
use telemetry::Telemetry;

/// The demo's own data folder.
pub(crate) const DATA: &str = "./tidegate-demo";

/// How long before the start its history begins, in seconds.
const HISTORY_SECONDS: i64 = 2 * 3_600;
/// Between two rounds of live traffic.
const ROUND: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Definitions {
    stream: Vec<Stream>,
}

/// Adds the demo's streams to those of the configuration, which win.
pub(crate) fn define_streams(streams: &mut Vec<Stream>) -> Result<(), Failure> {
    let demo: Definitions = toml::from_str(include_str!("streams.toml"))?;
    for stream in demo.stream {
        if !streams.iter().any(|known| known.name == stream.name) {
            streams.push(stream);
        }
    }
    Ok(())
}

/// The demo may write everything, as what it stands for may.
#[derive(Debug)]
struct Producer;

impl WritePolicy for Producer {
    fn may_write(&self, _: &StreamName, _: &Topic) -> Result<(), String> {
        Ok(())
    }

    fn may_write_some(&self, _: &StreamName) -> Result<(), String> {
        Ok(())
    }

    fn own_topic(&self) -> Topic {
        // Short, and without control characters.
        Topic::new("demo").unwrap_or_else(|_| unreachable!("a constant topic"))
    }
}

/// Writes the history into a new folder, then goes on with live traffic until the task is aborted.
pub(crate) async fn start(
    ingest: Ingest,
    with_history: bool,
    clock: Clock,
) -> Result<JoinHandle<()>, Failure> {
    let now = clock();
    let mut random = Random::new(now.0 as u64);
    let (mut events, mut telemetry) = (Events::new(), Telemetry::new());
    if with_history {
        let mut messages = Vec::new();
        for back in (1..=HISTORY_SECONDS / 10).rev() {
            let at = now.plus_micros(-back * 10_000_000);
            telemetry.round(at, &mut random, &mut messages);
            if random.one_in(3) {
                events.round(at, &mut random, &mut messages);
            }
        }
        for batch in messages.chunks(1_000) {
            send(&ingest, batch.to_vec()).await?;
        }
        caught_up(&ingest).await;
    }
    Ok(tokio::spawn(async move {
        let mut healthy = true;
        loop {
            tokio::time::sleep(ROUND).await;
            let mut messages = Vec::new();
            telemetry.round(clock(), &mut random, &mut messages);
            events.round(clock(), &mut random, &mut messages);
            let sent = send(&ingest, messages).await;
            if let (Err(error), true) = (&sent, healthy) {
                tracing::warn!(error = %error, "demo traffic is not accepted; trying on");
            }
            healthy = sent.is_ok();
        }
    }))
}

/// Waits until the history can be queried, so that the page's first queries answer.
async fn caught_up(ingest: &Ingest) {
    let patience = tokio::time::Instant::now() + Duration::from_secs(30);
    while ingest.lag().records > 0 && tokio::time::Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn send(ingest: &Ingest, messages: Vec<PublishRequest>) -> Result<(), Failure> {
    for answer in ingest.publish(&Producer, messages).await {
        answer?;
    }
    Ok(())
}

/// One message of the demo.
fn message(stream: &str, key: &str, data: &serde_json::Value, into: &mut Vec<PublishRequest>) {
    if let Ok(stream) = StreamName::new(stream) {
        into.push(PublishRequest {
            stream,
            topic: None,
            key: Some(key.into()),
            data: data.to_string().into(),
        });
    }
}

/// A time without a zone, as the event producers write it.
fn zoneless(at: Timestamp) -> String {
    at.to_string().replace('T', " ").replace('Z', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_streams_are_well_formed_and_its_messages_fit_them() {
        let mut streams = Vec::new();
        define_streams(&mut streams).unwrap();
        let now = Timestamp(1_700_000_000_000_000);
        let (mut random, mut messages) = (Random::new(7), Vec::new());
        let (mut events, mut telemetry) = (Events::new(), Telemetry::new());
        for _ in 0..200 {
            events.round(now, &mut random, &mut messages);
            telemetry.round(now, &mut random, &mut messages);
        }
        assert!(messages.len() > 300);
        for message in messages {
            let stream = streams.iter().find(|stream| stream.name == message.stream).unwrap();
            stream.route(None, message.key.as_deref().unwrap(), &message.data).unwrap();
            let (time, source) = stream.time_of(&message.data, now);
            assert!(time <= now && source != schema::TimeSource::Unreadable, "{message:?}");
        }
    }
}
