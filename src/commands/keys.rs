//! `tidegate keys`

use serde::Deserialize;
use serde_json::{Value, json};

use super::streams::table;
use super::{Failure, block_on, node::Node, say};
use crate::cli::NodeArgs;
use crate::cli::credentials::{CreateKey, KeyArgs, KeysCommand, RotateKey};

const FIELDS: &str = "name id roles createdAt createdBy expiresAt rotatedAt oldSecretUntil";

/// A key, as a node tells of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    name: String,
    id: String,
    roles: Vec<String>,
    created_at: String,
    created_by: String,
    expires_at: Option<String>,
    rotated_at: Option<String>,
    old_secret_until: Option<String>,
}

/// A key with its secret.
#[derive(Debug, Deserialize)]
struct Made {
    key: Key,
    secret: String,
}

/// Does what was asked for.
pub(crate) fn run(command: &KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Create(args) => create(args),
        KeysCommand::List(node) => list(node),
        KeysCommand::Rotate(args) => rotate(args),
        KeysCommand::Revoke(args) => revoke(args),
    }
}

fn create(args: &CreateKey) -> Result<(), Failure> {
    let document = format!(
        "mutation($name: String!, $roles: [String!]!, $end: Time) {{ it: createKey(name: $name, roles: $roles, expiresAt: $end) {{ key {{ {FIELDS} }} secret }} }}"
    );
    let end = args.expires.map(|time| time.to_string());
    let variables = json!({ "name": args.name, "roles": args.roles, "end": end });
    tell(&ask(&args.node, &document, &variables)?, None)
}

fn rotate(args: &RotateKey) -> Result<(), Failure> {
    let document = format!(
        "mutation($name: String!, $overlap: Int!) {{ it: rotateKey(name: $name, overlapSeconds: $overlap) {{ key {{ {FIELDS} }} secret }} }}"
    );
    let variables = json!({ "name": args.name, "overlap": args.overlap });
    let made: Made = ask(&args.node, &document, &variables)?;
    let old = match &made.key.old_secret_until {
        Some(until) => format!("the old secret is good until {until}"),
        None => "the old secret is good no more".to_owned(),
    };
    tell(&made, Some(&old))
}

/// The secret alone on standard output, so that it can be piped to where it is kept.
fn tell(made: &Made, old: Option<&str>) -> Result<(), Failure> {
    say(&made.secret)?;
    let end = made.key.expires_at.as_ref().map_or_else(|| "never".to_owned(), Clone::clone);
    let (name, roles) = (&made.key.name, made.key.roles.join(" "));
    eprint_line(&format!("key {name}: {roles}; it ends: {end}"));
    old.into_iter().for_each(eprint_line);
    eprint_line(
        "This is shown once. Send it as `Authorization: Bearer …`; within two seconds every node knows it.",
    );
    Ok(())
}

/// What is said beside a result, on standard error.
pub(super) fn eprint_line(text: &str) {
    use std::io::Write;
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn list(node: &NodeArgs) -> Result<(), Failure> {
    let keys: Vec<Key> = ask(node, &format!("{{ it: keys {{ {FIELDS} }} }}"), &Value::Null)?;
    if keys.is_empty() {
        return say("there are no keys: `tidegate keys create NAME --role data.write` makes one");
    }
    let head = ["NAME", "BEGINS WITH", "ROLES", "CREATED", "BY", "ENDS", "ROTATED"].map(String::from);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let row = |key: Key| {
        let begins = format!("tgk_{}", key.id);
        let (ends, rotated) = (or_dash(key.expires_at), or_dash(key.rotated_at));
        [key.name, begins, key.roles.join(" "), key.created_at, key.created_by, ends, rotated]
    };
    let rows: Vec<_> = std::iter::once(head).chain(keys.into_iter().map(row)).collect();
    say(&table(&rows))
}

fn revoke(args: &KeyArgs) -> Result<(), Failure> {
    let document = "mutation($name: String!) { it: revokeKey(name: $name) { name } }";
    let _: Value = ask(&args.node, document, &json!({ "name": args.name }))?;
    let name = &args.name;
    say(&format!(
        "key {name} is revoked: within two seconds no node lets its bearer in, and what it follows ends"
    ))
}

/// The field `it` of the answer to a document.
pub(super) fn ask<T: serde::de::DeserializeOwned>(
    node: &NodeArgs,
    document: &str,
    variables: &Value,
) -> Result<T, Failure> {
    let mut answer = block_on(async { Node::sign_in(node).await?.ask(document, variables).await })?;
    Ok(serde_json::from_value(answer["data"]["it"].take())?)
}
