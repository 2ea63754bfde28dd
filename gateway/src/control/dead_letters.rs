//! Records that could not become messages.

use async_graphql::{Context, Error, SimpleObject};
use schema::Position;

use super::{Time, count, store, stream, unavailable};

/// A record that could not become a message.
#[derive(SimpleObject)]
pub struct DeadLetter {
    /// Where it stands in its log.
    position: String,
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
}

pub(super) async fn list(
    ctx: &Context<'_>,
    name: &str,
    first: Option<i32>,
    after: Option<String>,
) -> Result<Vec<DeadLetter>, Error> {
    let stream = stream(ctx, name)?;
    let after = after
        .map(|after| after.parse::<Position>())
        .transpose()
        .map_err(|error| Error::new(error.to_string()))?;
    let letters = store(ctx)?.dead_letters(stream.record.name(), after, count(first, ctx)?).await;
    let letters = letters.map_err(|error| unavailable(&error))?;
    Ok(letters
        .into_iter()
        .map(|letter| DeadLetter {
            position: letter.position.to_string(),
            arrived_at: Time(letter.arrived_at),
            key: letter.key.as_ref().into(),
            reason: letter.reason,
            size_bytes: letter.raw.len() as u64,
            text: std::str::from_utf8(&letter.raw).ok().map(ToOwned::to_owned),
        })
        .collect())
}
