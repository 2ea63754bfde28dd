//! What is denied, and taken back.

use schema::Timestamp;

use super::denial::DenialDocument;
use super::documents::DENIAL;
use super::keys::{TRIES, called};
use super::{CredentialError, Credentials, Denial, DenialTarget};
use crate::Principal;

/// Most bytes of what names a target, and of a reason.
const TEXT_BYTES_MAX: usize = 1_024;

/// Who may fill how much of the room for denials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// All of it: administrators.
    All,
    /// Nine tenths: clients that give up tokens of their own, as many as they like to ask for.
    Most,
}

impl Credentials {
    /// All denials, the oldest first.
    pub fn denials(&self) -> Vec<Denial> {
        let index = self.0.index.load();
        let mut all: Vec<_> = index.denials.iter().map(|(id, denial)| denial.shown(id)).collect();
        all.sort_by_key(|denial| denial.denied_at);
        all
    }

    /// Denies what `target` says from now on. Where it is denied already, that stays, and is kept for the longer of both times:
    /// until `keep_until` at least, or until it is taken back.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn deny(
        &self,
        target: DenialTarget,
        reason: &str,
        keep_until: Option<Timestamp>,
        by: &Principal,
    ) -> Result<Denial, CredentialError> {
        if target.names(by) {
            return Err(CredentialError::Yourself);
        }
        self.deny_within(Share::All, target, reason, keep_until, by).await
    }

    /// Denies, in this share of the room.
    pub(crate) async fn deny_within(
        &self,
        share: Share,
        target: DenialTarget,
        reason: &str,
        keep_until: Option<Timestamp>,
        by: &Principal,
    ) -> Result<Denial, CredentialError> {
        let now = self.now();
        check(&target, reason, now)?;
        let id = target.id();
        for _ in 0..TRIES {
            let found = self.0.documents.one::<DenialDocument>(DENIAL, &id).await?;
            let (version, next) = match found {
                Some((_, there)) if is_longer(there.keep_until, keep_until) => {
                    self.changed().await;
                    return Ok(there.shown(&id));
                }
                Some((version, there)) => (version + 1, DenialDocument { keep_until, ..there }),
                None => {
                    self.room(share)?;
                    let (target, reason, denied_by) = (target.clone(), reason.to_owned(), called(by));
                    (1, DenialDocument { target, reason, denied_by, denied_at: now, keep_until })
                }
            };
            if self.0.documents.put(DENIAL, &id, version, &next).await? {
                tracing::info!(denial = id, target = ?next.target, by = called(by), "denied");
                if let Err(error) = self.forget_old(now).await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "old denials are left");
                }
                self.changed().await;
                return Ok(next.shown(&id));
            }
        }
        Err(CredentialError::Busy)
    }

    /// Takes a denial back.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn undeny(&self, id: &str, by: &Principal) -> Result<Denial, CredentialError> {
        for _ in 0..TRIES {
            let found = self.0.documents.one::<DenialDocument>(DENIAL, id).await?;
            let (version, denial) = found.ok_or_else(|| CredentialError::NoDenial(id.into()))?;
            if self.0.documents.0.remove_entry(DENIAL, id, version).await? {
                tracing::info!(denial = id, target = ?denial.target, by = called(by), "denial taken back");
                self.changed().await;
                return Ok(denial.shown(id));
            }
        }
        Err(CredentialError::Busy)
    }

    fn room(&self, share: Share) -> Result<(), CredentialError> {
        let (count, most) = (self.0.index.load().denials.len(), self.0.settings.denials_max);
        let most = if share == Share::All { most } else { most / 10 * 9 };
        if count >= most {
            return Err(CredentialError::Full(count, "credentials.denials_max"));
        }
        Ok(())
    }

    /// Removes denials that are over: what they are of has expired.
    async fn forget_old(&self, now: Timestamp) -> Result<(), CredentialError> {
        let index = self.0.index.load_full();
        for (id, _) in index.denials.iter().filter(|(_, denial)| denial.is_over(now)) {
            let found = self.0.documents.one::<DenialDocument>(DENIAL, id).await?;
            // Somebody may have prolonged it.
            if let Some((version, there)) = found.filter(|(_, there)| there.is_over(now)) {
                tracing::debug!(denial = id, target = ?there.target, "denial forgotten");
                self.0.documents.0.remove_entry(DENIAL, id, version).await?;
            }
        }
        Ok(())
    }
}

/// Whether what is kept until `there` is kept at least until `wanted`.
fn is_longer(there: Option<Timestamp>, wanted: Option<Timestamp>) -> bool {
    match (there, wanted) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(there), Some(wanted)) => there >= wanted,
    }
}

fn check(target: &DenialTarget, reason: &str, now: Timestamp) -> Result<(), CredentialError> {
    let texts = match target {
        DenialTarget::Token { issuer, id: what }
        | DenialTarget::Subject { issuer, subject: what }
        | DenialTarget::Client { issuer, client_id: what } => [issuer.as_str(), what.as_str()],
        DenialTarget::Before { time, .. } if *time > now => {
            return Err(CredentialError::Target("the time lies ahead"));
        }
        DenialTarget::Before { issuer, .. } => [issuer.as_deref().unwrap_or("-"), "-"],
    };
    if texts.iter().any(|text| text.is_empty()) {
        return Err(CredentialError::Target("what names it is empty"));
    }
    if texts.iter().chain([&reason]).any(|text| text.len() > TEXT_BYTES_MAX) {
        return Err(CredentialError::Target("what names it, or the reason, is longer than 1024 bytes"));
    }
    Ok(())
}
