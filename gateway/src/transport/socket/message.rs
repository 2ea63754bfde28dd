//! What a client says: the messages of graphql-transport-ws. Members that are not known are passed over, as it asks.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::request::GraphqlRequest;

/// A message of a client.
#[derive(Debug)]
pub(super) enum Message<'a> {
    /// `connection_init`.
    Init(Option<&'a RawValue>),
    /// `ping`.
    Ping(Option<&'a RawValue>),
    /// `pong`.
    Pong,
    /// `subscribe`.
    Subscribe { id: String, request: GraphqlRequest },
    /// `complete`.
    Complete { id: String },
}

type Members<'a> = HashMap<String, &'a RawValue>;

/// Reads a text frame.
///
/// # Errors
/// What is wrong with it, in a few words.
pub(super) fn parse(text: &str) -> Result<Message<'_>, String> {
    let members: Members<'_> =
        serde_json::from_str(text).map_err(|_| "a message must be a JSON object".to_owned())?;
    let kind = text_of(&members, "type")?.ok_or("a message must have a type")?;
    match kind.as_str() {
        "connection_init" => Ok(Message::Init(payload(&members)?)),
        "ping" => Ok(Message::Ping(payload(&members)?)),
        "pong" => payload(&members).map(|_| Message::Pong),
        "subscribe" => {
            let id = id(&members)?;
            let payload = payload(&members)?.ok_or("subscribe must have a payload")?;
            Ok(Message::Subscribe { id, request: GraphqlRequest::from_payload(payload)? })
        }
        "complete" => Ok(Message::Complete { id: id(&members)? }),
        "connection_ack" | "next" | "error" => Err(format!("{kind} is sent by the server only")),
        _ => Err(format!("there is no message of type {kind:?}")),
    }
}

/// The values of `Authorization` in the payload of `connection_init` or a ping, wherever clients put it; equal ones once.
///
/// # Errors
/// What is wrong with them.
pub(super) fn authorizations(payload: &RawValue) -> Result<Vec<String>, String> {
    let mut members: Members<'_> = object(payload, "payload")?;
    let headers = match members.remove("headers").filter(|headers| headers.get() != "null") {
        Some(headers) => object(headers, "headers")?,
        None => Members::new(),
    };
    let mut found = Vec::new();
    for of in [&members, &headers] {
        for name in ["Authorization", "authorization"] {
            found.extend(text_of(of, name)?.filter(|value| !found.contains(value)));
        }
    }
    Ok(found)
}

fn id(members: &Members<'_>) -> Result<String, String> {
    let id = text_of(members, "id")?;
    id.filter(|id| !id.is_empty()).ok_or_else(|| "the message must have an id that is not empty".into())
}

/// The payload, which is an object where it is there.
fn payload<'a>(members: &Members<'a>) -> Result<Option<&'a RawValue>, String> {
    match members.get("payload").filter(|payload| payload.get() != "null") {
        None => Ok(None),
        Some(payload) if payload.get().starts_with('{') => Ok(Some(payload)),
        Some(_) => Err("payload must be an object".into()),
    }
}

fn object<'a>(value: &'a RawValue, name: &str) -> Result<Members<'a>, String> {
    serde_json::from_str(value.get()).map_err(|_| format!("{name} must be an object"))
}

fn text_of(members: &Members<'_>, name: &str) -> Result<Option<String>, String> {
    let Some(value) = members.get(name).filter(|value| value.get() != "null") else { return Ok(None) };
    serde_json::from_str(value.get()).map(Some).map_err(|_| format!("{name} must be a string"))
}
