//! Records that could not become messages: looking at them, and what may be done about them.

use std::sync::Arc;

use async_graphql::{Context, Enum, Error, SimpleObject};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::{Position, StreamName};
use store::{Discarded, Replay, ReplayError, Replayed, letters};

use super::{Time, administered, coded, count, store, unavailable};

/// Most positions of one request.
const POSITIONS_MAX: usize = 100;
/// A list ends behind the letter with which it has so many bytes of them, and so is many letters that are read at once.
const LIST_BYTES: usize = 8 << 20;
const READ_AT_ONCE: usize = 10;

/// A record that could not become a message.
#[derive(SimpleObject)]
pub struct DeadLetter {
    /// Where it stands in its log: one word, `partition:sequence`, and `:sub` where that is not 0.
    position: String,
    /// The log.
    partition: String,
    /// The record's number in it, in decimal digits.
    sequence: String,
    /// Which message of the record.
    sub: u32,
    /// When it arrived.
    arrived_at: Time,
    /// The partition key it came with.
    key: String,
    /// Why it was set aside.
    reason: String,
    /// How many bytes it has.
    size_bytes: u64,
    /// Its bytes as text, where they are UTF-8.
    text: Option<String>,
    /// Its bytes in base64, where they are not UTF-8.
    base64: Option<String>,
}

/// What became of a dead letter.
#[derive(SimpleObject)]
pub struct DeadLetterOutcome {
    /// Where it stood in its log.
    position: String,
    /// What became of it.
    verdict: DeadLetterVerdict,
    /// The position of the message that it became.
    message: Option<String>,
    /// Why it still could not become one.
    reason: Option<String>,
}

/// What became of a dead letter, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum DeadLetterVerdict {
    /// It is a message.
    Replayed,
    /// It is no dead letter any more, and no message: one with the same id and partition key had come before.
    Folded,
    /// It still could not become a message, and stays.
    StillDead,
    /// It is removed.
    Discarded,
    /// It stays: somebody else replays it now.
    BeingReplayed,
    /// There is none: it was replayed or discarded before, or retention has passed it.
    NotFound,
}

impl From<store::DeadLetter> for DeadLetter {
    fn from(letter: store::DeadLetter) -> Self {
        let (position, text) = (&letter.position, std::str::from_utf8(&letter.raw).ok());
        Self {
            partition: position.partition.to_string(),
            sequence: position.sequence.to_string(),
            sub: position.sub,
            position: position.to_string(),
            arrived_at: Time(letter.arrived_at),
            key: letter.key.as_ref().into(),
            reason: letter.reason,
            size_bytes: letter.raw.len() as u64,
            base64: text.is_none().then(|| STANDARD.encode(&letter.raw)),
            text: text.map(ToOwned::to_owned),
        }
    }
}

impl DeadLetterOutcome {
    fn new(position: &Position, verdict: DeadLetterVerdict) -> Self {
        Self { position: position.to_string(), verdict, message: None, reason: None }
    }
}

pub(super) async fn one(ctx: &Context<'_>, name: &str, at: &str) -> Result<Option<DeadLetter>, Error> {
    let (stream, position) = (administered(ctx, name)?, parse(at)?);
    let letter = store(ctx)?.dead_letter(&stream, &position).await;
    Ok(letter.map_err(|error| unavailable(&error))?.map(Into::into))
}

pub(super) async fn list(
    ctx: &Context<'_>,
    name: &str,
    first: Option<i32>,
    after: Option<String>,
) -> Result<Vec<DeadLetter>, Error> {
    let (stream, first) = (administered(ctx, name)?, count(first, ctx)?);
    let mut after = after.as_deref().map(parse).transpose()?;
    let (mut letters, mut bytes): (Vec<DeadLetter>, _) = (Vec::new(), 0);
    while letters.len() < first && bytes < LIST_BYTES {
        let most = READ_AT_ONCE.min(first - letters.len());
        let read = store(ctx)?.dead_letters(&stream, after.clone(), most).await;
        let read = read.map_err(|error| unavailable(&error))?;
        let is_last = read.len() < most;
        bytes += read.iter().map(|letter| letter.raw.len()).sum::<usize>();
        after = read.last().map(|letter| letter.position.clone());
        letters.extend(read.into_iter().map(DeadLetter::from));
        if is_last {
            break;
        }
    }
    Ok(letters)
}

pub(super) async fn replay(
    ctx: &Context<'_>,
    name: &str,
    positions: &[String],
) -> Result<Vec<DeadLetterOutcome>, Error> {
    let (stream, positions) = asked(ctx, name, positions)?;
    let replayed = ctx.data::<Arc<dyn Replay>>()?.replay(&stream, &positions).await;
    let outcome = |(position, replayed): (&Position, Replayed)| {
        let outcome = |verdict| DeadLetterOutcome::new(position, verdict);
        match replayed {
            Replayed::Message(at) => {
                DeadLetterOutcome { message: Some(at.to_string()), ..outcome(DeadLetterVerdict::Replayed) }
            }
            Replayed::StillDead(reason) => {
                DeadLetterOutcome { reason: Some(reason), ..outcome(DeadLetterVerdict::StillDead) }
            }
            Replayed::Folded => outcome(DeadLetterVerdict::Folded),
            Replayed::NotFound => outcome(DeadLetterVerdict::NotFound),
        }
    };
    let replayed = replayed.map_err(|error| match &error {
        ReplayError::Elsewhere(_) => coded(error.to_string(), "MISDIRECTED"),
        ReplayError::UnknownStream(_) => Error::new(error.to_string()),
        ReplayError::Store(error) => unavailable(error),
    })?;
    Ok(positions.iter().zip(replayed).map(outcome).collect())
}

pub(super) async fn discard(
    ctx: &Context<'_>,
    name: &str,
    positions: &[String],
) -> Result<Vec<DeadLetterOutcome>, Error> {
    let (stream, positions) = asked(ctx, name, positions)?;
    let discarded = letters::discard(store(ctx)?.as_ref(), &stream, &positions).await;
    let outcome = |(position, discarded)| {
        let verdict = match discarded {
            Discarded::Gone => DeadLetterVerdict::Discarded,
            Discarded::NotFound => DeadLetterVerdict::NotFound,
            Discarded::BeingReplayed => DeadLetterVerdict::BeingReplayed,
        };
        DeadLetterOutcome::new(position, verdict)
    };
    let discarded = discarded.map_err(|error| unavailable(&error))?;
    Ok(positions.iter().zip(discarded).map(outcome).collect())
}

/// The stream and the letters that a request is about.
fn asked(ctx: &Context<'_>, name: &str, positions: &[String]) -> Result<(StreamName, Vec<Position>), Error> {
    let stream = administered(ctx, name)?;
    if positions.len() > POSITIONS_MAX {
        let count = positions.len();
        return Err(Error::new(format!(
            "there are {count} positions, and at most {POSITIONS_MAX} are taken at once"
        )));
    }
    let positions: Result<_, Error> = positions.iter().map(|position| parse(position)).collect();
    Ok((stream, positions?))
}

fn parse(position: &str) -> Result<Position, Error> {
    position.parse().map_err(|error: schema::position::InvalidPosition| Error::new(error.to_string()))
}
