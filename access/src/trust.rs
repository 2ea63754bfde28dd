//! Whom access trusts beside the embedded issuer, and what callers may do.

use std::sync::Arc;

use crate::{Credentials, Foreign, Policy};

/// What access is made of beside the embedded issuer's own keys: nobody else, and roles alone, unless told.
#[derive(Debug, Default)]
pub struct Trust {
    /// The rules in force.
    pub policy: Arc<Policy>,
    /// Issuers elsewhere.
    pub foreign: Vec<Foreign>,
    /// API keys, and what is denied.
    pub credentials: Option<Credentials>,
}
