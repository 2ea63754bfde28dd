//! The settings of an issuer elsewhere: `[[issuer]]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonwebtoken::Algorithm::{self, ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
use openidconnect::url::Url;
use serde::{Deserialize, Serialize};

use super::preset::Preset;
use super::rules::Rules;
use super::source::is_safe;
use super::standing::IntrospectionSettings;
use crate::policy::{EMBEDDED, KEYS};
use crate::{IssuerName, Policy, Secret};

/// An issuer elsewhere: `[[issuer]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignSettings {
    /// What it is called here: its callers' own topics begin so.
    pub name: String,
    /// Its address, exactly as its tokens name it in `iss`.
    pub url: String,
    /// Whose tokens look so.
    #[serde(default)]
    pub preset: Preset,
    /// Whom tokens may be for; one of them has to be in `aud`.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Clients whose tokens are accepted; all, where none is named.
    #[serde(default)]
    pub clients: Vec<String>,
    /// Algorithms that are accepted.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<String>,
    /// JSON pointers to where the client stands, instead of the preset's: the first that is there.
    #[serde(default)]
    pub client_claims: Vec<String>,
    /// JSON pointers to where roles stand, instead of the preset's: texts of names parted by spaces, or lists of names.
    #[serde(default)]
    pub role_claims: Vec<String>,
    /// What roles begin with there, and not here.
    #[serde(default)]
    pub role_prefix: String,
    /// What roles are called there, where that is another name, and which role it is here.
    #[serde(default)]
    pub roles: BTreeMap<String, String>,
    /// JSON pointers, and the text that has to stand there.
    #[serde(default)]
    pub required: BTreeMap<String, String>,
    /// How long keys are used before they are looked up again, in seconds.
    #[serde(default = "keys_seconds")]
    pub keys_seconds: u32,
    /// How long keys are used while the issuer does not answer, in seconds.
    #[serde(default = "keys_away_seconds")]
    pub keys_away_seconds: u32,
    /// How it is asked whether it still stands by a token; without it, it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspect: Option<IntrospectionSettings>,
}

fn algorithms() -> Vec<String> {
    ["RS256", "ES256", "PS256", "EdDSA"].map(String::from).into()
}

fn keys_seconds() -> u32 {
    3_600
}

fn keys_away_seconds() -> u32 {
    86_400
}

/// Gives the value of an environment variable.
pub type Environment<'e> = dyn Fn(&str) -> Option<String> + 'e;

/// A setting of an issuer that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("issuer.{key} of {name:?} is {value:?}: expected {expected}")]
pub struct InvalidIssuer {
    name: String,
    key: &'static str,
    value: String,
    expected: &'static str,
}

/// Algorithms whose keys anybody may know. Those with a shared secret are none.
const PUBLIC: [Algorithm; 9] = [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA];

impl ForeignSettings {
    /// Checks what a type can't say.
    ///
    /// # Errors
    /// [`InvalidIssuer`] names the first setting that can't be used.
    pub fn check(&self, policy: &Arc<Policy>, environment: &Environment<'_>) -> Result<(), InvalidIssuer> {
        self.secret(environment).and_then(|_| self.rules(policy)).map(drop)
    }

    /// By what it is asked about tokens, and with which secret, if it is to be asked.
    ///
    /// # Errors
    /// [`InvalidIssuer`] names the first setting that can't be used, and never the secret.
    pub(super) fn secret(
        &self,
        environment: &Environment<'_>,
    ) -> Result<Option<(IntrospectionSettings, Secret)>, InvalidIssuer> {
        let Some(settings) = &self.introspect else { return Ok(None) };
        let refuse = |key, value: String, expected| {
            Err(InvalidIssuer { name: self.name.clone(), key, value, expected })
        };
        if settings.client_id.is_empty() {
            return refuse("introspect.client_id", String::new(), "the client by which it is asked");
        }
        if !(1..=30).contains(&settings.seconds) {
            return refuse("introspect.seconds", settings.seconds.to_string(), "1 to 30");
        }
        match environment(&settings.secret_env).filter(|secret| !secret.is_empty()) {
            Some(secret) => Ok(Some((settings.clone(), Secret::new(secret)))),
            None => refuse(
                "introspect.secret_env",
                settings.secret_env.clone(),
                "an environment variable that is set, to the client's secret",
            ),
        }
    }

