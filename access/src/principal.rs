//! Who is asking: what a verified token says about its bearer.

use std::sync::Arc;

use schema::names::InvalidName;
use schema::{Timestamp, Topic};

use crate::Roles;

/// How far an issuer's clock may be off.
pub(crate) const LEEWAY_MICROS: i64 = 5 * 1_000_000;

/// Who vouches for a principal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IssuerName {
    /// Tidegate's own issuer.
    Embedded,
    /// A configured one, by the name that the configuration gives it.
    Named(Arc<str>),
}

/// Somebody whose token was verified. Cheap enough to clone once a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    issuer: IssuerName,
    subject: String,
    client_id: String,
    roles: Roles,
    expires_at: Timestamp,
    own_topic: Topic,
}

/// A subject that can't be told from another's, or that can't be a topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPrincipal {
    /// Own topics are parted by their first `/`: one here would make two callers' topics equal.
    #[error("{0:?} may not hold a '/': it would be taken for another issuer's subject")]
    Slash(String),
    /// The subject can't be a topic.
    #[error("the subject can't be a topic")]
    Topic(#[from] InvalidName),
}

impl Principal {
    /// Somebody that `issuer` vouches for until `expires_at`.
    ///
    /// # Errors
    /// [`InvalidPrincipal`], so that [`Principal::own_topic`] is always there and belongs to one caller only.
    pub fn new(
        issuer: IssuerName,
        subject: &str,
        client_id: &str,
        roles: Roles,
        expires_at: Timestamp,
    ) -> Result<Self, InvalidPrincipal> {
        let own_topic = match &issuer {
            IssuerName::Embedded if subject.contains('/') => {
                return Err(InvalidPrincipal::Slash(subject.into()));
            }
            IssuerName::Named(name) if name.contains('/') => {
                return Err(InvalidPrincipal::Slash(name.as_ref().into()));
            }
            IssuerName::Embedded => Topic::new(subject)?,
            IssuerName::Named(name) => Topic::new(&format!("{name}/{subject}"))?,
        };
        Ok(Self {
            issuer,
            subject: subject.into(),
            client_id: client_id.into(),
            roles,
            expires_at,
            own_topic,
        })
    }

    /// Who vouches for it. A subject means something only together with this.
    pub fn issuer(&self) -> &IssuerName {
        &self.issuer
    }

    /// Whom the token is about.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The client that got the token.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What it may do.
    pub fn roles(&self) -> Roles {
        self.roles
    }

    /// When the token ends, and with it every socket opened with it.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Until when the token is accepted: its end, and what an issuer's clock may be off.
    pub fn accepted_until(&self) -> Timestamp {
        self.expires_at.plus_micros(LEEWAY_MICROS)
    }

    /// Whether this is the same caller of the same client, whatever tokens show it.
    pub fn is_same_caller(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.subject == other.subject && self.client_id == other.client_id
    }

    /// The topic of its own in streams whose topic is the caller: `<subject>` for the embedded issuer,
    /// `<issuer name>/<subject>` for others.
    pub fn own_topic(&self) -> &Topic {
        &self.own_topic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_the_same_by_issuer_subject_and_client() {
        let named = |name: &str| IssuerName::Named(name.into());
        let caller = |issuer, subject, client, roles, ends| {
            Principal::new(issuer, subject, client, roles, Timestamp(ends)).unwrap()
        };
        let alice = caller(named("corp"), "alice", "app", Roles::ALL, 1);
        for (other, same) in [
            (caller(named("corp"), "alice", "app", Roles::default(), 2), true),
            (caller(named("corp"), "bob", "app", Roles::ALL, 1), false),
            (caller(named("corp"), "alice", "page", Roles::ALL, 1), false),
            (caller(IssuerName::Embedded, "alice", "app", Roles::ALL, 1), false),
        ] {
            assert_eq!(alice.is_same_caller(&other), same, "{other:?}");
        }
        assert_eq!(alice.accepted_until(), Timestamp(1 + LEEWAY_MICROS));
    }

    #[test]
    fn own_topics_are_never_shared_between_issuers() {
        let named = |name: &str| IssuerName::Named(name.into());
        for (issuer, subject, expect) in [
            (IssuerName::Embedded, "tidegate-dev", Some("tidegate-dev")),
            (named("corp"), "alice", Some("corp/alice")),
            (named("corp"), "team/alice", Some("corp/team/alice")),
            (IssuerName::Embedded, "corp/alice", None),
            (named("corp/team"), "alice", None),
            (IssuerName::Embedded, "", None),
            (IssuerName::Embedded, "a\nb", None),
        ] {
            let principal = Principal::new(issuer, subject, "c", Roles::ALL, Timestamp(0));
            assert_eq!(principal.ok().map(|p| p.own_topic().to_string()).as_deref(), expect, "{subject}");
        }
    }
}
