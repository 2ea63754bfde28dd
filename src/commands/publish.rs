//! `tidegate publish`

use std::io::Read;

use serde::Deserialize;

use super::{Failure, block_on, node::Node, say};
use crate::cli::PublishArgs;

#[derive(Deserialize)]
struct Answer {
    accepted: u64,
    rejected: u64,
    #[serde(default)]
    errors: Vec<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    index: u64,
    error: String,
}

/// Sends one message, or the lines of standard input.
pub(crate) fn run(args: &PublishArgs) -> Result<(), Failure> {
    let body = match &args.message {
        Some(message) => one_line(message),
        None => {
            let mut lines = Vec::new();
            std::io::stdin().lock().read_to_end(&mut lines)?;
            lines
        }
    };
    let mut query = Vec::new();
    for (name, value) in [("key", &args.key), ("topic", &args.topic)] {
        if let Some(value) = value {
            query.push(format!("{name}={}", percent_encoded(value)));
        }
    }
    let path = format!("/streams/{}/messages?{}", percent_encoded(&args.stream), query.join("&"));
    let body =
        block_on(async { Node::sign_in(&args.node).await?.post(&path, "application/x-ndjson", body).await })?;
    let answer: Answer = serde_json::from_slice(&body)?;
    if let Some(first) = answer.errors.first() {
        return Err(format!(
            "{} accepted, {} refused; the first refused is message {}: {}",
            answer.accepted, answer.rejected, first.index, first.error
        )
        .into());
    }
    say(&format!("{} accepted", answer.accepted))
}

/// A message may span lines, a line of NDJSON may not: line breaks outside strings mean nothing, and inside strings JSON
/// has none.
fn one_line(message: &str) -> Vec<u8> {
    message.replace(['\r', '\n'], " ").into_bytes()
}

fn percent_encoded(text: &str) -> String {
    let plain = |c: &u8| c.is_ascii_alphanumeric() || b"-._~".contains(c);
    text.bytes().map(|c| if plain(&c) { char::from(c).to_string() } else { format!("%{c:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_survive_the_address() {
        assert_eq!(percent_encoded("a b/ü&=#"), "a%20b%2F%C3%BC%26%3D%23");
        assert_eq!(one_line("{\n \"a\": 1\r\n}"), b"{  \"a\": 1  }");
    }
}
