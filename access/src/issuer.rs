//! The embedded issuer: the real flow from the first minute, without another server.
//!
//! It signs with a key of its own data folder, knows the clients of the configuration, and on loopback the *development
//! client*, whose secret lies in the context file, and whose one-time codes sign the page in.

mod answers;
mod body;
mod clients;
mod codes;
mod development;
mod discovery;
mod form;
mod key;
mod mint;
mod page;
mod revoke;
mod ring;
mod rotate;
mod routes;
mod settings;
mod token;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use openidconnect::url;
use schema::{Clock, Timestamp};

pub use clients::{Client, ClientError, ClientSettings, resolve_clients};
pub use development::{DEVELOPMENT_CLIENT, Development, PAGE_CLIENT};
pub use mint::{Grant, IssueError, IssuedToken};
pub use settings::IssuerSettings;

use crate::files::{self, FileError};
use crate::verify::Verifier;
use crate::{Access, ContextError, IssuerName, NoRandomness, Secret, Trust, Visit};
use answers::OAuthError;
use clients::Clients;
use codes::Codes;
use key::KeyError;
use ring::Ring;

/// An issuer that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The address is not one under which clients could find it.
    #[error("{url:?} can't be the issuer's address: expected http(s)://HOST[:PORT] and nothing behind it")]
    Url {
        /// The address.
        url: String,
    },
    /// Nobody could sign in.
    #[error(
        "nobody could sign in: the development client is on for loopback addresses only; for others configure \
         [[client]] with id, secret_env and roles, or an [[issuer]] elsewhere"
    )]
    NoClients,
    /// The data folder can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The signing key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The context file can't be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The discovery document can't be written.
    #[error("can't write the issuer's discovery document")]
    Discovery(#[from] discovery::DiscoveryError),
}

/// The embedded issuer. Clones are the same one.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    url: String,
    settings: IssuerSettings,
    dir: PathBuf,
    keys: ArcSwap<Keys>,
    /// Held while another key is made.
    rotating: Mutex<()>,
    clients: Clients,
    development: Development,
    codes: Mutex<Codes>,
    access: Access,
    clock: Clock,
}

/// The keys of one moment, and what is told of them.
struct Keys {
    ring: Ring,
    documents: discovery::Documents,
}

impl Issuer {
    /// Opens the issuer of the data folder `dir`, which is reached at `url` (`http://127.0.0.1:4000`); on first start it
    /// makes the folder and the key. Tokens of other issuers are accepted beside its own, as `trust` says. With the development
    /// client it writes the context file too, so the address should be bound by then.
    ///
    /// # Errors
    /// [`IssuerError`] names the file or setting that stands in the way.
    pub fn open(
        dir: &Path,
        url: &str,
        settings: IssuerSettings,
        clients: Vec<Client>,
        development: Development,
        trust: Trust,
        clock: Clock,
    ) -> Result<Self, IssuerError> {
        let url = checked_url(url)?;
        if clients.is_empty() && trust.foreign.is_empty() && development == Development::Off {
            return Err(IssuerError::NoClients);
        }
        files::make_folder(dir)?;
        let ring = Ring::open(dir, clock())?;
        let mut clients = Clients::new(clients);
        if development == Development::On {
            clients.add(development::client(dir, &url)?);
        }
        let Trust { policy, foreign, credentials } = trust;
        if let Some(credentials) = &credentials {
            credentials.reserve(clients.ids());
        }
        let verifier = Verifier::new(
            IssuerName::Embedded,
            &url,
            &settings.audience,
            ring.verifying(),
            policy,
            clock.clone(),
        );
        let documents = discovery::Documents::new(&url, &ring.verifying())?;
        Ok(Self(Arc::new(Inner {
            url,
            settings,
            dir: dir.to_owned(),
            keys: ArcSwap::from_pointee(Keys { ring, documents }),
            rotating: Mutex::default(),
            clients,
            development,
            codes: Mutex::default(),
            access: Access::new(verifier, foreign, credentials),
            clock,
        })))
    }

    /// Where it is, as its tokens say: without a trailing `/`.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The way from its tokens to principals.
    pub fn access(&self) -> Access {
        self.0.access.clone()
    }

    /// A fresh one-time code that signs the page in; `None` without the development client.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn page_code(&self) -> Result<Option<Secret>, NoRandomness> {
        if self.0.development == Development::Off {
            return Ok(None);
        }
        let code = crate::random::secret()?;
        let ends_at = self.now().plus_micros(self.0.settings.page_code_micros());
        self.codes().add(&code, ends_at, self.now());
        Ok(Some(code))
    }

    /// The client that these credentials are of; where they are of none, whoever shows them has failed to sign in.
    fn sign_in(&self, visit: &Visit, credentials: &form::Credentials) -> Result<Client, OAuthError> {
        visit.may_sign_in()?;
        self.client(&credentials.id, &credentials.secrets).ok_or_else(|| {
            visit.sign_in_failed();
            OAuthError::Client
        })
    }

    /// The client `id`, if one of `secrets` is its secret: of the configuration, or made since.
    fn client(&self, id: &str, secrets: &[String]) -> Option<Client> {
        if let Some(client) = self.0.clients.authenticate(id, secrets) {
            return Some(client.clone());
        }
        let made = self.0.access.credentials()?.client_roles(id, secrets);
        // Where the configuration has come to have one of its name, that is the one.
        made.filter(|_| !self.0.clients.has(id)).map(|roles| Client::made(id, roles))
    }

    fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    fn codes(&self) -> std::sync::MutexGuard<'_, Codes> {
        // A list of hashes is whole whatever its last user met with.
        self.0.codes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("url", &self.0.url).finish_non_exhaustive()
    }
}

fn checked_url(text: &str) -> Result<String, IssuerError> {
    let refused = || IssuerError::Url { url: text.into() };
    let url = url::Url::parse(text).map_err(|_| refused())?;
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_bare {
        return Err(refused());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests;
