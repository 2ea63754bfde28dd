//! Which topics an operation is about: those that it names, of those that its caller may read.

use access::{Action, Decision, Principal, ReadScope, decide};
use schema::{TimeRange, Topic};
use store::{Store, TopicFilter};

use super::unavailable;
use crate::coerce::{Arguments, bad_input};
use crate::error::{Code, GraphqlError};
use crate::settings::GatewaySettings;
use crate::snapshot::StreamView;

/// The topics that `topic` and `topics` name, each once.
pub(super) fn named(
    arguments: &Arguments<'_>,
    settings: &GatewaySettings,
) -> Result<Vec<Topic>, GraphqlError> {
    let mut topics = Vec::new();
    for text in arguments.text("topic")?.into_iter().chain(arguments.texts("topics")?.unwrap_or_default()) {
        let topic = Topic::new(&text).map_err(|error| bad_input(error.to_string()))?;
        if !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    if topics.len() > settings.topics_max { Err(too_many(settings)) } else { Ok(topics) }
}

/// The topics that `caller` is about to read: `named`, or its own; none of them stands for all.
pub(super) fn readable(
    caller: &Principal,
    view: &StreamView,
    named: Vec<Topic>,
) -> Result<Vec<Topic>, GraphqlError> {
    let name = view.record.name();
    let forbidden = |message: String| GraphqlError::new(Code::Forbidden, message);
    match decide(caller, &Action::Read { stream: name, rule: &view.stream().topic }) {
        Decision::Deny(why) => Err(forbidden(why.to_string())),
        Decision::Allow(ReadScope::Topic(own)) => {
            if named.iter().any(|topic| *topic != own) {
                return Err(forbidden(format!("of stream {name} you may read your own topic only: {own}")));
            }
            Ok(vec![own])
        }
        Decision::Allow(_) => Ok(named),
    }
}

/// The topics of a stream that may have messages in `range`, if they are few enough.
pub(super) async fn active(
    view: &StreamView,
    range: TimeRange,
    store: &dyn Store,
    settings: &GatewaySettings,
) -> Result<Vec<Topic>, GraphqlError> {
    let limit = settings.topics_max + 1;
    let filter = TopicFilter { range, prefix: String::new(), after: None, limit };
    let active = store.topics(view.record.name(), filter).await.map_err(|error| unavailable(&error))?;
    if active.len() > settings.topics_max {
        return Err(too_many(settings));
    }
    Ok(active.into_iter().map(|activity| activity.topic).collect())
}

fn too_many(settings: &GatewaySettings) -> GraphqlError {
    let message = format!(
        "more than {} topics would be read: name some by topic or topics, or narrow from and to",
        settings.topics_max
    );
    GraphqlError::new(Code::LimitExceeded, message)
}
