//! Clients of the embedded issuer that are made while it runs, beside those of the configuration.

use schema::Timestamp;
use serde::{Deserialize, Serialize};

use super::documents::CLIENT;
use super::key::{KeptSecret, OldSecret};
use super::keys::{TRIES, called, check_name, check_overlap, within};
use super::{CredentialError, Credentials};
use crate::secret::SecretHash;
use crate::{DEVELOPMENT_CLIENT, PAGE_CLIENT, Principal, Roles, Secret, random};

/// A client that was made while a node ran. Its secret is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptClient {
    /// Its name, which is also its own topic.
    pub id: String,
    /// What it may ask for.
    pub roles: Roles,
    /// When it was made.
    pub created_at: Timestamp,
    /// Issuer and subject of whoever made it.
    pub created_by: String,
    /// When its secret was changed last.
    pub rotated_at: Option<Timestamp>,
    /// Until when the secret before this one is good, too.
    pub old_until: Option<Timestamp>,
}

/// A client's document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ClientDocument {
    /// As a scope.
    roles: String,
    created_at: Timestamp,
    created_by: String,
    secret: KeptSecret,
    old: Option<OldSecret>,
}

impl ClientDocument {
    /// What may be shown of it.
    fn shown(&self, id: &str, now: Timestamp) -> KeptClient {
        KeptClient {
            id: id.into(),
            roles: Roles::from_scope(&self.roles),
            created_at: self.created_at,
            created_by: self.created_by.clone(),
            rotated_at: (self.secret.number > 0).then_some(self.secret.made_at),
            old_until: self.old.as_ref().map(|old| old.until).filter(|until| *until > now),
        }
    }

    /// Whether one of these is a secret of its; as slow for a near miss as for a far one.
    fn is_shown_by(&self, secrets: &[String], now: Timestamp) -> bool {
        let old = self.old.iter().filter(|old| old.until > now).map(|old| &old.secret.sha256);
        let kept: Vec<&SecretHash> = std::iter::once(&self.secret.sha256).chain(old).collect();
        let is_one = |secret: &String| kept.iter().fold(false, |good, hash| hash.matches(secret) | good);
        secrets.iter().fold(false, |good, secret| is_one(secret) | good)
    }
}

impl Credentials {
    /// All clients that were made while a node ran, by id.
    pub fn clients(&self) -> Vec<KeptClient> {
        let now = self.now();
        self.0.index.load().clients.iter().map(|(id, client)| client.shown(id, now)).collect()
    }

    /// What the client may ask for that is called so and knows one of these secrets.
    pub(crate) fn client_roles(&self, id: &str, secrets: &[String]) -> Option<Roles> {
        let index = self.0.index.load();
        let client = index.clients.get(id)?;
        client.is_shown_by(secrets, self.now()).then(|| Roles::from_scope(&client.roles))
    }

    /// Says which clients the configuration has: no other is made of these names.
    pub(crate) fn reserve(&self, ids: impl IntoIterator<Item = String>) {
        // Once, at the start.
        let _ = self.0.reserved.set(ids.into_iter().collect());
    }

    /// Makes a client, with roles that `by` has; gives its secret, which is shown here and never again.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn create_client(
        &self,
        id: &str,
        roles: &Roles,
        by: &Principal,
    ) -> Result<(KeptClient, Secret), CredentialError> {
        check_name(id)?;
        let is_configured =
            self.0.reserved.get().is_some_and(|reserved| reserved.iter().any(|one| one == id));
        if is_configured || id == DEVELOPMENT_CLIENT || id == PAGE_CLIENT {
            return Err(CredentialError::Reserved(id.into()));
        }
        self.check_roles(roles, by)?;
        let (now, count) = (self.now(), self.0.index.load().clients.len());
        if count >= self.0.settings.clients_max {
            return Err(CredentialError::Full(count, "credentials.clients_max"));
        }
        let secret = random::secret()?;
        let document = ClientDocument {
            roles: roles.to_string(),
            created_at: now,
            created_by: called(by),
            secret: KeptSecret { number: 0, sha256: SecretHash::of(secret.expose()), made_at: now },
            old: None,
        };
        if !self.0.documents.put(CLIENT, id, 1, &document).await? {
            return Err(CredentialError::TakenClient(id.into()));
        }
        tracing::info!(client = id, roles = document.roles, by = document.created_by, "client made");
        self.changed().await;
        Ok((document.shown(id, now), secret))
    }

    /// Gives a client another secret, shown here and never again. The one before it is good for so many microseconds more.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn rotate_client(
        &self,
        id: &str,
        overlap_micros: i64,
        by: &Principal,
    ) -> Result<(KeptClient, Secret), CredentialError> {
        check_overlap(overlap_micros)?;
        for _ in 0..TRIES {
            let found = self.0.documents.one::<ClientDocument>(CLIENT, id).await?;
            let (version, before) = found.ok_or_else(|| CredentialError::NoClient(id.into()))?;
            within(&Roles::from_scope(&before.roles), by)?;
            let (now, secret) = (self.now(), random::secret()?);
            let (number, until) = (before.secret.number + 1, now.plus_micros(overlap_micros));
            let next = ClientDocument {
                secret: KeptSecret { number, sha256: SecretHash::of(secret.expose()), made_at: now },
                old: (until > now).then_some(OldSecret { secret: before.secret, until }),
                ..before
            };
            if self.0.documents.put(CLIENT, id, version + 1, &next).await? {
                tracing::info!(client = id, by = called(by), "client rotated");
                self.changed().await;
                return Ok((next.shown(id, now), secret));
            }
        }
        Err(CredentialError::Busy)
    }

    /// Removes a client, for good. Tokens that it has are good until they end, unless they are denied.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn remove_client(&self, id: &str, by: &Principal) -> Result<KeptClient, CredentialError> {
        for _ in 0..TRIES {
            let found = self.0.documents.one::<ClientDocument>(CLIENT, id).await?;
            let (version, client) = found.ok_or_else(|| CredentialError::NoClient(id.into()))?;
            if self.0.documents.0.remove_entry(CLIENT, id, version).await? {
                tracing::info!(client = id, by = called(by), "client removed");
                self.changed().await;
                return Ok(client.shown(id, self.now()));
            }
        }
        Err(CredentialError::Busy)
    }
}
