//! Decisions: by roles, by rules, and what holds for all rules.

mod laws;
mod roles;
mod rules;

use schema::Timestamp;

use super::*;
use crate::{Identity, IssuerName, Roles};

fn rule(text: &str) -> TopicRule {
    TopicRule::try_from(text.to_owned()).unwrap()
}

fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

fn topic(name: &str) -> Topic {
    Topic::new(name).unwrap()
}

/// Rules as a configuration has them.
fn settings(toml: &str) -> Result<Vec<RuleSettings>, String> {
    #[derive(serde::Deserialize)]
    struct Config {
        rule: Vec<RuleSettings>,
    }
    toml::from_str::<Config>(toml).map(|config| config.rule).map_err(|error| error.to_string())
}

/// A token of `corp` for `subject`, with these roles and the claim `tenant`.
fn caller(policy: &Policy, subject: &str, scope: &str, tenants: &[&str]) -> Principal {
    let mut identity = Identity::new(IssuerName::Named("corp".into()), subject, "app");
    identity.roles = Roles::from_scope(scope);
    identity.claims.insert("/tenant".into(), tenants.iter().map(ToString::to_string).collect());
    Principal::of(identity, policy).unwrap()
}
