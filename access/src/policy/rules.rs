//! The rules of a set-up, and what they come to for a caller.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use quick_cache::sync::Cache;
use schema::Topic;

use super::glob::{Glob, Globs};
use super::grants::{Grant, Grants};
use super::pattern::Pattern;
use super::settings::{Effect, InvalidRule, RuleSettings};
use crate::principal::Identity;
use crate::{Role, Roles};

/// How many different sets of rights are kept.
const GRANTS_MAX: usize = 10_000;

/// The rules in force.
pub struct Policy {
    rules: Vec<RuleSettings>,
    /// Names of roles that rules speak of.
    roles: BTreeSet<String>,
    /// JSON pointers to claims that rules need.
    claims: BTreeSet<String>,
    /// What they came to before.
    known: Cache<(Roles, Vec<Grant>), Arc<Grants>>,
}

impl Default for Policy {
    /// No rules: roles tell all.
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            roles: BTreeSet::new(),
            claims: BTreeSet::new(),
            known: Cache::new(GRANTS_MAX),
        }
    }
}

impl Policy {
    /// These rules; `issuers` are the names of those elsewhere.
    ///
    /// # Errors
    /// [`InvalidRule`] tells which can't be used, and why.
    pub fn new<'a>(
        rules: Vec<RuleSettings>,
        issuers: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidRule> {
        let mut names = vec![super::EMBEDDED, super::KEYS];
        names.extend(issuers);
        for (at, rule) in rules.iter().enumerate() {
            rule.check(at + 1, &names)?;
        }
        let roles =
            rules.iter().flat_map(|rule| rule.roles.iter().chain(&rule.unless_roles)).cloned().collect();
        let patterns = rules.iter().flat_map(|rule| rule.streams.iter().chain(&rule.topics));
        let claims = patterns.flat_map(Pattern::claims).map(ToOwned::to_owned).collect();
        Ok(Self { rules, roles, claims, ..Self::default() })
    }

    /// Whether a role of this name means something here.
    pub fn knows_role(&self, name: &str) -> bool {
        Role::from_name(name).is_some() || self.roles.contains(name)
    }

    /// JSON pointers to the claims that rules need.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().map(String::as_str)
    }

    /// What the rules come to for a caller.
    pub(crate) fn grants(&self, caller: &Identity, own_topic: &Topic) -> Arc<Grants> {
        let rules = self.rules.iter().filter(|rule| is_for(rule, caller));
        let rules: Vec<Grant> = rules.filter_map(|rule| grant(rule, caller, own_topic)).collect();
        // Other roles mean what rules say, which has been said.
        let key = (caller.roles.iter().collect::<Roles>(), rules);
        if let Some(known) = self.known.get(&key) {
            return known;
        }
        let grants = Arc::new(Grants::new(key.0.clone(), key.1.clone()));
        self.known.insert(key, grants.clone());
        grants
    }
}

/// Whether all that a rule asks of callers is so.
fn is_for(rule: &RuleSettings, caller: &Identity) -> bool {
    let has = |name: &String| caller.roles.has(name);
    (rule.roles.is_empty() || rule.roles.iter().any(has))
        && !rule.unless_roles.iter().any(has)
        && (rule.issuers.is_empty() || rule.issuers.iter().any(|name| name == caller.issuer.as_str()))
        && (rule.clients.is_empty() || rule.clients.contains(&caller.client_id))
}

/// A rule with the caller's values. Where they are not there, one that allows gives nothing, and one that denies takes all that it
/// could be about.
fn grant(rule: &RuleSettings, caller: &Identity, own_topic: &Topic) -> Option<Grant> {
    let denies = rule.effect == Effect::Deny;
    let expand = |patterns: &[Pattern]| {
        let mut globs = Vec::new();
        for pattern in patterns {
            match pattern.of(caller, own_topic.as_str()) {
                Some(expanded) => globs.extend(expanded),
                None if denies => globs.push(Glob::any()),
                None => {}
            }
        }
        Globs::new(globs)
    };
    let streams = expand(&rule.streams);
    let topics = (!rule.topics.is_empty()).then(|| expand(&rule.topics));
    if streams.is_empty() || topics.as_ref().is_some_and(Globs::is_empty) {
        return None;
    }
    let (effect, rights, fields) = (rule.effect, rule.rights.clone(), rule.fields.clone());
    Some(Grant { effect, streams, topics, rights, fields })
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("rules", &self.rules).finish_non_exhaustive()
    }
}
