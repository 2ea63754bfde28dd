//! What a node says in an event.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The code of an error that says that the token has ended.
pub(super) const UNAUTHENTICATED: &str = "UNAUTHENTICATED";

/// An execution result.
#[derive(Deserialize)]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    pub(super) data: Option<Data<'a>>,
    #[serde(default, borrow)]
    pub(super) errors: Vec<Told<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Data<'a> {
    #[serde(borrow)]
    pub(super) tail: Tail<'a>,
}

#[derive(Deserialize)]
pub(super) struct Tail<'a> {
    #[serde(borrow)]
    pub(super) gap: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) message: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Told<'a> {
    #[serde(borrow)]
    pub(super) message: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(super) extensions: Extensions<'a>,
}

#[derive(Default, Deserialize)]
pub(super) struct Extensions<'a> {
    #[serde(default)]
    pub(super) code: &'a str,
}

/// A message as it was sent, its JSON as text.
#[derive(Deserialize)]
pub(super) struct Sent<'a> {
    pub(super) time: String,
    #[serde(borrow)]
    pub(super) topic: &'a RawValue,
    pub(super) raw: String,
}
