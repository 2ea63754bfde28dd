//! The control plane's mutations.

use std::sync::Arc;

use async_graphql::{Context, Error, Object, SimpleObject};
use schema::{StreamName, Topic};
use store::{Publish, PublishError, PublishRequest};

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
