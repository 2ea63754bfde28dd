//! Clients of the node's own issuer that are made while it runs.

use access::{KeptClient, Roles, Secret};
use async_graphql::{Context, Error, SimpleObject};

use super::keys::{credentials, refused};
use super::{Time, caller};

/// A client of the node's own issuer, made while it runs: it asks for tokens by its secret. Those of the configuration are not listed.
#[derive(SimpleObject)]
pub struct Client {
    /// Its name, which is also its own topic.
    id: String,
    /// What it may ask for.
    roles: Vec<String>,
    /// When it was made.
    created_at: Time,
    /// By whom: issuer and subject.
    created_by: String,
    /// When it was given another secret last.
    rotated_at: Option<Time>,
    /// Until when the secret before is good, too; null where it is not.
    old_secret_until: Option<Time>,
}

/// A client whose secret was just made.
#[derive(SimpleObject)]
pub struct ClientSecret {
    /// The client.
    client: Client,
    /// What it asks for tokens with, at `/oauth/token`. It is shown here, and never again.
    secret: String,
}

impl From<KeptClient> for Client {
    fn from(client: KeptClient) -> Self {
        Self {
            roles: client.roles.names().map(ToOwned::to_owned).collect(),
            id: client.id,
            created_at: Time(client.created_at),
            created_by: client.created_by,
            rotated_at: client.rotated_at.map(Time),
            old_secret_until: client.old_until.map(Time),
        }
    }
}

impl From<(KeptClient, Secret)> for ClientSecret {
    fn from((client, secret): (KeptClient, Secret)) -> Self {
        Self { client: client.into(), secret: secret.expose().to_owned() }
    }
}

pub(super) fn list(ctx: &Context<'_>) -> Result<Vec<Client>, Error> {
    Ok(credentials(ctx)?.clients().into_iter().map(Into::into).collect())
}

pub(super) async fn create(ctx: &Context<'_>, id: &str, roles: &[String]) -> Result<ClientSecret, Error> {
    let roles: Roles = roles.iter().map(String::as_str).collect();
    let made = credentials(ctx)?.create_client(id, &roles, caller(ctx)?).await;
    made.map(Into::into).map_err(|error| refused(&error))
}

pub(super) async fn rotate(ctx: &Context<'_>, id: &str, overlap_seconds: i32) -> Result<ClientSecret, Error> {
    let overlap = i64::from(overlap_seconds) * 1_000_000;
    let rotated = credentials(ctx)?.rotate_client(id, overlap, caller(ctx)?).await;
    rotated.map(Into::into).map_err(|error| refused(&error))
}

pub(super) async fn remove(ctx: &Context<'_>, id: &str) -> Result<Client, Error> {
    let removed = credentials(ctx)?.remove_client(id, caller(ctx)?).await;
    removed.map(Into::into).map_err(|error| refused(&error))
}
