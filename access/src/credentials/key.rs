//! An API key as it is kept: everything about it but its secret.

use schema::Timestamp;
use serde::{Deserialize, Serialize};

use crate::secret::SecretHash;
use crate::{Identity, IssuerName, Policy, Principal, Roles};

/// An API key. Its secret is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// What it is called; its bearer's subject.
    pub name: String,
    /// What its text begins with, behind `tgk_`.
    pub id: String,
    /// What its bearer is.
    pub roles: Roles,
    /// When it was made, and by whom.
    pub created_at: Timestamp,
    /// Issuer and subject of whoever made it.
    pub created_by: String,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When its secret was changed last.
    pub rotated_at: Option<Timestamp>,
    /// Until when the secret before this one is good, too.
    pub old_until: Option<Timestamp>,
}

/// A key's document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeyDocument {
    pub(super) id: String,
    /// As a scope.
    pub(super) roles: String,
    pub(super) created_at: Timestamp,
    pub(super) created_by: String,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) secret: KeptSecret,
    pub(super) old: Option<OldSecret>,
}

/// What is kept of a secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeptSecret {
    /// Counts the key's secrets, from 0.
    pub(super) number: u64,
    /// The SHA-256 of the key's text.
    pub(super) sha256: SecretHash,
    pub(super) made_at: Timestamp,
}

/// The secret before the newest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OldSecret {
    pub(super) secret: KeptSecret,
    pub(super) until: Timestamp,
}

impl KeyDocument {
    /// What may be shown of it.
    pub(super) fn shown(&self, name: &str, now: Timestamp) -> ApiKey {
        let old_until = self.old.as_ref().map(|old| old.until);
        ApiKey {
            name: name.into(),
            id: self.id.clone(),
            roles: Roles::from_scope(&self.roles),
            created_at: self.created_at,
            created_by: self.created_by.clone(),
            expires_at: self.expires_at,
            rotated_at: (self.secret.number > 0).then_some(self.secret.made_at),
            old_until: old_until.filter(|until| *until > now),
        }
    }

    /// Its secrets, and until when each is good.
    fn secrets(&self) -> impl Iterator<Item = (&KeptSecret, Timestamp)> {
        let end = self.expires_at.unwrap_or(Timestamp::MAX);
        let old = self.old.iter().map(move |old| (&old.secret, old.until.min(end)));
        std::iter::once((&self.secret, end)).chain(old)
    }
}

/// A key as requests meet it: who shows each of its secrets.
#[derive(Debug)]
pub(super) struct LiveKey(Vec<(SecretHash, Principal)>);

impl LiveKey {
    /// The key of this document, under these rules. One whose name can't be a topic lets in nobody.
    pub(super) fn new(name: &str, document: &KeyDocument, policy: &Policy) -> Self {
        let principal = |secret: &KeptSecret, until| {
            let identity = Identity {
                roles: Roles::from_scope(&document.roles),
                expires_at: until,
                issued_at: Some(secret.made_at),
                token_id: Some(format!("{}.{}", document.id, secret.number)),
                ..Identity::new(IssuerName::Key, name, name)
            };
            Principal::of(identity, policy).ok()
        };
        let secrets = document
            .secrets()
            .filter_map(|(secret, until)| Some((secret.sha256.clone(), principal(secret, until)?)));
        Self(secrets.collect())
    }

    /// Who shows this secret, if it is one of the key's that is good still. Keys end by our own clock, without leeway.
    pub(super) fn bearer(&self, shown: &SecretHash, now: Timestamp) -> Option<&Principal> {
        let find = |found, (kept, principal)| if shown.is(kept) { Some(principal) } else { found };
        let found = self.0.iter().map(|(kept, principal)| (kept, principal)).fold(None, find);
        found.filter(|principal: &&Principal| principal.expires_at() > now)
    }

    /// Whether the secret that this token id is of is good still.
    pub(super) fn has(&self, token_id: &str, now: Timestamp) -> bool {
        self.0.iter().any(|(_, bearer)| bearer.token_id() == Some(token_id) && bearer.expires_at() > now)
    }
}
