//! The development client: who the owner of a data folder is, as long as the server is reached by loopback only.

use std::path::Path;

use super::Client;
use crate::secret::SecretHash;
use crate::{Context, ContextError, Roles};

/// Id of the development client, and the subject of its tokens and of the page's.
pub const DEVELOPMENT_CLIENT: &str = "tidegate-dev";

/// Client id in the tokens of the page. Its own, so that a page can't sign itself in again and again.
pub const PAGE_CLIENT: &str = "tidegate-page";

/// Whether there is a development client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Development {
    /// Yes. For servers that listen on loopback only, behind [`crate::host::loopback_only`].
    On,
    /// No: only configured clients.
    Off,
}

/// The development client of the data folder `dir`, its context file brought up to date.
pub(super) fn client(dir: &Path, url: &str) -> Result<Client, ContextError> {
    let context = Context::renew(dir, url, DEVELOPMENT_CLIENT)?;
    Ok(Client {
        id: context.client_id,
        secret: SecretHash::of(context.client_secret.expose()),
        roles: Roles::ALL,
    })
}
