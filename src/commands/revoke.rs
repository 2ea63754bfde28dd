//! `tidegate revoke`

use std::io::Read;

use serde::Deserialize;
use serde_json::{Value, json};

use super::keys::ask;
use super::streams::table;
use super::{Failure, say};
use crate::cli::NodeArgs;
use crate::cli::credentials::{RevokeArgs, RevokeCommand, UndoArgs};

/// A token is no longer than this, in bytes.
const TOKEN_BYTES_MAX: u64 = 16 << 10;

/// A denial, as a node tells of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Denial {
    id: String,
    kind: String,
    issuer: Option<String>,
    name: Option<String>,
    before: Option<String>,
    reason: String,
    denied_by: String,
    denied_at: String,
}

const FIELDS: &str = "id kind issuer name before reason deniedBy deniedAt";

/// Does what was asked for.
pub(crate) fn run(args: &RevokeArgs) -> Result<(), Failure> {
    match &args.command {
        None => revoke(args),
        Some(RevokeCommand::List(node)) => list(node),
        Some(RevokeCommand::Undo(args)) => undo(args),
    }
}

fn revoke(args: &RevokeArgs) -> Result<(), Failure> {
    let what = &args.what;
    let token = what.token.then(token).transpose()?;
    // A token says itself whose it is; before a time are those of all, unless told.
    let is_told = token.is_some() || what.before.is_some();
    let issuer = args.issuer.as_deref().or((!is_told).then_some("embedded"));
    let document = format!(
        "mutation($issuer: String, $token: String, $id: String, $subject: String, $client: String, $before: Time, $reason: String!) {{ it: revoke(issuer: $issuer, token: $token, tokenId: $id, subject: $subject, client: $client, before: $before, reason: $reason) {{ {FIELDS} }} }}"
    );
    let variables = json!({
        "issuer": issuer, "token": token, "id": what.token_id, "subject": what.subject, "client": what.client,
        "before": what.before.map(|time| time.to_string()), "reason": args.reason,
    });
    let denial: Denial = ask(&args.node, &document, &variables)?;
    let id = &denial.id;
    say(&format!(
        "revoked: {}; within two seconds no node lets these in (`tidegate revoke undo {id}` takes it back)",
        denial.shown()
    ))
}

/// What stands on standard input.
fn token() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().take(TOKEN_BYTES_MAX + 2).read_to_string(&mut text)?;
    let token = text.trim();
    if token.is_empty() { Err("expected a token on standard input".into()) } else { Ok(token.to_owned()) }
}

fn list(node: &NodeArgs) -> Result<(), Failure> {
    let denials: Vec<Denial> = ask(node, &format!("{{ it: denials {{ {FIELDS} }} }}"), &Value::Null)?;
    if denials.is_empty() {
        return say("nothing is revoked");
    }
    let head = ["ID", "WHAT", "SINCE", "BY", "REASON"].map(String::from);
    let row = |denial: Denial| {
        let what = denial.shown();
        [denial.id, what, denial.denied_at, denial.denied_by, printable(&denial.reason)]
    };
    let rows: Vec<_> = std::iter::once(head).chain(denials.into_iter().map(row)).collect();
    say(&table(&rows))
}

fn undo(args: &UndoArgs) -> Result<(), Failure> {
    let document = format!("mutation($id: String!) {{ it: unrevoke(id: $id) {{ {FIELDS} }} }}");
    let denial: Denial = ask(&args.node, &document, &json!({ "id": args.id }))?;
    say(&format!("let in again: {}", denial.shown()))
}

impl Denial {
    /// What it means, in words.
    fn shown(&self) -> String {
        let issuer = self.issuer.as_deref().unwrap_or("every issuer");
        match &self.before {
            Some(before) => format!("tokens of {issuer} given before {before}"),
            None => {
                let name = printable(self.name.as_deref().unwrap_or_default());
                format!("{} {name} of {issuer}", self.kind.to_lowercase())
            }
        }
    }
}

/// A text on one line, and without what could be meant for the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
