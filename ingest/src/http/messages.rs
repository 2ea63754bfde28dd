//! `POST /streams/{stream}/messages`: many messages, taken as they come, so that a large body needs little memory.

use access::{Principal, Rates, Right, Signed, Visit, policy};
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use schema::Topic;
use schema::json::Fault;
use serde::{Deserialize, Serialize};
use store::{PublishError, PublishRequest};

use super::body::{Bounded, Kind, kind};
use super::error::{ErrorBody, HttpError, answer, code, status};
use super::split::{Broken, Item, Lines, List};
use super::{Entry, stream_of};

/// So many errors are told one by one; those after are counted.
const ERRORS_MAX: usize = 100;

/// What all messages of the body have in common.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Common {
    key: Option<String>,
    topic: Option<String>,
}

/// Takes many messages.
pub(super) async fn post_messages(
    Signed(caller): Signed,
    visit: Visit,
    Extension(entry): Extension<Entry>,
    path: Result<Path<String>, PathRejection>,
    common: Result<Query<Common>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, HttpError> {
    policy::require_some(&caller, Right::Write).map_err(access::AuthError::from)?;
    let stream = stream_of(path)?;
    let Query(Common { key, topic }) = common.map_err(|error| HttpError::bad_request(error.body_text()))?;
    let topic = topic.as_deref().map(Topic::new).transpose();
    let topic = topic.map_err(|error| HttpError::bad_request(error.to_string()))?;
    let mut splitter = Splitter::new(kind(&headers, true)?, entry.limits.message_bytes);
    let mut body = Bounded::new(body, &headers, &entry)?;
    let who = (&caller, visit.rates());
    let mut intake = Intake::new(&entry, who, PublishRequest { stream, topic, key, data: Bytes::new() });
    let (mut items, mut whole) = (Vec::new(), false);
    while !whole {
        let piece = body.next().await;
        // What came before the body broke off still counts.
        let split = match piece {
            Ok(Some(piece)) => splitter.push(&piece, &mut items).map_err(broken),
            Ok(None) => {
                whole = true;
                splitter.finish(&mut items).map_err(broken)
            }
            Err(error) => Err(error),
        };
        let mut taken = intake.take(&mut items).await;
        if taken.is_ok() && (whole || split.is_err()) {
            taken = intake.put().await;
        }
        taken.and(split).map_err(|error| error.after(intake.accepted))?;
        body.keep(splitter.held_bytes() + intake.group_bytes);
    }
    Ok(intake.answer())
}

fn broken(broken: Broken) -> HttpError {
    HttpError::bad_body(broken.to_string())
}

/// Either way of writing messages.
enum Splitter {
    Lines(Lines),
    List(List),
}

impl Splitter {
    fn new(kind: Kind, message_bytes_max: usize) -> Self {
        match kind {
            Kind::Lines => Self::Lines(Lines::new(message_bytes_max)),
            Kind::Json => Self::List(List::new(message_bytes_max)),
        }
    }

    fn push(&mut self, piece: &Bytes, items: &mut Vec<Item>) -> Result<(), Broken> {
        match self {
            Self::Lines(lines) => {
                lines.push(piece, |item| items.push(item));
                Ok(())
            }
            Self::List(list) => list.push(piece, |item| items.push(item)),
        }
    }

    /// Of a message whose end has not come.
    fn held_bytes(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.held_bytes(),
            Self::List(list) => list.held_bytes(),
        }
    }

    fn finish(&mut self, items: &mut Vec<Item>) -> Result<(), Broken> {
        match self {
            Self::Lines(lines) => {
                lines.finish(|item| items.push(item));
                Ok(())
            }
            Self::List(list) => list.finish(),
        }
    }
}

/// Gathers messages into groups for the log, and keeps the count.
struct Intake<'a> {
    entry: &'a Entry,
    caller: &'a Principal,
    rates: &'a Rates,
    /// What every message has in common.
    common: PublishRequest,
    group: Vec<PublishRequest>,
    /// Which message of the body each of the group is.
    indexes: Vec<u64>,
    group_bytes: usize,
    /// How many messages came so far.
    count: u64,
    accepted: u64,
    errors: Vec<ItemError>,
    /// The first error, and whether all were of its kind.
    first: Option<(StatusCode, &'static str, String)>,
    alike: bool,
}

#[derive(Serialize)]
struct ItemError {
    index: u64,
    error: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    accepted: u64,
    rejected: u64,
    errors: &'a [ItemError],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody<'a>>,
}

impl<'a> Intake<'a> {
    fn new(entry: &'a Entry, who: (&'a Principal, &'a Rates), common: PublishRequest) -> Self {
        let (caller, rates) = who;
        Self {
            entry,
            caller,
            rates,
            common,
            group: Vec::new(),
            indexes: Vec::new(),
            group_bytes: 0,
            count: 0,
            accepted: 0,
            errors: Vec::new(),
            first: None,
            alike: true,
        }
    }

    /// Takes what was split off, and puts each full group into the log.
    async fn take(&mut self, items: &mut Vec<Item>) -> Result<(), HttpError> {
        for item in items.drain(..) {
            let index = self.count;
            self.count += 1;
            match item {
                Item::Message(data) => {
                    self.group_bytes += data.len();
                    self.group.push(PublishRequest { data, ..self.common.clone() });
                    self.indexes.push(index);
                }
                Item::TooLarge { bytes } => {
                    // What came before it first: errors are told in the order of the body.
                    self.put().await?;
                    let limit = self.entry.limits.message_bytes;
                    self.reject(index, &Fault::TooLarge { bytes, limit }.into());
                }
            }
            let (rows_max, bytes_max) = self.entry.group;
            if self.group.len() >= rows_max || self.group_bytes >= bytes_max {
                self.put().await?;
            }
        }
        Ok(())
    }

    /// Puts what was gathered into the log. An error is one of the log, or of the caller's rate: the rest of the body can't be taken
    /// either.
    async fn put(&mut self) -> Result<(), HttpError> {
        if self.group.is_empty() {
            return Ok(());
        }
        self.rates.messages(self.caller, self.group.len(), self.group_bytes)?;
        let group = std::mem::take(&mut self.group);
        let indexes = std::mem::take(&mut self.indexes);
        self.group_bytes = 0;
        let answers = self.entry.publish.publish(self.caller, group).await;
        for (index, answer) in indexes.into_iter().zip(answers) {
            match answer {
                Ok(_) => self.accepted += 1,
                Err(error @ PublishError::Unavailable(_)) => return Err(error.into()),
                Err(error) => self.reject(index, &error),
            }
        }
        Ok(())
    }

    fn reject(&mut self, index: u64, error: &PublishError) {
        let text = error.to_string();
        match &self.first {
            Some((first, ..)) => self.alike &= *first == status(error),
            None => self.first = Some((status(error), code(error), text.clone())),
        }
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(ItemError { index, error: text });
        }
    }

    /// The body was taken whole. Where nothing of it was accepted, that is an error.
    fn answer(&self) -> Response {
        let rejected = self.count - self.accepted;
        let first = self.first.as_ref().filter(|_| self.accepted == 0);
        let status = match first {
            None => StatusCode::OK,
            Some((status, ..)) if self.alike => *status,
            Some(_) => StatusCode::BAD_REQUEST,
        };
        let error = first.map(|(_, code, message)| ErrorBody { code, message });
        answer(status, Answer { accepted: self.accepted, rejected, errors: &self.errors, error })
    }
}
