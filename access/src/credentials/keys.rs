//! Keys are made, changed and taken back.

use schema::Timestamp;

use super::documents::KEY;
use super::key::{KeptSecret, KeyDocument, OldSecret};
use super::{ApiKey, CredentialError, Credentials, text};
use crate::secret::SecretHash;
use crate::{Principal, Roles, Secret};

/// Most bytes of a key's name.
const NAME_BYTES_MAX: usize = 128;
/// Longest that an old secret goes on, in microseconds: 30 days.
const OVERLAP_MAX: i64 = 30 * 86_400 * 1_000_000;
/// How often a change is tried that others get in the way of.
pub(super) const TRIES: usize = 10;

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What it is called: 1 to 128 letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// What its bearer is.
    pub roles: Roles,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
}

impl Credentials {
    /// All keys, by name.
    pub fn keys(&self) -> Vec<ApiKey> {
        let now = self.now();
        self.0.index.load().keys.iter().map(|(name, key)| key.shown(name, now)).collect()
    }

    /// Makes a key, with roles that `by` has; gives its text, which is shown here and never again.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn create_key(&self, new: NewKey, by: &Principal) -> Result<(ApiKey, Secret), CredentialError> {
        let NewKey { name, roles, expires_at } = new;
        check_name(&name)?;
        self.check_roles(&roles, by)?;
        let (now, count) = (self.now(), self.0.index.load().keys.len());
        if expires_at.is_some_and(|end| end <= now) {
            return Err(CredentialError::Ended);
        }
        if count >= self.0.settings.keys_max {
            return Err(CredentialError::Full(count, "credentials.keys_max"));
        }
        let id = text::new_id()?;
        let secret = text::new_key(&id)?;
        let document = KeyDocument {
            id,
            roles: roles.to_string(),
            created_at: now,
            created_by: called(by),
            expires_at,
            secret: KeptSecret { number: 0, sha256: SecretHash::of(secret.expose()), made_at: now },
            old: None,
        };
        if !self.0.documents.put(KEY, &name, 1, &document).await? {
            return Err(CredentialError::Taken(name));
        }
        tracing::info!(key = name, roles = document.roles, by = document.created_by, "key made");
        self.changed().await;
        Ok((document.shown(&name, now), secret))
    }

    /// Gives a key another secret, shown here and never again. The one before it is good for so many microseconds more.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn rotate_key(
        &self,
        name: &str,
        overlap_micros: i64,
        by: &Principal,
    ) -> Result<(ApiKey, Secret), CredentialError> {
        check_overlap(overlap_micros)?;
        for _ in 0..TRIES {
            let found = self.0.documents.one::<KeyDocument>(KEY, name).await?;
            let (version, before) = found.ok_or_else(|| CredentialError::NoKey(name.into()))?;
            // Whoever gets its secret gets its roles.
            within(&Roles::from_scope(&before.roles), by)?;
            let (now, secret) = (self.now(), text::new_key(&before.id)?);
            if before.expires_at.is_some_and(|end| end <= now) {
                return Err(CredentialError::Ended);
            }
            let number = before.secret.number + 1;
            let until = now.plus_micros(overlap_micros);
            let next = KeyDocument {
                secret: KeptSecret { number, sha256: SecretHash::of(secret.expose()), made_at: now },
                old: (until > now).then_some(OldSecret { secret: before.secret, until }),
                ..before
            };
            if self.0.documents.put(KEY, name, version + 1, &next).await? {
                tracing::info!(key = name, by = called(by), "key rotated");
                self.changed().await;
                return Ok((next.shown(name, now), secret));
            }
        }
        Err(CredentialError::Busy)
    }

    /// Takes a key back, for good.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn revoke_key(&self, name: &str, by: &Principal) -> Result<ApiKey, CredentialError> {
        for _ in 0..TRIES {
            let found = self.0.documents.one::<KeyDocument>(KEY, name).await?;
            let (version, key) = found.ok_or_else(|| CredentialError::NoKey(name.into()))?;
            if self.0.documents.0.remove_entry(KEY, name, version).await? {
                tracing::info!(key = name, by = called(by), "key revoked");
                self.changed().await;
                return Ok(key.shown(name, self.now()));
            }
        }
        Err(CredentialError::Busy)
    }

    /// Whether something may get these roles from `by`.
    pub(super) fn check_roles(&self, roles: &Roles, by: &Principal) -> Result<(), CredentialError> {
        if roles.is_empty() {
            return Err(CredentialError::NoRoles);
        }
        match roles.names().find(|role| !self.0.policy.knows_role(role)) {
            Some(unknown) => Err(CredentialError::UnknownRole(unknown.into())),
            None => within(roles, by),
        }
    }

    /// Something was changed here: this node goes by it at once. Should it fail, the change is made, and seen at the next look.
    pub(super) async fn changed(&self) {
        if let Err(error) = self.refresh().await {
            tracing::debug!(error = &error as &dyn std::error::Error, "a change was not read back");
        }
    }
}

/// Whether something may be called so.
pub(super) fn check_name(name: &str) -> Result<(), CredentialError> {
    let is_name = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_name) {
        return Err(CredentialError::Name(name.into()));
    }
    Ok(())
}

/// Whether an old secret may go on for so long.
pub(super) fn check_overlap(micros: i64) -> Result<(), CredentialError> {
    if (0..=OVERLAP_MAX).contains(&micros) { Ok(()) } else { Err(CredentialError::Overlap) }
}

/// Nobody gives roles that it does not have itself.
pub(super) fn within(roles: &Roles, by: &Principal) -> Result<(), CredentialError> {
    match roles.names().find(|role| !by.roles().has(role)) {
        Some(beyond) => Err(CredentialError::Beyond(beyond.into())),
        None => Ok(()),
    }
}

/// What a caller is called in lists.
pub(super) fn called(by: &Principal) -> String {
    format!("{}/{}", by.issuer().as_str(), by.subject())
}
