//! The settings of a rule: `[[rule]]`.

use schema::shape::FieldPath;
use serde::{Deserialize, Serialize};

use super::pattern::Pattern;

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It gives rights.
    Allow,
    /// It takes them, whatever others give.
    Deny,
}

/// A right in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Query and subscribe.
    Read,
    /// Publish.
    Write,
    /// Dead letters, and every caller's topic for those who read.
    Admin,
}

/// A rule: `[[rule]]`. What is left out is not asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSettings {
    /// What it does.
    pub effect: Effect,
    /// Callers that have one of these roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Callers that have none of these roles.
    #[serde(default)]
    pub unless_roles: Vec<String>,
    /// Callers that one of these issuers vouches for: `embedded`, `keys`, or the name of an `[[issuer]]`.
    #[serde(default)]
    pub issuers: Vec<String>,
    /// Callers that are one of these clients.
    #[serde(default)]
    pub clients: Vec<String>,
    /// The streams it is about.
    pub streams: Vec<Pattern>,
    /// The topics it is about; without any, all that a stream's own rule gives.
    #[serde(default)]
    pub topics: Vec<Pattern>,
    /// The rights that it gives or takes; one that takes and names none takes all.
    #[serde(default)]
    pub rights: Vec<Right>,
    /// Fields that it hides, instead of taking rights.
    #[serde(default)]
    pub fields: Vec<FieldPath>,
}

/// A rule that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[[rule]] number {number}: {what}")]
pub struct InvalidRule {
    number: usize,
    what: String,
}

impl RuleSettings {
    /// Checks the rule, which is the `number`th, what it alone can tell: `issuers` are the names that there are.
    pub(super) fn check(&self, number: usize, issuers: &[&str]) -> Result<(), InvalidRule> {
        let refuse = |what: String| Err(InvalidRule { number, what });
        if self.streams.is_empty() {
            return refuse("streams is empty: name some, or \"*\" for all".into());
        }
        if let Some(unknown) = self.issuers.iter().find(|name| !issuers.contains(&name.as_str())) {
            return refuse(format!("there is no issuer {unknown:?}: there are {}", issuers.join(", ")));
        }
        for name in self.roles.iter().chain(&self.unless_roles) {
            if name.is_empty() || !name.bytes().all(is_scope_byte) {
                return refuse(format!("{name:?} can't be a role: expected visible ASCII without quotes"));
            }
        }
        let patterns = self.streams.iter().chain(&self.topics);
        let claim = patterns.flat_map(Pattern::claims).next();
        if let Some(claim) = claim.filter(|_| self.issuers.is_empty()) {
            // Another issuer may say the same of somebody else.
            return refuse(format!(
                "it asks for the claim {claim}: name the issuers that are believed in it"
            ));
        }
        if self.issuers.is_empty() && !self.clients.is_empty() {
            return refuse("it names clients: name the issuers, too, whose clients they are".into());
        }
        match self.effect {
            Effect::Allow => self.check_allow().or_else(refuse),
            Effect::Deny => self.check_deny().or_else(refuse),
        }
    }

    fn check_allow(&self) -> Result<(), String> {
        if self.roles.is_empty() && self.clients.is_empty() {
            return Err("it allows something: name the roles or the clients that it is for".into());
        }
        if self.rights.is_empty() {
            return Err("it allows nothing: rights is to have some of read, write, admin".into());
        }
        if !self.fields.is_empty() {
            return Err("it allows something, so it hides no fields: that is for rules that deny".into());
        }
        if self.rights.contains(&Right::Admin) && !self.topics.is_empty() {
            return Err(
                "admin is a right in whole streams: leave the topics out, or make it two rules".into()
            );
        }
        Ok(())
    }

    fn check_deny(&self) -> Result<(), String> {
        if self.fields.is_empty() {
            if !self.topics.is_empty() && self.rights.contains(&Right::Admin) {
                return Err(
                    "admin is a right in whole streams: leave the topics out, or make it two rules".into()
                );
            }
            return Ok(());
        }
        if !self.topics.is_empty() || !self.rights.is_empty() {
            return Err("fields are hidden in whole streams: leave topics and rights out".into());
        }
        Ok(())
    }
}

/// What a scope's name may have (RFC 6749, section 3.3).
fn is_scope_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}
