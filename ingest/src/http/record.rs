//! `PUT /streams/{stream}/record`: one message, in the envelope in which AWS SDKs put it.

use std::borrow::Cow;

use access::{Principal, Right, Signed, Visit, policy};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path};
use axum::http::HeaderMap;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use schema::StreamName;
use schema::json::body_fault;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{PublishError, PublishRequest, Published};

use super::body::{Bounded, kind};
use super::error::HttpError;
use super::{Entry, stream_of};

/// As AWS SDKs write it: with padding, which some leave out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A message in its envelope.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Envelope<'a> {
    /// JSON as it is, or a text: the base64 of JSON.
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(borrow, default)]
    partition_key: Option<Cow<'a, str>>,
    // What AWS SDKs send along, and what means nothing here.
    #[serde(borrow, default, rename = "ExplicitHashKey")]
    _explicit_hash_key: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "SequenceNumberForOrdering")]
    _sequence_number: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "StreamName")]
    _stream_name: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "StreamARN")]
    _stream_arn: Option<&'a RawValue>,
}

/// Where a message was put.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    shard_id: String,
    sequence_number: String,
}

impl From<Published> for Put {
    fn from(published: Published) -> Self {
        let position = published.position;
        Self { shard_id: position.partition.to_string(), sequence_number: position.sequence.to_string() }
    }
}

/// Puts one message.
pub(super) async fn put_record(
    Signed(caller): Signed,
    visit: Visit,
    Extension(entry): Extension<Entry>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Put>, HttpError> {
    policy::require_some(&caller, Right::Write).map_err(access::AuthError::from)?;
    let stream = stream_of(path)?;
    kind(&headers, false)?;
    let whole = Bounded::new(body, &headers, &entry)?.all().await?;
    let body = &whole.bytes;
    let expected = r#"{"Data": …, "PartitionKey": "…"}"#;
    let envelope: Envelope<'_> = parse(body, expected)?;
    let request = envelope.request(&stream, body)?;
    publish_one(&entry, &caller, &visit, request).await
}

/// Publishes one message, and answers where it was put.
pub(super) async fn publish_one(
    entry: &Entry,
    caller: &Principal,
    visit: &Visit,
    request: PublishRequest,
) -> Result<Json<Put>, HttpError> {
    visit.rates().messages(caller, 1, request.data.len())?;
    let mut answers = entry.publish.publish(caller, vec![request]).await;
    let none = || PublishError::Unavailable("the log gave no answer".into());
    Ok(Json(answers.pop().ok_or_else(none)??.into()))
}

/// Reads a body, of which the messages in it are left as they are.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a Bytes, expected: &str) -> Result<T, HttpError> {
    serde_json::from_slice(body).map_err(|error| {
        // Where it is no JSON at all, that is told as on every route.
        let fault = body_fault(body);
        HttpError::bad_body(fault.unwrap_or_else(|| format!("the request body is not {expected}: {error}")))
    })
}

impl Envelope<'_> {
    /// The message in it, its bytes as they came within `body`.
    pub(super) fn request(self, stream: &StreamName, body: &Bytes) -> Result<PublishRequest, PublishError> {
        let raw = self.data.get();
        let data = match raw.as_bytes().first() {
            Some(b'"') => decode(raw)?,
            _ => body.slice_ref(raw.as_bytes()),
        };
        let key = self.partition_key.map(Cow::into_owned);
        Ok(PublishRequest { stream: stream.clone(), topic: None, key, data })
    }
}

/// The bytes that a text stands for.
fn decode(raw: &str) -> Result<Bytes, PublishError> {
    let text: Cow<'_, str> = serde_json::from_str(raw)
        .map_err(|error| PublishError::Invalid(format!("Data is a text that can't be read: {error}")))?;
    let bytes = BASE64.decode(text.as_bytes()).map_err(|error| {
        PublishError::Invalid(format!(
            "Data is a text that is not base64 ({error}): send JSON as it is, or the base64 of the JSON"
        ))
    })?;
    Ok(bytes.into())
}
