//! API keys: who has one, and how they are made and taken back.

use access::{CredentialError, Credentials, NewKey, Roles, Secret};
use async_graphql::{Context, Error, SimpleObject};

use super::{Time, access, caller, coded};

/// A key by which a small system is let in.
#[derive(SimpleObject)]
pub struct ApiKey {
    /// What it is called.
    name: String,
    /// What its text has behind `tgk_`: by it a key that is found somewhere can be told.
    id: String,
    /// What its bearer may do.
    roles: Vec<String>,
    /// When it was made.
    created_at: Time,
    /// By whom: issuer and subject.
    created_by: String,
    /// When it ends; null where it does not.
    expires_at: Option<Time>,
    /// When it was given another secret last.
    rotated_at: Option<Time>,
    /// Until when the secret before is good, too; null where it is not.
    old_secret_until: Option<Time>,
}

/// A key whose secret was just made.
#[derive(SimpleObject)]
pub struct ApiKeySecret {
    /// The key.
    key: ApiKey,
    /// What its bearer sends, as `Authorization: Bearer …`. It is shown here, and never again.
    secret: String,
}

impl From<access::ApiKey> for ApiKey {
    fn from(key: access::ApiKey) -> Self {
        Self {
            roles: key.roles.names().map(ToOwned::to_owned).collect(),
            name: key.name,
            id: key.id,
            created_at: Time(key.created_at),
            created_by: key.created_by,
            expires_at: key.expires_at.map(Time),
            rotated_at: key.rotated_at.map(Time),
            old_secret_until: key.old_until.map(Time),
        }
    }
}

impl From<(access::ApiKey, Secret)> for ApiKeySecret {
    fn from((key, secret): (access::ApiKey, Secret)) -> Self {
        Self { key: key.into(), secret: secret.expose().to_owned() }
    }
}

pub(super) fn list(ctx: &Context<'_>) -> Result<Vec<ApiKey>, Error> {
    Ok(credentials(ctx)?.keys().into_iter().map(Into::into).collect())
}

pub(super) async fn create(
    ctx: &Context<'_>,
    name: String,
    roles: &[String],
    expires_at: Option<Time>,
) -> Result<ApiKeySecret, Error> {
    let roles: Roles = roles.iter().map(String::as_str).collect();
    let new = NewKey { name, roles, expires_at: expires_at.map(|time| time.0) };
    let made = credentials(ctx)?.create_key(new, caller(ctx)?).await;
    made.map(Into::into).map_err(|error| refused(&error))
}

pub(super) async fn rotate(
    ctx: &Context<'_>,
    name: &str,
    overlap_seconds: i32,
) -> Result<ApiKeySecret, Error> {
    let overlap = i64::from(overlap_seconds) * 1_000_000;
    let rotated = credentials(ctx)?.rotate_key(name, overlap, caller(ctx)?).await;
    rotated.map(Into::into).map_err(|error| refused(&error))
}

pub(super) async fn revoke(ctx: &Context<'_>, name: &str) -> Result<ApiKey, Error> {
    let revoked = credentials(ctx)?.revoke_key(name, caller(ctx)?).await;
    revoked.map(Into::into).map_err(|error| refused(&error))
}

pub(super) fn credentials<'a>(ctx: &Context<'a>) -> Result<&'a Credentials, Error> {
    let credentials = access(ctx)?.and_then(|access| access.credentials());
    credentials.ok_or_else(|| coded("this node keeps no keys and denials", "UNAVAILABLE"))
}

pub(super) fn refused(error: &CredentialError) -> Error {
    let code = match error {
        CredentialError::Store(_) | CredentialError::Busy | CredentialError::Random(_) => {
            tracing::warn!(error = error as &dyn std::error::Error, "a credential was not changed");
            "UNAVAILABLE"
        }
        CredentialError::Beyond(_) | CredentialError::Yourself => "FORBIDDEN",
        CredentialError::Full(..) => "LIMIT_EXCEEDED",
        _ => "BAD_USER_INPUT",
    };
    coded(error.to_string(), code)
}
