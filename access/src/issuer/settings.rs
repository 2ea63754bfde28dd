//! The settings of the embedded issuer.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// Settings of the embedded issuer: `[embedded_issuer]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IssuerSettings {
    /// Whom tokens are for: their `aud`.
    pub audience: String,
    /// How long an access token is good, in seconds.
    pub token_seconds: NonZeroU32,
    /// How long the token of a signed-in page is good, in seconds.
    pub page_token_seconds: NonZeroU32,
    /// How long a one-time code waits to be used, in seconds.
    pub page_code_seconds: NonZeroU32,
}

impl Default for IssuerSettings {
    fn default() -> Self {
        Self {
            audience: "tidegate".into(),
            token_seconds: seconds(3_600),
            page_token_seconds: seconds(12 * 3_600),
            page_code_seconds: seconds(3_600),
        }
    }
}

const fn seconds(seconds: u32) -> NonZeroU32 {
    match NonZeroU32::new(seconds) {
        Some(seconds) => seconds,
        None => NonZeroU32::MIN,
    }
}

impl IssuerSettings {
    pub(crate) fn page_code_micros(&self) -> i64 {
        i64::from(self.page_code_seconds.get()) * 1_000_000
    }
}
