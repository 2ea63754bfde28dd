//! What is denied although its token is good, as it is kept.

use schema::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::text::hex;
use crate::Principal;

/// A denial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// What it is called.
    pub id: String,
    /// Whom it hits.
    pub target: DenialTarget,
    /// Why, in the words of whoever said so.
    pub reason: String,
    /// Issuer and subject of whoever said so.
    pub denied_by: String,
    /// When.
    pub denied_at: Timestamp,
    /// Until when it has to be kept; until it is taken back, where nothing is said.
    pub keep_until: Option<Timestamp>,
}

/// Whom a denial hits. Issuers are called as rules call them: `embedded`, `keys`, or the name of an `[[issuer]]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenialTarget {
    /// One token.
    Token {
        /// Who gave it.
        issuer: String,
        /// Its id (`jti`).
        id: String,
    },
    /// All tokens about somebody.
    Subject {
        /// Who gives them.
        issuer: String,
        /// Whom they are about (`sub`).
        subject: String,
    },
    /// All tokens of a client.
    Client {
        /// Who gives them.
        issuer: String,
        /// The client.
        client_id: String,
    },
    /// All tokens that were given before a time, and those that don't say when they were.
    Before {
        /// Who gives them; every issuer where nothing is said.
        issuer: Option<String>,
        /// The time.
        time: Timestamp,
    },
}

/// A denial's document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DenialDocument {
    pub(super) target: DenialTarget,
    pub(super) reason: String,
    pub(super) denied_by: String,
    pub(super) denied_at: Timestamp,
    pub(super) keep_until: Option<Timestamp>,
}

impl DenialTarget {
    /// The name of its denial: the same for the same, so that there is one of it.
    pub(super) fn id(&self) -> String {
        let (kind, issuer, what) = match self {
            Self::Token { issuer, id } => ("token", issuer.as_str(), id.clone()),
            Self::Subject { issuer, subject } => ("subject", issuer.as_str(), subject.clone()),
            Self::Client { issuer, client_id } => ("client", issuer.as_str(), client_id.clone()),
            Self::Before { issuer, time } => ("before", issuer.as_deref().unwrap_or(""), time.0.to_string()),
        };
        // No kind and no issuer holds a '/'.
        hex(&Sha256::digest(format!("{kind}/{issuer}/{what}"))[..12])
    }

    /// Whether it is this caller by name, whatever token shows it.
    pub(super) fn names(&self, principal: &Principal) -> bool {
        let is_issuer = |issuer: &str| issuer == principal.issuer().as_str();
        match self {
            Self::Subject { issuer, subject } => is_issuer(issuer) && subject == principal.subject(),
            Self::Client { issuer, client_id } => is_issuer(issuer) && client_id == principal.client_id(),
            Self::Token { .. } | Self::Before { .. } => false,
        }
    }
}

impl DenialDocument {
    pub(super) fn shown(&self, id: &str) -> Denial {
        Denial {
            id: id.into(),
            target: self.target.clone(),
            reason: self.reason.clone(),
            denied_by: self.denied_by.clone(),
            denied_at: self.denied_at,
            keep_until: self.keep_until,
        }
    }

    /// Whether it may be forgotten.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.keep_until.is_some_and(|until| until <= now)
    }
}