    /// The rules that its tokens are verified by; `policy` gives their bearers rights.
    ///
    /// # Errors
    /// [`InvalidIssuer`] names the first setting that can't be used.
    pub(super) fn rules(&self, policy: &Arc<Policy>) -> Result<Rules, InvalidIssuer> {
        let refuse = |key, value: &str, expected| {
            Err(InvalidIssuer { name: self.name.clone(), key, value: value.to_owned(), expected })
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(is_name) {
            return refuse("name", &self.name, "1 to 64 letters, digits, '-', '_' and '.'");
        }
        if [EMBEDDED, KEYS].contains(&self.name.as_str()) {
            return refuse("name", &self.name, "another name: this one is Tidegate's own");
        }
        if let Some(unknown) = self.roles.values().find(|role| !policy.knows_role(role)) {
            return refuse(
                "roles",
                unknown,
                "data.read, data.write, data.admin, or a role that a [[rule]] names",
            );
        }
        let url = Url::parse(&self.url).ok();
        if !url.is_some_and(|url| is_safe(&url) && url.query().is_none()) {
            return refuse("url", &self.url, "https://HOST/…, or http:// on this machine");
        }
        let look = self.preset.look();
        if look.has_audience && self.audiences.is_empty() {
            return refuse("audiences", "[]", "whom tokens for this node are for, as the issuer calls it");
        }
        if !look.has_audience && self.audiences.is_empty() && self.clients.is_empty() {
            let expected =
                "the clients whose tokens are accepted, as this issuer's do not say whom they are for";
            return refuse("clients", "[]", expected);
        }
        let mut algorithms = Vec::new();
        for name in &self.algorithms {
            match name.parse().ok().filter(|algorithm| PUBLIC.contains(algorithm)) {
                Some(algorithm) => algorithms.push(algorithm),
                None => {
                    return refuse(
                        "algorithms",
                        name,
                        "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA",
                    );
                }
            }
        }
        if algorithms.is_empty() {
            return refuse("algorithms", "[]", "at least one");
        }
        for (key, pointers) in [
            ("client_claims", self.client_claims.iter().collect::<Vec<_>>()),
            ("role_claims", self.role_claims.iter().collect()),
            ("required", self.required.keys().collect()),
        ] {
            if let Some(bad) = pointers.into_iter().find(|pointer| !pointer.starts_with('/')) {
                return refuse(key, bad, "JSON pointers, such as /realm_access/roles");
            }
        }
        if self.keys_seconds == 0 {
            return refuse("keys_seconds", "0", "at least 1");
        }
        let or = |own: &[String], preset: &[&str]| -> Vec<String> {
            if own.is_empty() { preset.iter().map(ToString::to_string).collect() } else { own.to_vec() }
        };
        let preset = look.required.iter().map(|(pointer, text)| (pointer.to_string(), text.to_string()));
        let own = self.required.iter().map(|(pointer, text)| (pointer.clone(), text.clone()));
        Ok(Rules {
            issuer: IssuerName::Named(self.name.as_str().into()),
            url: self.url.clone(),
            algorithms,
            types: look.types,
            audiences: self.audiences.clone(),
            clients: self.clients.clone(),
            client_claims: or(&self.client_claims, look.client),
            role_claims: or(&self.role_claims, look.roles),
            role_prefix: self.role_prefix.clone(),
            roles: self.roles.clone(),
            required: preset.chain(own).collect(),
            policy: policy.clone(),
        })
    }
}
