//! Accepting messages: each is judged by itself, and those that pass go to the log together.

mod admit;
mod append;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schema::{Limits, Stream, StreamName, Topic};
use store::{Publish, PublishError, PublishRequest, Published, StreamRecord, WritePolicy};

use crate::log::LogEntry;
use crate::metrics::Metrics;
use crate::streams::{Streams, StreamsError, first_definition};
use admit::{admit, unnamed};
pub(crate) use append::Append;

/// The gate before the log. Clones share everything.
#[derive(Clone)]
pub(crate) struct Acceptor {
    pub(crate) log: Arc<dyn Append>,
    pub(crate) streams: Streams,
    pub(crate) limits: Arc<Limits>,
    pub(crate) metrics: Arc<Metrics>,
}

/// What is known of a stream while the messages of one call are judged: it is looked up once for all of them.
enum Standing {
    Known(Arc<StreamRecord>),
    /// It would be made with this definition, once one of its messages passes.
    New(Box<Stream>),
    /// It can't be had.
    Refused(StreamsError),
}

#[async_trait]
impl Publish for Acceptor {
    async fn publish(
        &self,
        caller: &dyn WritePolicy,
        requests: Vec<PublishRequest>,
    ) -> Vec<Result<Published, PublishError>> {
        let mut standings = BTreeMap::new();
        let mut verdicts = Vec::with_capacity(requests.len());
        let mut entries = Vec::with_capacity(requests.len());
        for request in requests {
            let verdict = self.judge(&mut standings, caller, request).await.map(|(topic, entry)| {
                entries.push(entry);
                topic
            });
            verdicts.push(verdict);
        }
        let sizes: Vec<usize> = entries.iter().map(|entry| entry.data.len()).collect();
        let mut put = self.log.append(entries).await.into_iter().zip(sizes);
        let mut settle = |topic| {
            // The log answers for each entry, so this refuses nothing.
            let none = || PublishError::Unavailable("the log gave no position".into());
            let (position, bytes) = put.next().ok_or_else(none)?;
            let position = position?;
            self.metrics.accepted.inc();
            self.metrics.accepted_bytes.inc_by(bytes as u64);
            Ok(Published { position, topic })
        };
        let answers: Vec<_> = verdicts.into_iter().map(|verdict| verdict.and_then(&mut settle)).collect();
        answers
            .iter()
            .filter_map(|answer| answer.as_ref().err())
            .for_each(|error| self.metrics.refuse(error));
        answers
    }
}

impl Acceptor {
    /// Judges one message, by what is known of its stream; a stream that is new is made for the first that passes.
    async fn judge(
        &self,
        standings: &mut BTreeMap<StreamName, Standing>,
        caller: &dyn WritePolicy,
        request: PublishRequest,
    ) -> Result<(Topic, LogEntry), PublishError> {
        let name = request.stream.clone();
        // Who may not write there is not told whether there is such a stream.
        caller.may_write_some(&name).map_err(PublishError::Denied)?;
        if !standings.contains_key(&name) {
            let standing = match self.streams.find(&name).await {
                Ok(Some(record)) => Standing::Known(record),
                Ok(None) => Standing::New(Box::new(first_definition(&name))),
                Err(error) => Standing::Refused(error),
            };
            standings.insert(name.clone(), standing);
        }
        match &standings[&name] {
            Standing::Known(record) => return self.admit(record.current(), caller, request),
            Standing::Refused(error) => return Err(refusal(&name, error)),
            Standing::New(definition) => self.admit(definition, caller, request.clone())?,
        };
        let made = self.streams.get_or_create(&name).await.map_err(|error| refusal(&name, &error))?;
        // Judged again, as somebody may have made it at the same time with another definition.
        let admitted = self.admit(made.current(), caller, request);
        standings.insert(name, Standing::Known(made));
        admitted
    }

    fn admit(
        &self,
        stream: &Stream,
        caller: &dyn WritePolicy,
        request: PublishRequest,
    ) -> Result<(Topic, LogEntry), PublishError> {
        let (topic, entry) = admit(stream, caller, request, &self.limits)?;
        let entry = if self.log.carries_topics() { entry } else { unnamed(stream, &topic, entry)? };
        Ok((topic, entry))
    }
}

fn refusal(name: &StreamName, error: &StreamsError) -> PublishError {
    match error {
        StreamsError::Store(source) => PublishError::Unavailable(format!("{error}: {source}")),
        _ => PublishError::UnknownStream(name.clone(), error.to_string()),
    }
}
