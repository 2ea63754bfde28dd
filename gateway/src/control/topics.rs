//! Topics of a stream.

use access::policy;
use async_graphql::{Context, Error, SimpleObject};
use schema::{Clock, TimeRange, Timestamp};
use store::TopicFilter;

use crate::topics;

use super::{Time, caller, count, denied, store, stream, unavailable};

/// A topic, and the time that its messages span.
#[derive(SimpleObject)]
pub struct Topic {
    /// Its name.
    topic: String,
    /// Time of its first message.
    first_time: Time,
    /// Time of its last message.
    last_time: Time,
}

/// The arguments of `topics`.
pub(super) struct TopicsAsk {
    pub(super) stream: String,
    pub(super) prefix: String,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) first: Option<i32>,
    pub(super) after: Option<String>,
}

pub(super) async fn list(ctx: &Context<'_>, ask: TopicsAsk) -> Result<Vec<Topic>, Error> {
    let stream = stream(ctx, &ask.stream)?;
    let name = stream.record.name();
    let scope =
        policy::read_scope(caller(ctx)?, name, &stream.stream().topic).map_err(|error| denied(&error))?;
    let now = ctx.data::<Clock>()?();
    let time = |text: Option<String>, default: Timestamp| match text {
        None => Ok(default),
        Some(text) => Timestamp::from_request(&text, now).map_err(Error::new),
    };
    let after = ask
        .after
        .map(|after| schema::Topic::new(&after))
        .transpose()
        .map_err(|error| Error::new(error.to_string()))?;
    let filter = TopicFilter {
        range: TimeRange { from: time(ask.from, TimeRange::ALL.from)?, to: time(ask.to, TimeRange::ALL.to)? },
        prefix: ask.prefix,
        after,
        limit: count(ask.first, ctx)?,
    };
    // Of those that may not be read, the names are not told either.
    let found = topics::list(&**store(ctx)?, name, &filter, &scope).await;
    let found = found.map_err(|error| unavailable(&error))?;
    Ok(found
        .into_iter()
        .map(|activity| Topic {
            topic: activity.topic.to_string(),
            first_time: Time(activity.first_time),
            last_time: Time(activity.last_time),
        })
        .collect())
}
