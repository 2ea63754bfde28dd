//! The control plane's mutations.

use std::sync::Arc;

use access::Rates;
use async_graphql::{Context, Error, Object, SimpleObject};
use schema::{StreamName, Topic};
use store::{Publish, PublishError, PublishRequest};

use super::clients::{self, Client, ClientSecret};
use super::dead_letters::{self, DeadLetterOutcome};
use super::denials::{self, Asked, Denial};
use super::keys::{self, ApiKey, ApiKeySecret};
use super::{JsonText, Time, administers, caller, coded};

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
        let rates = ctx.data::<Rates>()?;
        let taken = rates.messages(caller(ctx)?, 1, request.data.len());
        taken.map_err(|many| coded(many.to_string(), "RATE_LIMITED"))?;
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

    /// Makes an API key, by which a small system is let in: it sends the secret as its bearer token. Nobody gives a key roles that
    /// it does not have itself. Within two seconds, all nodes know the key.
    async fn create_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is called: 1 to 128 letters, digits, '-', '_' and '.'.")] name: String,
        #[graphql(desc = "Some of data.read, data.write, data.admin, or of those that a [[rule]] names.")]
        roles: Vec<String>,
        #[graphql(desc = "When it ends; never, unless told.")] expires_at: Option<Time>,
    ) -> Result<Option<ApiKeySecret>, Error> {
        administers(ctx)?;
        keys::create(ctx, name, &roles, expires_at).await.map(Some)
    }

    /// Gives an API key another secret. The one before it ends, at once or after `overlapSeconds`.
    async fn rotate_key(
        &self,
        ctx: &Context<'_>,
        name: String,
        #[graphql(default, desc = "How long the old secret is good, too; at most 30 days.")]
        overlap_seconds: i32,
    ) -> Result<Option<ApiKeySecret>, Error> {
        administers(ctx)?;
        keys::rotate(ctx, &name, overlap_seconds).await.map(Some)
    }

    /// Takes an API key back, for good. Within two seconds, no node lets its bearer in, and what it follows ends.
    async fn revoke_key(&self, ctx: &Context<'_>, name: String) -> Result<Option<ApiKey>, Error> {
        administers(ctx)?;
        keys::revoke(ctx, &name).await.map(Some)
    }

    /// Makes a client of the node's own issuer, beside those of the configuration. Nobody gives a client roles that it does not have
    /// itself. Within two seconds, all nodes know the client.
    async fn create_client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is called: 1 to 128 letters, digits, '-', '_' and '.'.")] id: String,
        #[graphql(desc = "Some of data.read, data.write, data.admin, or of those that a [[rule]] names.")]
        roles: Vec<String>,
    ) -> Result<Option<ClientSecret>, Error> {
        administers(ctx)?;
        clients::create(ctx, &id, &roles).await.map(Some)
    }

    /// Gives a client another secret. The one before it ends, at once or after `overlapSeconds`.
    async fn rotate_client(
        &self,
        ctx: &Context<'_>,
        id: String,
        #[graphql(default, desc = "How long the old secret is good, too; at most 30 days.")]
        overlap_seconds: i32,
    ) -> Result<Option<ClientSecret>, Error> {
        administers(ctx)?;
        clients::rotate(ctx, &id, overlap_seconds).await.map(Some)
    }

    /// Removes a client, for good. Tokens that it has are good until they end, unless they are revoked.
    async fn remove_client(&self, ctx: &Context<'_>, id: String) -> Result<Option<Client>, Error> {
        administers(ctx)?;
        clients::remove(ctx, &id).await.map(Some)
    }

    #[expect(clippy::too_many_arguments, reason = "each is an argument of the field")]
    /// Denies tokens although they are good. Name one of token, tokenId, subject, client and before. Within two seconds, no node
    /// lets their bearers in, and what they follow ends.
    async fn revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Who gave the tokens: embedded, keys, or the name of an [[issuer]]. Without it, `before` means all of them."
        )]
        issuer: Option<String>,
        #[graphql(desc = "A token itself, which is denied until it ends.")] token: Option<String>,
        #[graphql(desc = "A token's id (jti).")] token_id: Option<String>,
        #[graphql(desc = "Whom tokens are about (sub).")] subject: Option<String>,
        #[graphql(desc = "The client that tokens were given to.")] client: Option<String>,
        #[graphql(desc = "All that were given before this time, or do not say when they were.")]
        before: Option<Time>,
        #[graphql(default, desc = "Why.")] reason: String,
        #[graphql(desc = "Of a tokenId: when the token ends, and need not be denied any more.")]
        keep_until: Option<Time>,
    ) -> Result<Option<Denial>, Error> {
        administers(ctx)?;
        let asked = Asked { issuer, token, token_id, subject, client, before, reason, keep_until };
        denials::deny(ctx, asked).await.map(Some)
    }

    /// Takes a denial back.
    async fn unrevoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is called, as `denials` lists it.")] id: String,
    ) -> Result<Option<Denial>, Error> {
        administers(ctx)?;
        denials::undeny(ctx, &id).await.map(Some)
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
