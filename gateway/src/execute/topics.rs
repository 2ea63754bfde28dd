//! Which topics an operation is about: those that it names, of those that its caller may read.

use access::{Action, Principal, ReadScope, policy};
use schema::{TimeRange, Topic};
use store::{Store, TopicFilter};

use super::unavailable;
use crate::coerce::{Arguments, bad_input};
use crate::error::{Code, GraphqlError};
use crate::settings::GatewaySettings;
use crate::snapshot::StreamView;
use crate::topics;

/// The topics that an operation is about.
#[derive(Clone, Debug)]
pub(crate) enum Chosen {
    /// These.
    Topics(Vec<Topic>),
    /// All of the stream that lie in here, whichever there are.
    Within(ReadScope),
}

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

/// The topics that `caller` is about to read: `named`, or, where none is, all that it may.
pub(super) fn chosen(
    caller: &Principal,
    view: &StreamView,
    named: Vec<Topic>,
    settings: &GatewaySettings,
) -> Result<Chosen, GraphqlError> {
    let (stream, rule) = (view.record.name(), &view.stream().topic);
    let forbidden = |denied: access::Denied| GraphqlError::new(Code::Forbidden, denied.to_string());
    let scope = policy::read_scope(caller, stream, rule).map_err(forbidden)?;
    for topic in &named {
        policy::check(caller, &Action::ReadTopic { stream, rule, topic }).map_err(forbidden)?;
    }
    if !named.is_empty() {
        return Ok(Chosen::Topics(named));
    }
    let exact = match &scope {
        ReadScope::All => None,
        ReadScope::Within(within) => within.exact().filter(|topics| topics.len() <= settings.topics_max),
    };
    Ok(exact.map_or(Chosen::Within(scope), Chosen::Topics))
}

/// The chosen topics that may have messages in `range`, if they are few enough.
pub(super) async fn active(
    chosen: Chosen,
    view: &StreamView,
    range: TimeRange,
    store: &dyn Store,
    settings: &GatewaySettings,
) -> Result<Vec<Topic>, GraphqlError> {
    let scope = match chosen {
        Chosen::Topics(topics) => return Ok(topics),
        Chosen::Within(scope) => scope,
    };
    let limit = settings.topics_max + 1;
    let filter = TopicFilter { range, prefix: String::new(), after: None, limit };
    let active = topics::list(store, view.record.name(), &filter, &scope).await;
    let active = active.map_err(|error| unavailable(&error))?;
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
