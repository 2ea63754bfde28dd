//! The settings of credentials that all nodes share: `[credentials]`.

use serde::{Deserialize, Serialize};

/// Settings of API keys and of what is denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CredentialSettings {
    /// How often a node looks whether they have changed, in milliseconds.
    pub look_ms: u64,
    /// Most API keys.
    pub keys_max: usize,
    /// Most clients beside those of the configuration.
    pub clients_max: usize,
    /// Most denials.
    pub denials_max: usize,
}

impl Default for CredentialSettings {
    fn default() -> Self {
        Self { look_ms: 500, keys_max: 1_000, clients_max: 1_000, denials_max: 10_000 }
    }
}

impl CredentialSettings {
    /// Checks what a type can't say.
    ///
    /// # Errors
    /// A sentence that names the setting, its value and what was expected.
    pub fn check(&self) -> Result<(), String> {
        // Above it, what was revoked would be good for longer than is promised.
        if !(10..=1_000).contains(&self.look_ms) {
            let look_ms = self.look_ms;
            return Err(format!("credentials.look_ms is {look_ms}: expected a number from 10 to 1000"));
        }
        Ok(())
    }
}
