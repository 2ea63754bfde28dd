//! What clients can find out by themselves: the discovery document (OpenID Connect Discovery 1.0) and the public keys.

use openidconnect::core::{
    CoreClientAuthMethod, CoreGrantType, CoreJsonCurveType, CoreJsonWebKey, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AuthUrl, EmptyAdditionalProviderMetadata, IssuerUrl, JsonWebKeyId, JsonWebKeySet, JsonWebKeySetUrl,
    ResponseTypes, Scope, TokenUrl, url,
};

use crate::Role;
use crate::verify::VerifyingKey;

/// A document that can't be written.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// An address in it is none.
    #[error("an address is malformed")]
    Url(#[from] url::ParseError),
    /// It can't be written as JSON.
    #[error("it can't be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Both documents, as JSON: they don't change while the keys are the same.
pub(super) struct Documents {
    pub(super) configuration: String,
    pub(super) keys: String,
}

impl Documents {
    pub(super) fn new(base: &str, verifying: &[VerifyingKey]) -> Result<Self, DiscoveryError> {
        Ok(Self { configuration: described(base)?, keys: serde_json::to_string(&keys(verifying))? })
    }
}

/// The discovery document: what OpenID Connect knows of, and where tokens are revoked (RFC 8414, section 2).
fn described(base: &str) -> Result<String, DiscoveryError> {
    let mut document = serde_json::to_value(configuration(base)?)?;
    let methods = document["token_endpoint_auth_methods_supported"].clone();
    document["revocation_endpoint"] = format!("{base}/oauth/revoke").into();
    document["revocation_endpoint_auth_methods_supported"] = methods;
    Ok(serde_json::to_string(&document)?)
}

fn configuration(base: &str) -> Result<CoreProviderMetadata, url::ParseError> {
    Ok(CoreProviderMetadata::new(
        IssuerUrl::new(base.into())?,
        // Discovery demands one. It is there, and says that nobody signs in here by a form.
        AuthUrl::new(format!("{base}/oauth/authorize"))?,
        JsonWebKeySetUrl::new(format!("{base}/oauth/jwks"))?,
        vec![ResponseTypes::new(vec![CoreResponseType::None])],
        vec![CoreSubjectIdentifierType::Public],
        vec![CoreJwsSigningAlgorithm::EdDsa],
        EmptyAdditionalProviderMetadata {},
    )
    .set_token_endpoint(Some(TokenUrl::new(format!("{base}/oauth/token"))?))
    .set_grant_types_supported(Some(vec![CoreGrantType::ClientCredentials]))
    .set_token_endpoint_auth_methods_supported(Some(vec![
        CoreClientAuthMethod::ClientSecretBasic,
        CoreClientAuthMethod::ClientSecretPost,
    ]))
    .set_scopes_supported(Some(Role::ALL.map(|role| Scope::new(role.as_str().into())).into())))
}

fn keys(verifying: &[VerifyingKey]) -> JsonWebKeySet<CoreJsonWebKey> {
    let key = |key: &VerifyingKey| {
        let id = JsonWebKeyId::new(key.id.clone());
        CoreJsonWebKey::new_okp(key.public.to_vec(), CoreJsonCurveType::Ed25519, Some(id))
    };
    JsonWebKeySet::new(verifying.iter().map(key).collect())
}
