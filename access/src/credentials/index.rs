//! All credentials in memory, as requests and lists ask for them.

use std::collections::{BTreeMap, HashMap};

use schema::Timestamp;
use store::StoreError;

use super::client::ClientDocument;
use super::denial::DenialDocument;
use super::denied::Denied;
use super::documents::{CLIENT, DENIAL, Documents, KEY};
use super::key::{KeyDocument, LiveKey};
use super::text;
use crate::{IssuerName, Policy, Principal, Refusal};

/// All credentials as they were at one time.
#[derive(Debug, Default)]
pub(super) struct Index {
    live: HashMap<String, LiveKey>,
    pub(super) denied: Denied,
    /// By name.
    pub(super) keys: Vec<(String, KeyDocument)>,
    pub(super) clients: BTreeMap<String, ClientDocument>,
    /// By id.
    pub(super) denials: Vec<(String, DenialDocument)>,
}

impl Index {
    pub(super) async fn load(documents: &Documents, policy: &Policy) -> Result<Self, StoreError> {
        let keys: Vec<(String, KeyDocument)> = documents.all(KEY).await?;
        let denials: Vec<(String, DenialDocument)> = documents.all(DENIAL).await?;
        let clients = documents.all(CLIENT).await?.into_iter().collect();
        let live = keys.iter().map(|(name, key)| (key.id.clone(), LiveKey::new(name, key, policy)));
        Ok(Self {
            live: live.collect(),
            denied: Denied::new(denials.iter().map(|(_, denial)| &denial.target)),
            keys,
            clients,
            denials,
        })
    }

    /// Whose key this is.
    pub(super) fn verify_key(&self, token: &str, now: Timestamp) -> Result<Principal, Refusal> {
        let (id, shown) = text::parse(token)?;
        let key = self.live.get(id).ok_or(Refusal::UnknownKey)?;
        key.bearer(&shown, now).cloned().ok_or(Refusal::UnknownKey)
    }

    /// Whether the secret that let it in is good still; who was not let in by a key needs none.
    pub(super) fn has_key_of(&self, principal: &Principal, now: Timestamp) -> bool {
        if *principal.issuer() != IssuerName::Key {
            return true;
        }
        let find = |id: &str| self.live.get(id.split('.').next()?).map(|key| key.has(id, now));
        principal.token_id().and_then(find).unwrap_or(false)
    }
}
