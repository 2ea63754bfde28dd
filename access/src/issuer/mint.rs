//! Signs access tokens (RFC 9068).

use jsonwebtoken::{Algorithm, Header, encode};
use serde::Serialize;

use super::Issuer;
use crate::{NoRandomness, Roles, Secret, random};

/// What a token is to say.
#[derive(Clone, Debug)]
pub struct Grant<'a> {
    /// Whom it is about.
    pub subject: &'a str,
    /// The client that gets it.
    pub client_id: &'a str,
    /// What it entitles to.
    pub roles: Roles,
    /// How long it is good, in seconds.
    pub seconds: u32,
}

/// A signed token.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The token.
    pub access_token: Secret,
    /// How long it is good, in seconds.
    pub expires_in: u32,
    /// What it entitles to.
    pub roles: Roles,
}

/// A token that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// It could not be signed.
    #[error("can't sign a token")]
    Sign(#[from] jsonwebtoken::errors::Error),
    /// It could not be given an id.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    client_id: &'a str,
    scope: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
}

impl Issuer {
    /// Signs a token. Whoever calls this has made sure that it is deserved.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue(&self, grant: &Grant<'_>) -> Result<IssuedToken, IssueError> {
        let now = self.now().0.div_euclid(1_000_000);
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".into());
        let keys = self.0.keys.load();
        header.kid = Some(keys.ring.signs.id().into());
        let claims = Claims {
            iss: self.url(),
            aud: &self.0.settings.audience,
            sub: grant.subject,
            client_id: grant.client_id,
            scope: grant.roles.to_string(),
            iat: now,
            nbf: now,
            exp: now + i64::from(grant.seconds),
            jti: random::id()?,
        };
        let token = encode(&header, &claims, keys.ring.signs.signs())?;
        tracing::debug!(client = grant.client_id, token_id = claims.jti, "token given");
        Ok(IssuedToken {
            access_token: Secret::new(token),
            expires_in: grant.seconds,
            roles: grant.roles.clone(),
        })
    }
}
