//! Where an issuer's keys come from: OpenID Connect Discovery 1.0, and the set that it points to.

use std::time::Duration;

use openidconnect::core::{CoreJsonWebKeySet, CoreProviderMetadata};
use openidconnect::{DiscoveryError, HttpRequest, HttpResponse, IssuerUrl};
use reqwest::{Client, redirect};
use serde_json::Value;

use super::keys::Keys;

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
    let mut response = client.execute(request.try_into()?).await?;
    let mut answer = openidconnect::http::Response::builder().status(response.status());
    if let Some(headers) = answer.headers_mut() {
        *headers = response.headers().clone();
    }
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await? {
        if body.len() + bytes.len() > ANSWER_BYTES {
            return Err(AnswerError::TooLong);
        }
        body.extend_from_slice(&bytes);
    }
    Ok(answer.body(body)?)
}
