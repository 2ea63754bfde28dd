//! Which topics somebody follows.

use std::sync::Arc;

use schema::Topic;

/// Topics of a stream. Equal ones are equal, in whatever order they were named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Selection {
    /// All of them, and those to come.
    All,
    /// These.
    Topics(Arc<[Topic]>),
}

impl Selection {
    /// Just `topics`.
    pub(crate) fn of(mut topics: Vec<Topic>) -> Self {
        topics.sort();
        topics.dedup();
        Self::Topics(topics.into())
    }

    /// Whether `topic` is one of them.
    pub(crate) fn includes(&self, topic: &Topic) -> bool {
        match self {
            Self::All => true,
            Self::Topics(topics) => topics.binary_search(topic).is_ok(),
        }
    }
}
