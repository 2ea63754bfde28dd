//! The control plane's mutations.

use std::sync::Arc;

use async_graphql::{Context, Error, Object, SimpleObject};
use schema::{StreamName, Topic};
use store::{Publish, PublishError, PublishRequest};

use super::dead_letters::{self, DeadLetterOutcome};
use super::{JsonText, caller, coded};

/// What can be changed.
pub struct Mutation;

/// A message that is durable.
#[derive(SimpleObject)]
struct Published {
    /// Where it stands in its log.
    position: String,
    /// Its topic.
    topic: String,
}

#[Object]
impl Mutation {
    /// Accepts one message. When this answers, the message is durable.
    async fn publish(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stream; made on first use, where the set-up allows it.")] stream: String,
        #[graphql(desc = "The topic, where the stream's own rule is not meant.")] topic: Option<String>,
        #[graphql(desc = "The partition key; the topic stands in for a missing one.")] key: Option<String>,
        #[graphql(desc = "The message.")] data: JsonText,
    ) -> Result<Option<Published>, Error> {
        let invalid = |error: schema::names::InvalidName| Error::new(error.to_string());
        let request = PublishRequest {
            stream: StreamName::new(&stream).map_err(invalid)?,
            topic: topic.map(|topic| Topic::new(&topic)).transpose().map_err(invalid)?,
            key,
            data: data.0,
        };
        let mut answers = ctx.data::<Arc<dyn Publish>>()?.publish(caller(ctx)?, vec![request]).await;
        let published = answers
            .pop()
            .ok_or_else(|| coded("the message got no answer", "INTERNAL"))?
            .map_err(|error| refused(&error))?;
        Ok(Some(Published { position: published.position.to_string(), topic: published.topic.to_string() }))
    }

    /// Decodes dead letters again, by the definition of the stream that is in force now, and says of each what became of it, in
    /// the order of `positions`. What is a message by that one becomes one, once, however often and by whomever it is replayed;
    /// the rest stays. When this answers, the messages are durable.
    async fn replay_dead_letters(
        &self,
        ctx: &Context<'_>,
        stream: String,
        #[graphql(desc = "Where they stand in their logs; at most 100.")] positions: Vec<String>,
    ) -> Result<Option<Vec<DeadLetterOutcome>>, Error> {
        dead_letters::replay(ctx, &stream, &positions).await.map(Some)
    }

    /// Removes dead letters, for good, and says of each what became of it, in the order of `positions`.
    async fn discard_dead_letters(
        &self,
        ctx: &Context<'_>,
        stream: String,
        #[graphql(desc = "Where they stand in their logs; at most 100.")] positions: Vec<String>,
    ) -> Result<Option<Vec<DeadLetterOutcome>>, Error> {
        dead_letters::discard(ctx, &stream, &positions).await.map(Some)
    }
}

fn refused(error: &PublishError) -> Error {
    let code = match error {
        PublishError::Denied(_) => "FORBIDDEN",
        PublishError::Elsewhere(_) => "MISDIRECTED",
        PublishError::Unavailable(_) => "UNAVAILABLE",
        _ => "BAD_USER_INPUT",
    };
    coded(error.to_string(), code)
}
