//! The clients that may ask for tokens, from the configuration.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{DEVELOPMENT_CLIENT, PAGE_CLIENT};
use crate::secret::SecretHash;
use crate::{Policy, Roles};

/// Fewest bytes of a configured secret.
const SECRET_BYTES_MIN: usize = 16;
/// Most bytes of a client's id.
const ID_BYTES_MAX: usize = 128;

/// A client that may ask for tokens: `[[client]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSettings {
    /// Its name, which is also its own topic: 1 to 128 letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// The environment variable that holds its secret, of at least 16 bytes.
    pub secret_env: String,
    /// What it is: `data.read`, `data.write`, `data.admin`, and roles that rules name.
    pub roles: Vec<String>,
}

/// A client whose secret is known, by its hash.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) id: String,
    pub(super) secret: SecretHash,
    pub(super) roles: Roles,
}

/// A client that can't be let in as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Its name can't be a topic that is its own.
    #[error("client {id:?}: an id is 1 to 128 letters, digits, '-', '_' and '.'")]
    Id {
        /// Its name.
        id: String,
    },
    /// Its name is taken by Tidegate.
    #[error("client {id:?}: this id is Tidegate's own, choose another")]
    Reserved {
        /// Its name.
        id: String,
    },
    /// Two have this name.
    #[error("client {id:?} is configured twice")]
    Twice {
        /// Its name.
        id: String,
    },
    /// It could do nothing.
    #[error("client {id:?} has no roles: give it some of data.read, data.write, data.admin")]
    NoRoles {
        /// Its name.
        id: String,
    },
    /// A role of it means nothing.
    #[error(
        "client {id:?}: the role {role:?} is none of data.read, data.write, data.admin, and no [[rule]] names it"
    )]
    Role {
        /// Its name.
        id: String,
        /// The role.
        role: String,
    },
    /// Its secret is not there.
    #[error("client {id:?}: the environment variable {variable}, which is to hold its secret, is not set")]
    NoSecret {
        /// Its name.
        id: String,
        /// The variable.
        variable: String,
    },
    /// Its secret could be guessed.
    #[error("client {id:?}: the secret in the environment variable {variable} is shorter than 16 bytes")]
    ShortSecret {
        /// Its name.
        id: String,
        /// The variable.
        variable: String,
    },
}

