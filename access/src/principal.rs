//! Who is asking: what a verified token says about its bearer.

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::names::InvalidName;
use schema::{Timestamp, Topic};

use crate::Roles;
use crate::policy::{EMBEDDED, Grants, KEYS, Policy};

/// How far an issuer's clock may be off.
pub(crate) const LEEWAY_MICROS: i64 = 5 * 1_000_000;

/// Who vouches for a principal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IssuerName {
    /// Tidegate's own issuer.
    Embedded,
    /// Tidegate itself, by an API key.
    Key,
    /// A configured one, by the name that the configuration gives it.
    Named(Arc<str>),
}

impl IssuerName {
    /// What rules and denials call it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Embedded => EMBEDDED,
            Self::Key => KEYS,
            Self::Named(name) => name,
        }
    }

    /// The issuer that is called so.
    pub fn from_text(name: &str) -> Self {
        match name {
            EMBEDDED => Self::Embedded,
            KEYS => Self::Key,
            name => Self::Named(name.into()),
        }
    }
}

/// What a token says of its bearer, once it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who vouches for it.
    pub issuer: IssuerName,
    /// Whom the token is about.
    pub subject: String,
    /// The client that got it.
    pub client_id: String,
    /// What it says that its bearer is.
    pub roles: Roles,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was given, if it says so (`iat`).
    pub issued_at: Option<Timestamp>,
    /// What tells it from all others of its issuer, if it says so (`jti`).
    pub token_id: Option<String>,
    /// What the claims say that rules ask for, by the JSON pointers to them: one text, or several where they are lists.
    pub claims: BTreeMap<String, Vec<String>>,
}

impl Identity {
    /// Somebody without roles, of whom no more is said; its token has ended.
    pub fn new(issuer: IssuerName, subject: &str, client_id: &str) -> Self {
        Self {
            issuer,
            subject: subject.into(),
            client_id: client_id.into(),
            roles: Roles::default(),
            expires_at: Timestamp(0),
            issued_at: None,
            token_id: None,
            claims: BTreeMap::new(),
        }
    }
}

/// Somebody whose token was verified, and what the rules in force give it. Clones share it.
#[derive(Clone, Debug)]
pub struct Principal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    identity: Identity,
    own_topic: Topic,
    grants: Arc<Grants>,
}

impl PartialEq for Principal {
    /// Whether tokens say the same of both.
    fn eq(&self, other: &Self) -> bool {
        self.0.identity == other.0.identity
    }
}

impl Eq for Principal {}

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
    /// Somebody that `issuer` vouches for until `expires_at`, where no rules are in force.
    ///
    /// # Errors
    /// [`InvalidPrincipal`].
    pub fn new(
        issuer: IssuerName,
        subject: &str,
        client_id: &str,
        roles: Roles,
        expires_at: Timestamp,
    ) -> Result<Self, InvalidPrincipal> {
        let identity = Identity { roles, expires_at, ..Identity::new(issuer, subject, client_id) };
        Self::of(identity, &Policy::default())
    }

    /// Somebody of whom a token says this, under these rules.
    ///
    /// # Errors
    /// [`InvalidPrincipal`], so that [`Principal::own_topic`] is always there and belongs to one caller only.
    pub fn of(identity: Identity, policy: &Policy) -> Result<Self, InvalidPrincipal> {
        let subject = &identity.subject;
        let own_topic = match &identity.issuer {
            IssuerName::Embedded if subject.contains('/') => {
                return Err(InvalidPrincipal::Slash(subject.clone()));
            }
            IssuerName::Named(name) if name.contains('/') => {
                return Err(InvalidPrincipal::Slash(name.as_ref().into()));
            }
            IssuerName::Embedded => Topic::new(subject)?,
            issuer => Topic::new(&format!("{}/{subject}", issuer.as_str()))?,
        };
        let grants = policy.grants(&identity, &own_topic);
        Ok(Self(Arc::new(Inner { identity, own_topic, grants })))
    }

    /// Who vouches for it. A subject means something only together with this.
    pub fn issuer(&self) -> &IssuerName {
        &self.0.identity.issuer
    }

    /// Whom the token is about.
    pub fn subject(&self) -> &str {
        &self.0.identity.subject
    }

    /// The client that got the token.
    pub fn client_id(&self) -> &str {
        &self.0.identity.client_id
    }

    /// What it says that its bearer is.
    pub fn roles(&self) -> &Roles {
        &self.0.identity.roles
    }

    /// What tells the token from all others of its issuer, if it says so.
    pub fn token_id(&self) -> Option<&str> {
        self.0.identity.token_id.as_deref()
    }

    /// When the token was given, if it says so.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.0.identity.issued_at
    }

    /// What rules and roles come to for it.
    pub(crate) fn grants(&self) -> &Grants {
        &self.0.grants
    }

    /// The same number for all to whom the same is given in every stream.
    pub fn rights_number(&self) -> u64 {
        self.0.grants.serial()
    }

    /// Whether its roles tell all of its rights, in every stream alike: none is hidden from it, or all are.
    pub fn has_uniform_rights(&self) -> bool {
        self.0.grants.is_uniform()
    }

    /// When the token ends, and with it every socket opened with it.
    pub fn expires_at(&self) -> Timestamp {
        self.0.identity.expires_at
    }

    /// Until when the token is accepted: its end, and what an issuer's clock may be off.
    pub fn accepted_until(&self) -> Timestamp {
        self.expires_at().plus_micros(LEEWAY_MICROS)
    }

    /// Whether this is the same caller of the same client, whatever tokens show it.
    pub fn is_same_caller(&self, other: &Self) -> bool {
        self.issuer() == other.issuer()
            && self.subject() == other.subject()
            && self.client_id() == other.client_id()
    }

    /// Whether it may do the same.
    pub fn has_rights_of(&self, other: &Self) -> bool {
        self.0.grants.is_like(&other.0.grants)
    }

    /// The topic of its own in streams whose topic is the caller: `<subject>` for the embedded issuer,
    /// `<issuer name>/<subject>` for others.
    pub fn own_topic(&self) -> &Topic {
        &self.0.own_topic
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
            (IssuerName::Key, "meter", Some("keys/meter")),
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
