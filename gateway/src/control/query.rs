//! The control plane's queries.

use async_graphql::{Context, Error, Object, SimpleObject};

use super::clients::{self, Client};
use super::dead_letters::{self, DeadLetter};
use super::denials::{self, Denial};
use super::keys::{self, ApiKey};
use super::shape::{Shape, places};
use super::streams::{Stream, all};
use super::topics::{self, Topic, TopicsAsk};
use super::{Time, administers, caller, reads_some, stream};

/// What can be asked.
pub struct Query;

/// Who asks.
#[derive(SimpleObject)]
struct Me {
    /// Whom the token is about.
    subject: String,
    /// The client that the token was given to.
    client_id: String,
    /// What it may do.
    roles: Vec<String>,
    /// The caller's own topic, in streams whose topic is the caller.
    own_topic: String,
    /// When the token ends.
    expires_at: Time,
}

#[Object]
impl Query {
    /// The streams that the caller may read, by name.
    async fn streams(&self, ctx: &Context<'_>) -> Result<Option<Vec<Stream>>, Error> {
        reads_some(ctx)?;
        Ok(Some(all(ctx)?))
    }

    /// One stream; null where there is none of that name that the caller may read.
    async fn stream(&self, ctx: &Context<'_>, name: String) -> Result<Option<Stream>, Error> {
        reads_some(ctx)?;
        Ok(stream(ctx, &name).ok().map(Stream))
    }

    #[expect(clippy::too_many_arguments, reason = "each is an argument of the field")]
    /// Topics of a stream in byte order, those after `after`, that begin with `prefix` and may have messages in the range.
    async fn topics(
        &self,
        ctx: &Context<'_>,
        stream: String,
        #[graphql(default)] prefix: String,
        #[graphql(desc = "Not before: ISO 8601, or such as now-15m.")] from: Option<String>,
        #[graphql(desc = "Before: ISO 8601, or such as now-15m.")] to: Option<String>,
        #[graphql(desc = "So many; 100 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only topics after this one.")] after: Option<String>,
    ) -> Result<Option<Vec<Topic>>, Error> {
        topics::list(ctx, TopicsAsk { stream, prefix, from, to, first, after }).await.map(Some)
    }

    /// What is known of a stream's JSON; null before anything was learned.
    async fn shape(&self, ctx: &Context<'_>, stream: String) -> Result<Option<Shape>, Error> {
        places(ctx, &stream).await
    }

    /// A record that could not become a message; null where there is none (any more).
    async fn dead_letter(
        &self,
        ctx: &Context<'_>,
        stream: String,
        #[graphql(desc = "Where it stands in its log.")] position: String,
    ) -> Result<Option<DeadLetter>, Error> {
        dead_letters::one(ctx, &stream, &position).await
    }

    /// Records that could not become messages, by position, those after `after`. There are fewer than `first` where they are large:
    /// nothing follows an empty list only.
    async fn dead_letters(
        &self,
        ctx: &Context<'_>,
        stream: String,
        #[graphql(desc = "So many; 100 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only those after this position.")] after: Option<String>,
    ) -> Result<Option<Vec<DeadLetter>>, Error> {
        dead_letters::list(ctx, &stream, first, after).await.map(Some)
    }

    /// API keys, by name. Their secrets are kept nowhere.
    async fn keys(&self, ctx: &Context<'_>) -> Result<Option<Vec<ApiKey>>, Error> {
        administers(ctx)?;
        keys::list(ctx).map(Some)
    }

    /// Clients of the node's own issuer, by id; those of the configuration are not among them. Their secrets are kept nowhere.
    async fn clients(&self, ctx: &Context<'_>) -> Result<Option<Vec<Client>>, Error> {
        administers(ctx)?;
        clients::list(ctx).map(Some)
    }

    /// Tokens that are denied although they are good, the oldest denial first.
    async fn denials(&self, ctx: &Context<'_>) -> Result<Option<Vec<Denial>>, Error> {
        administers(ctx)?;
        denials::list(ctx).map(Some)
    }

    /// Who is asking.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<Me>, Error> {
        let caller = caller(ctx)?;
        Ok(Some(Me {
            subject: caller.subject().to_owned(),
            client_id: caller.client_id().to_owned(),
            roles: caller.roles().names().map(ToOwned::to_owned).collect(),
            own_topic: caller.own_topic().to_string(),
            expires_at: Time(caller.expires_at()),
        }))
    }
}