/// The clients of the configuration, whose roles `policy` knows, their secrets fetched by `environment` (variable → value).
///
/// # Errors
/// [`ClientError`] names client and variable, never the secret.
pub fn resolve_clients(
    settings: &[ClientSettings],
    policy: &Policy,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Client>, ClientError> {
    let mut clients: Vec<Client> = Vec::with_capacity(settings.len());
    for one in settings {
        let id = one.id.clone();
        if clients.iter().any(|other| other.id == id) {
            return Err(ClientError::Twice { id });
        }
        clients.push(resolve(one, id, policy, &environment)?);
    }
    Ok(clients)
}

fn resolve(
    settings: &ClientSettings,
    id: String,
    policy: &Policy,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Client, ClientError> {
    let is_name = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    if id.is_empty() || id.len() > ID_BYTES_MAX || !id.bytes().all(is_name) {
        return Err(ClientError::Id { id });
    }
    if id == DEVELOPMENT_CLIENT || id == PAGE_CLIENT {
        return Err(ClientError::Reserved { id });
    }
    if settings.roles.is_empty() {
        return Err(ClientError::NoRoles { id });
    }
    if let Some(role) = settings.roles.iter().find(|role| !policy.knows_role(role)) {
        return Err(ClientError::Role { id, role: role.clone() });
    }
    let variable = settings.secret_env.clone();
    match environment(&variable) {
        None => Err(ClientError::NoSecret { id, variable }),
        Some(secret) if secret.len() < SECRET_BYTES_MIN => Err(ClientError::ShortSecret { id, variable }),
        Some(secret) => Ok(Client {
            id,
            secret: SecretHash::of(&secret),
            roles: settings.roles.iter().map(String::as_str).collect(),
        }),
    }
}

impl Client {
    /// One whose secret was compared elsewhere.
    pub(super) fn made(id: &str, roles: Roles) -> Self {
        Self { id: id.into(), secret: SecretHash::impossible(), roles }
    }
}

/// Clients by name.
#[derive(Debug)]
pub(super) struct Clients {
    by_id: HashMap<String, Client>,
    nobody: SecretHash,
}

impl Clients {
    pub(super) fn new(clients: Vec<Client>) -> Self {
        let by_id = clients.into_iter().map(|client| (client.id.clone(), client)).collect();
        // No text of a request hashes to this.
        Self { by_id, nobody: SecretHash::impossible() }
    }

    pub(super) fn add(&mut self, client: Client) {
        self.by_id.insert(client.id.clone(), client);
    }

    /// Whether there is one of this name.
    pub(super) fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Their names.
    pub(super) fn ids(&self) -> Vec<String> {
        self.by_id.keys().cloned().collect()
    }

    /// The client `id`, if one of `secrets` is its secret: as slow for a client that is not there.
    pub(super) fn authenticate(&self, id: &str, secrets: &[String]) -> Option<&Client> {
        let client = self.by_id.get(id);
        let hash = client.map_or(&self.nobody, |client| &client.secret);
        let good = secrets.iter().fold(false, |good, secret| hash.matches(secret) | good);
        client.filter(|_| good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(id: &str, variable: &str, roles: &[&str]) -> ClientSettings {
        let roles = roles.iter().map(ToString::to_string).collect();
        ClientSettings { id: id.into(), secret_env: variable.into(), roles }
    }

    fn environment(variable: &str) -> Option<String> {
        match variable {
            "LONG" => Some("0123456789abcdef".into()),
            "SHORT" => Some("0123456789abcde".into()),
            _ => None,
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let read = ["data.read"];
        for (clients, expect) in [
            (vec![settings("a", "LONG", &read)], ""),
            (vec![settings("a", "GONE", &read)], "client \"a\": the environment variable GONE"),
            (
                vec![settings("a", "SHORT", &read)],
                "client \"a\": the secret in the environment variable SHORT",
            ),
            (vec![settings("a", "LONG", &[])], "client \"a\" has no roles"),
            (
                vec![settings("a", "LONG", &["data.read", "data.reed"])],
                "client \"a\": the role \"data.reed\"",
            ),
            (vec![settings("corp/a", "LONG", &read)], "client \"corp/a\": an id is"),
            (vec![settings("", "LONG", &read)], "client \"\": an id is"),
            (vec![settings("tidegate-dev", "LONG", &read)], "this id is Tidegate's own"),
            (
                vec![settings("a", "LONG", &read), settings("a", "LONG", &read)],
                "client \"a\" is configured twice",
            ),
        ] {
            let error = resolve_clients(&clients, &Policy::default(), environment)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(error.starts_with(expect) || error.contains(expect), "{error}");
            assert_eq!(error.is_empty(), expect.is_empty(), "{error}");
            assert!(!error.contains("0123"), "{error}");
        }
    }

    #[test]
    fn only_its_secret_is_a_clients() {
        let clients = Clients::new(
            resolve_clients(&[settings("a", "LONG", &["data.read"])], &Policy::default(), environment)
                .unwrap(),
        );
        let tries = |id, secrets: &[&str]| {
            let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
            clients.authenticate(id, &secrets).is_some()
        };
        assert!(tries("a", &["0123456789abcdef"]));
        assert!(tries("a", &["x", "0123456789abcdef"]) && tries("a", &["0123456789abcdef", "x"]));
        assert!(!tries("a", &[]) && !tries("a", &[""]) && !tries("a", &["0123456789abcdeF"]));
        assert!(!tries("b", &["0123456789abcdef"]) && !tries("", &[""]));
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let json = r#"{"id":"a","secret":"0123456789abcdef","roles":["data.read"]}"#;
        assert!(serde_json::from_str::<ClientSettings>(json).is_err(), "{json}");
    }
}
