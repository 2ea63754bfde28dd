//! Which topics somebody follows.

use std::sync::Arc;

use access::{ReadScope, TopicScope};
use schema::Topic;

use crate::execute::Chosen;

/// Topics of a stream. Equal ones are equal, in whatever order they were named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Selection {
    /// All of them, and those to come.
    All,
    /// Those that lie in here, and those to come that do.
    Within(Arc<TopicScope>),
    /// These.
    Topics(Arc<[Topic]>),
}

impl Selection {
    /// What was chosen.
    pub(crate) fn of(chosen: Chosen) -> Self {
        match chosen {
            Chosen::Within(ReadScope::All) => Self::All,
            Chosen::Within(ReadScope::Within(scope)) => Self::Within(scope),
            Chosen::Topics(topics) => Self::of_topics(topics),
        }
    }

    /// Just `topics`.
    pub(crate) fn of_topics(mut topics: Vec<Topic>) -> Self {
        topics.sort();
        topics.dedup();
        Self::Topics(topics.into())
    }

    /// Whether `topic` is one of them.
    pub(crate) fn includes(&self, topic: &Topic) -> bool {
        match self {
            Self::All => true,
            Self::Within(scope) => scope.contains(topic),
            Self::Topics(topics) => topics.binary_search(topic).is_ok(),
        }
    }
}
