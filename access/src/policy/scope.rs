//! The topics of a stream that somebody may read.

use std::sync::Arc;

use schema::Topic;

use super::glob::{Glob, Globs};

/// The part of a stream that may be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReadScope {
    /// Every topic.
    All,
    /// Some topics only.
    Within(Arc<TopicScope>),
}

/// Some topics of a stream. Equal ones are equal, whatever rules they stem from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopicScope {
    /// The caller's own, where a stream keeps its callers apart.
    pub(super) own: Option<Topic>,
    pub(super) allowed: Globs,
    pub(super) denied: Globs,
}

impl ReadScope {
    /// Whether `topic` is inside.
    pub fn contains(&self, topic: &Topic) -> bool {
        match self {
            Self::All => true,
            Self::Within(scope) => scope.contains(topic),
        }
    }
}

impl TopicScope {
    /// The topics that one of these texts means, in which stars stand for any characters.
    pub fn of(texts: &[&str]) -> Self {
        let glob = |text: &&str| Glob::of_pieces(text.split('*').map(Into::into).collect());
        Self { own: None, allowed: Globs::new(texts.iter().map(glob).collect()), denied: Globs::default() }
    }

    /// Whether `topic` is inside.
    pub fn contains(&self, topic: &Topic) -> bool {
        (self.own.as_ref() == Some(topic) || self.allowed.matches(topic.as_str()))
            && !self.denied.matches(topic.as_str())
    }

    /// All of them, where they can be told.
    pub fn exact(&self) -> Option<Vec<Topic>> {
        let texts: Option<Vec<&str>> = self.allowed.iter().map(|glob| glob.exact()).collect();
        // What can't be a topic is none.
        let topics = texts?.into_iter().filter_map(|text| Topic::new(text).ok());
        let mut topics: Vec<Topic> =
            topics.chain(self.own.clone()).filter(|topic| self.contains(topic)).collect();
        topics.sort();
        topics.dedup();
        Some(topics)
    }

    /// Texts of which each of them begins with one, ascending, none of which begins with another.
    pub fn prefixes(&self) -> Vec<&str> {
        let own = self.own.as_ref().map(Topic::as_str);
        let mut prefixes: Vec<&str> = self.allowed.iter().map(|glob| glob.prefix()).chain(own).collect();
        prefixes.sort_unstable();
        // Those that begin with another come right behind it.
        prefixes.dedup_by(|later, kept| later.starts_with(*kept));
        prefixes
    }
}
