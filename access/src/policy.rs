//! What a principal may do: pure functions of the principal and of what it asks for.
//!
//! - No role implies another. Writers that can't read are what most producers should be; an administrator who is also to
//!   read gets `data.read` too.
//! - A stream whose topic is the caller keeps its callers apart: a reader sees its own topic, and only `data.admin`
//!   *beside* `data.read` widens this to all. A writer writes its own topic whoever it is, so that a message's topic
//!   proves who sent it.
//! - Another role never takes a right away.

use schema::{StreamName, Topic, TopicRule};

use crate::{Principal, Role};

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub enum Action<'a> {
    /// Read a stream (messages, topics, shape), as far as it may.
    Read {
        /// The stream.
        stream: &'a StreamName,
        /// Where its topics come from.
        rule: &'a TopicRule,
    },
    /// Read one topic of a stream.
    ReadTopic {
        /// The stream.
        stream: &'a StreamName,
        /// Where its topics come from.
        rule: &'a TopicRule,
        /// The topic.
        topic: &'a Topic,
    },
    /// Write one topic of a stream.
    Write {
        /// The stream.
        stream: &'a StreamName,
        /// Where its topics come from.
        rule: &'a TopicRule,
        /// The routed topic: where the message will be, not what its payload says.
        topic: &'a Topic,
    },
    /// See dead letters, and what else concerns the running of it.
    Admin,
}

/// The part of a stream that may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadScope {
    /// Every topic.
    All,
    /// This one only: the caller's own.
    Topic(Topic),
}

impl ReadScope {
    /// Whether `topic` is inside.
    pub fn contains(&self, topic: &Topic) -> bool {
        match self {
            Self::All => true,
            Self::Topic(own) => own == topic,
        }
    }
}

/// The answer to an [`Action`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes: all of what was asked, or, for [`Action::Read`], this part of it.
    Allow(ReadScope),
    /// No.
    Deny(Denied),
}

/// Why somebody may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A role is missing.
    #[error(
        "this needs the role {0}, which the token does not carry: ask for a token of a client that has it"
    )]
    MissingRole(Role),
    /// The topic is another caller's.
    #[error("stream {stream} keeps its callers apart: this token reaches only its own topic, {own}")]
    ForeignTopic {
        /// The stream.
        stream: StreamName,
        /// The only topic that the caller reaches.
        own: Topic,
    },
}

/// Decides. The rules are at the head of this module.
pub fn decide(principal: &Principal, action: &Action<'_>) -> Decision {
    let answer = match *action {
        Action::Read { rule, .. } => require(principal, Role::Read).map(|()| readable(principal, rule)),
        Action::ReadTopic { stream, rule, topic } => require(principal, Role::Read)
            .and_then(|()| within(principal, &readable(principal, rule), stream, topic)),
        Action::Write { stream, rule, topic } => require(principal, Role::Write)
            .and_then(|()| within(principal, &writable(principal, rule), stream, topic)),
        Action::Admin => require(principal, Role::Admin).map(|()| ReadScope::All),
    };
    answer.map_or_else(Decision::Deny, Decision::Allow)
}

/// What part of a stream `principal` may read.
///
/// # Errors
/// [`Denied`] where it may read nothing of it.
pub fn read_scope(principal: &Principal, stream: &StreamName, rule: &TopicRule) -> Result<ReadScope, Denied> {
    match decide(principal, &Action::Read { stream, rule }) {
        Decision::Allow(scope) => Ok(scope),
        Decision::Deny(denied) => Err(denied),
    }
}

/// [`decide`] for actions that are allowed or not, with nothing between.
///
/// # Errors
/// [`Denied`], to be answered with `?`.
pub fn check(principal: &Principal, action: &Action<'_>) -> Result<(), Denied> {
    match decide(principal, action) {
        Decision::Allow(_) => Ok(()),
        Decision::Deny(denied) => Err(denied),
    }
}

/// Asks for a role where no stream is involved.
///
/// # Errors
/// [`Denied::MissingRole`].
pub fn require(principal: &Principal, role: Role) -> Result<(), Denied> {
    if principal.roles().contains(role) { Ok(()) } else { Err(Denied::MissingRole(role)) }
}

fn readable(principal: &Principal, rule: &TopicRule) -> ReadScope {
    match rule {
        TopicRule::Caller if !principal.roles().contains(Role::Admin) => {
            ReadScope::Topic(principal.own_topic().clone())
        }
        TopicRule::Caller | TopicRule::Key | TopicRule::Pointer(_) | TopicRule::Constant(_) => ReadScope::All,
    }
}

fn writable(principal: &Principal, rule: &TopicRule) -> ReadScope {
    match rule {
        TopicRule::Caller => ReadScope::Topic(principal.own_topic().clone()),
        TopicRule::Key | TopicRule::Pointer(_) | TopicRule::Constant(_) => ReadScope::All,
    }
}

fn within(
    principal: &Principal,
    scope: &ReadScope,
    stream: &StreamName,
    topic: &Topic,
) -> Result<ReadScope, Denied> {
    if scope.contains(topic) {
        Ok(ReadScope::All)
    } else {
        Err(Denied::ForeignTopic { stream: stream.clone(), own: principal.own_topic().clone() })
    }
}

#[cfg(test)]
mod tests;
