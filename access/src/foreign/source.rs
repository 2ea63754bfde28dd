//! Where an issuer's keys come from: OpenID Connect Discovery 1.0, and the set that it points to.

use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreProviderMetadata, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::url::{Url, form_urlencoded};
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, HttpRequest, HttpResponse, IssuerUrl, ProviderMetadata,
};
use reqwest::{Client, Response, redirect};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::keys::Keys;
use crate::Secret;

/// Longest that one request may take.
const WAIT: Duration = Duration::from_secs(10);
/// Most bytes of an answer.
const ANSWER_BYTES: usize = 1 << 20;

/// Why keys could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    /// The address is none.
    #[error("its address can't be used")]
    Url(#[from] openidconnect::url::ParseError),
    /// It did not answer as an issuer does, or not at all.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError<AnswerError>),
    /// A request failed.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// It names no place where it is asked about tokens, or one that is not safe to be asked.
    #[error("its discovery document names no introspection_endpoint by https")]
    NoIntrospection,
    /// It said something else than whether a token is active.
    #[error("what it says of a token can't be understood")]
    NoVerdict,
    /// It does not answer whoever asks.
    #[error("it answers with status {0}")]
    Status(u16),
    /// Nothing could be verified by what it publishes.
    #[error("it publishes no key that can be used")]
    NoKeys,
}

/// A request that was not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnswerError {
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
    #[error("the answer is longer than {ANSWER_BYTES} bytes")]
    TooLong,
    #[error("the answer can't be read")]
    Http(#[from] openidconnect::http::Error),
}

/// One issuer's documents.
#[derive(Clone, Debug)]
pub(super) struct Source {
    url: String,
    client: Client,
}

impl Source {
    /// # Errors
    /// [`SourceError`], where this machine can't speak TLS.
    pub(super) fn new(url: &str) -> Result<Self, reqwest::Error> {
        // What it publishes is at its address, or not at all.
        let client = Client::builder().timeout(WAIT).redirect(redirect::Policy::none()).build()?;
        Ok(Self { url: url.to_owned(), client })
    }

    /// Where it is asked about tokens (RFC 8414, section 2): a place that nobody can listen at, or on this machine.
    pub(super) async fn introspection_endpoint(&self) -> Result<String, SourceError> {
        let client = self.client.clone();
        let ask = move |request: HttpRequest| answer(client.clone(), request);
        let metadata = Described::discover_async(IssuerUrl::new(self.url.clone())?, &ask).await?;
        let endpoint = metadata.additional_metadata().introspection_endpoint.clone();
        endpoint
            .filter(|url| Url::parse(url).is_ok_and(|url| is_safe(&url)))
            .ok_or(SourceError::NoIntrospection)
    }

    /// The answer to a form that a client sends (RFC 6749, section 2.3.1).
    pub(super) async fn post(
        &self,
        url: &str,
        client_id: &str,
        secret: &Secret,
        form: String,
    ) -> Result<Vec<u8>, SourceError> {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let request = self
            .client
            .post(url)
            .basic_auth(encoded(client_id), Some(encoded(secret.expose())))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form);
        let response = request.send().await.map_err(AnswerError::from)?;
        let status = response.status();
        let body = bounded(response).await?;
        if status.is_success() { Ok(body) } else { Err(SourceError::Status(status.as_u16())) }
    }

    /// Looks the keys up.
    pub(super) async fn keys(self) -> Result<Keys, SourceError> {
        let client = self.client;
        let ask = move |request: HttpRequest| answer(client.clone(), request);
        let metadata = CoreProviderMetadata::discover_async(IssuerUrl::new(self.url)?, &ask).await?;
        let set: &CoreJsonWebKeySet = metadata.jwks();
        let set = serde_json::to_value(set).unwrap_or(Value::Null);
        let keys = Keys::read(&set);
        if keys.is_empty() { Err(SourceError::NoKeys) } else { Ok(keys) }
    }
}

async fn answer(client: Client, request: HttpRequest) -> Result<HttpResponse, AnswerError> {
    let response = client.execute(request.try_into()?).await?;
    let mut answer = openidconnect::http::Response::builder().status(response.status());
    if let Some(headers) = answer.headers_mut() {
        *headers = response.headers().clone();
    }
    Ok(answer.body(bounded(response).await?)?)
}

async fn bounded(mut response: Response) -> Result<Vec<u8>, AnswerError> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await? {
        if body.len() + bytes.len() > ANSWER_BYTES {
            return Err(AnswerError::TooLong);
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

/// Whether an issuer may be asked there: whoever stands between could give answers of its own.
pub(super) fn is_safe(url: &Url) -> bool {
    let is_near = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    url.scheme() == "https" || url.scheme() == "http" && is_near
}

/// What a discovery document says beside what OpenID Connect knows of.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Beside {
    introspection_endpoint: Option<String>,
}

impl AdditionalProviderMetadata for Beside {}

/// A discovery document with that.
type Described = ProviderMetadata<
    Beside,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;
