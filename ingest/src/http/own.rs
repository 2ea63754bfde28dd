//! `POST /data`: the body is a message, for the caller's own topic of the stream `data`.

use access::{Right, Signed, Visit, policy};
use axum::Json;
use axum::body::Body;
use axum::extract::Extension;
use axum::http::HeaderMap;
use schema::StreamName;
use store::{PublishRequest, WritePolicy};

use super::Entry;
use super::body::{Bounded, kind};
use super::error::HttpError;
use super::record::{Put, publish_one};
use crate::streams::OWN_DATA;

/// Publishes the body.
pub(super) async fn post_data(
    Signed(caller): Signed,
    visit: Visit,
    Extension(entry): Extension<Entry>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Put>, HttpError> {
    policy::require_some(&caller, Right::Write).map_err(access::AuthError::from)?;
    let stream = StreamName::new(OWN_DATA).map_err(|error| HttpError::bad_request(error.to_string()))?;
    kind(&headers, false)?;
    let body = Bounded::new(body, &headers, &entry)?.all().await?;
    let data = body.bytes.clone();
    // Named even where the configuration gives the stream another rule: what is posted here is always the caller's own.
    let topic = Some(WritePolicy::own_topic(&caller));
    publish_one(&entry, &caller, &visit, PublishRequest { stream, topic, key: None, data }).await
}
