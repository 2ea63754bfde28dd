//! What a principal may do: pure functions of the principal and of what it asks for.
//!
//! - A role gives what it says in every stream. None implies another: writers that can't read are what most producers should be; an
//!   administrator who is also to read gets `data.read` too.
//! - **Rules** (`[[rule]]`) give more, and take. What one gives by patterns of streams and topics is added to the rest; what one takes
//!   is taken whatever others give. So their order means nothing.
//! - A field that a rule hides is hidden in the whole stream. Only rules that deny hide, so that no rule shows by giving a
//!   topic what another hides.
//! - A stream whose topic is the caller keeps its callers apart: a reader sees its own topic; only the admin right *beside*
//!   it, or a rule that names topics, widens this. A writer writes its own topic whoever it is, so that a message's topic
//!   proves who sent it.
//!
//! ```text
//!  [[rule]] ── settings ─▶ rules ──── a caller's claims, roles ────▶ grants ── a stream ─▶ rights ─▶ decide()
//!                          (Policy)    pattern ─▶ glob
//! ```

mod glob;
mod grants;
mod pattern;
mod rules;
mod scope;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use schema::shape::Hidden;
use schema::{StreamName, Topic, TopicRule};

pub(crate) use grants::Grants;
use grants::StreamRights;
pub use pattern::{InvalidPattern, Pattern};
pub use rules::Policy;
pub use scope::{ReadScope, TopicScope};
pub use settings::{Effect, InvalidRule, Right, RuleSettings};

use crate::{Principal, Role};
use glob::Globs;

/// What rules call the embedded issuer, and what vouches for keys.
pub(crate) const EMBEDDED: &str = "embedded";
/// What rules call the issuer of API keys.
pub(crate) const KEYS: &str = "keys";

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
    /// See a stream's dead letters, which show whole records, and say what becomes of them.
    Administer {
        /// The stream.
        stream: &'a StreamName,
    },
    /// What concerns all of it, such as keys.
    Admin,
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
    /// Rules do not give it, or take it.
    #[error("the rights of this token in stream {stream} do not include this: {what}")]
    Outside {
        /// The stream.
        stream: StreamName,
        /// What was asked for.
        what: String,
    },
}

/// Decides. The rules are at the head of this module.
pub fn decide(principal: &Principal, action: &Action<'_>) -> Decision {
    let answer = match *action {
        Action::Read { stream, rule } => readable(principal, stream, rule),
        Action::ReadTopic { stream, rule, topic } => {
            let within = |scope: ReadScope| match scope.contains(topic) {
                true => Ok(ReadScope::All),
                false => Err(foreign(principal, stream, rule, topic, "read")),
            };
            readable(principal, stream, rule).and_then(within)
        }
        Action::Write { stream, rule, topic } => {
            writable(principal, stream, topic).and_then(|()| match rule {
                TopicRule::Caller if topic != principal.own_topic() => {
                    Err(foreign(principal, stream, rule, topic, "write"))
                }
                _ => Ok(ReadScope::All),
            })
        }
        Action::Administer { stream } => administrable(principal, stream),
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

/// What `principal` sees of a stream's messages; `None` where it may read none of them.
pub fn sees(principal: &Principal, stream: &StreamName) -> Option<Arc<Hidden>> {
    let rights = principal.grants().stream(stream);
    rights.read.is_any().then(|| rights.hidden.clone())
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

/// Asks for a right in whichever stream: before it is told that there is one.
///
/// # Errors
/// [`Denied::MissingRole`] names the role that gives it everywhere.
pub fn require_some(principal: &Principal, right: Right) -> Result<(), Denied> {
    let role = match right {
        Right::Read => Role::Read,
        Right::Write => Role::Write,
        Right::Admin => Role::Admin,
    };
    if principal.grants().gives(right) { Ok(()) } else { Err(Denied::MissingRole(role)) }
}

/// Whether `principal` may write `topic`, as far as rules and roles go: that it is its own, where that matters, is another question.
pub(crate) fn writable(principal: &Principal, stream: &StreamName, topic: &Topic) -> Result<(), Denied> {
    let reach = &principal.grants().stream(stream).write;
    let text = topic.as_str();
    if (reach.as_ruled || reach.allowed.matches(text)) && !reach.denied.matches(text) {
        return Ok(());
    }
    require_some(principal, Right::Write)?;
    Err(outside(stream, format!("to write topic {text:?}")))
}

/// Whether `principal` may write some topic of `stream`.
pub(crate) fn writes_some(principal: &Principal, stream: &StreamName) -> Result<(), Denied> {
    if principal.grants().stream(stream).write.is_any() {
        return Ok(());
    }
    require_some(principal, Right::Write)?;
    Err(outside(stream, "to write it".into()))
}

fn readable(principal: &Principal, stream: &StreamName, rule: &TopicRule) -> Result<ReadScope, Denied> {
    let rights = principal.grants().stream(stream);
    let StreamRights { read, admin, .. } = &*rights;
    if !read.is_any() {
        require_some(principal, Right::Read)?;
        return Err(outside(stream, "to read it".into()));
    }
    let apart = matches!(rule, TopicRule::Caller) && !admin;
    let everything = (read.as_ruled && !apart) || read.allowed.is_any();
    if everything && read.denied.is_empty() {
        return Ok(ReadScope::All);
    }
    Ok(ReadScope::Within(Arc::new(TopicScope {
        own: (read.as_ruled && apart).then(|| principal.own_topic().clone()),
        allowed: if everything { Globs::any() } else { read.allowed.clone() },
        denied: read.denied.clone(),
    })))
}

fn administrable(principal: &Principal, stream: &StreamName) -> Result<ReadScope, Denied> {
    let rights = principal.grants().stream(stream);
    if !rights.admin {
        require_some(principal, Right::Admin)?;
        return Err(outside(stream, "its dead letters".into()));
    }
    if !rights.hidden.is_empty() {
        return Err(outside(stream, "its dead letters, which show fields that are hidden".into()));
    }
    Ok(ReadScope::All)
}

/// Why a topic is not reached: of a stream that keeps its callers apart, that.
fn foreign(principal: &Principal, stream: &StreamName, rule: &TopicRule, topic: &Topic, to: &str) -> Denied {
    let rights = principal.grants().stream(stream);
    match rule {
        TopicRule::Caller if rights.read.allowed.is_empty() && rights.write.allowed.is_empty() => {
            Denied::ForeignTopic { stream: stream.clone(), own: principal.own_topic().clone() }
        }
        _ => outside(stream, format!("to {to} topic {:?}", topic.as_str())),
    }
}

fn outside(stream: &StreamName, what: String) -> Denied {
    Denied::Outside { stream: stream.clone(), what }
}
