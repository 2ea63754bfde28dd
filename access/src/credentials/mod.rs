//! Credentials that all nodes share: API keys, clients, and what is denied although its token is good.
//!
//! ```text
//!  create, rotate, revoke, deny ─▶ documents (store) ─▶ follow ─▶ index ─▶ every request
//!                                                          └────▶ changes ─▶ live connections
//! ```
//!
//! They lie in the store as small documents. Each node has an index of them in memory, loaded before anything is served, and looks
//! a few times a second whether they have changed. While the store is away, what is known stays in force.

mod client;
mod denial;
mod denied;
mod deny;
mod documents;
mod error;
mod follow;
mod index;
mod key;
mod keys;
mod settings;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use schema::{Clock, Timestamp};
use store::{Entries, StoreError};
use tokio::sync::{Mutex, watch};

pub use client::KeptClient;
pub use denial::{Denial, DenialTarget};
pub(crate) use deny::Share;
pub use error::CredentialError;
pub use key::ApiKey;
pub use keys::NewKey;
pub use settings::CredentialSettings;
pub(crate) use text::is_key;

use crate::{Policy, Principal, Refusal};
use documents::Documents;
use index::Index;

/// The credentials that all nodes share. Clones are the same.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    documents: Documents,
    settings: CredentialSettings,
    policy: Arc<Policy>,
    clock: Clock,
    index: ArcSwap<Index>,
    /// The revision that the index is of; locked by whoever brings it up to date.
    revision: Mutex<Option<u64>>,
    changes: watch::Sender<u64>,
    /// Clients of the configuration.
    reserved: OnceLock<Vec<String>>,
}

impl Credentials {
    /// Loads those that lie in `entries`. Keys get the rights that `policy` gives.
    ///
    /// # Errors
    /// [`StoreError`], and then nothing may be served: what is denied is not known.
    pub async fn open(
        entries: Arc<dyn Entries>,
        settings: CredentialSettings,
        policy: Arc<Policy>,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        let credentials = Self(Arc::new(Inner {
            documents: Documents(entries),
            settings,
            policy,
            clock,
            index: ArcSwap::default(),
            revision: Mutex::default(),
            changes: watch::Sender::new(0),
            reserved: OnceLock::new(),
        }));
        credentials.refresh().await?;
        Ok(credentials)
    }

    /// Is another number after each change that this node knows of.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Whose API key this is.
    ///
    /// # Errors
    /// [`Refusal`], and never that of a token that was good and has expired.
    pub(crate) fn verify_key(&self, token: &str) -> Result<Principal, Refusal> {
        self.0.index.load().verify_key(token, self.now())
    }

    /// Whether it is denied although its token is good.
    pub(crate) fn denies(&self, principal: &Principal) -> bool {
        self.0.index.load().denied.denies(principal)
    }

    /// Whether it is still let in who was: its key is there, and nothing denies it.
    pub(crate) fn is_good(&self, principal: &Principal) -> bool {
        let index = self.0.index.load();
        index.has_key_of(principal, self.now()) && !index.denied.denies(principal)
    }

    fn now(&self) -> Timestamp {
        (self.0.clock)()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
