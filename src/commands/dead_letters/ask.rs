//! What a node is asked about dead letters, and its answers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Failure, Node};

/// So many are listed, or dealt with, at once.
pub(super) const PAGE: usize = 100;

const FIELDS: &str = "position partition sequence sub arrivedAt key reason sizeBytes";
/// These beside them, where the bytes are wanted, too.
pub(super) const BYTES: &str = "text base64";
/// The mutations that deal with letters.
pub(super) const REPLAY: &str = "replayDeadLetters";
pub(super) const DISCARD: &str = "discardDeadLetters";

/// A dead letter.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Letter {
    pub(super) position: String,
    partition: String,
    sequence: String,
    sub: u32,
    pub(super) arrived_at: String,
    pub(super) key: String,
    pub(super) reason: String,
    pub(super) size_bytes: u64,
    pub(super) text: Option<String>,
    pub(super) base64: Option<String>,
}

/// A dead letter as a line of an export.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exported<'a> {
    stream: &'a str,
    partition: String,
    sequence: String,
    sub: u32,
    arrived_at: String,
    key: String,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl Letter {
    pub(super) fn exported(self, stream: &str) -> Exported<'_> {
        let Self { partition, sequence, sub, arrived_at, key, reason, text, base64, .. } = self;
        Exported { stream, partition, sequence, sub, arrived_at, key, reason, text, base64 }
    }
}

/// What became of one.
#[derive(Debug, Deserialize)]
pub(super) struct Outcome {
    pub(super) position: String,
    pub(super) verdict: String,
    pub(super) message: Option<String>,
    pub(super) reason: Option<String>,
}

/// The next of them behind `after`, with the fields `beside` all others; none is left behind an empty page.
pub(super) async fn letters(
    node: &Node,
    stream: &str,
    after: Option<&str>,
    beside: &str,
) -> Result<Vec<Letter>, Failure> {
    let query = format!(
        "query($stream: String!, $after: String, $first: Int) {{ deadLetters(stream: $stream, after: $after, first: $first) {{ {FIELDS} {beside} }} }}"
    );
    let variables = json!({ "stream": stream, "after": after, "first": PAGE });
    Ok(serde_json::from_value(data(node, &query, &variables, "deadLetters").await?)?)
}

/// The one at `position`, if there is one.
pub(super) async fn letter(node: &Node, stream: &str, position: &str) -> Result<Option<Letter>, Failure> {
    let query = format!(
        "query($stream: String!, $at: String!) {{ deadLetter(stream: $stream, position: $at) {{ {FIELDS} {BYTES} }} }}"
    );
    let variables = json!({ "stream": stream, "at": position });
    Ok(serde_json::from_value(data(node, &query, &variables, "deadLetter").await?)?)
}

/// What becomes of those at `positions`.
pub(super) async fn outcomes(
    node: &Node,
    mutation: &str,
    stream: &str,
    positions: &[String],
) -> Result<Vec<Outcome>, Failure> {
    let document = format!(
        "mutation($stream: String!, $at: [String!]!) {{ {mutation}(stream: $stream, positions: $at) {{ position verdict message reason }} }}"
    );
    let variables = json!({ "stream": stream, "at": positions });
    Ok(serde_json::from_value(data(node, &document, &variables, mutation).await?)?)
}

async fn data(node: &Node, document: &str, variables: &Value, field: &str) -> Result<Value, Failure> {
    let mut answer = node.ask(document, variables).await?;
    Ok(answer["data"][field].take())
}
