//! `tidegate clients`

use serde::Deserialize;
use serde_json::{Value, json};

use super::keys::{ask, eprint_line};
use super::streams::table;
use super::{Failure, say};
use crate::cli::NodeArgs;
use crate::cli::credentials::{ClientArgs, ClientsCommand, CreateClient, RotateClient};

const FIELDS: &str = "id roles createdAt createdBy rotatedAt oldSecretUntil";

/// A client, as a node tells of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Client {
    id: String,
    roles: Vec<String>,
    created_at: String,
    created_by: String,
    rotated_at: Option<String>,
    old_secret_until: Option<String>,
}

/// A client with its secret.
#[derive(Debug, Deserialize)]
struct Made {
    client: Client,
    secret: String,
}

/// Does what was asked for.
pub(crate) fn run(command: &ClientsCommand) -> Result<(), Failure> {
    match command {
        ClientsCommand::Create(args) => create(args),
        ClientsCommand::List(node) => list(node),
        ClientsCommand::Rotate(args) => rotate(args),
        ClientsCommand::Remove(args) => remove(args),
    }
}

fn create(args: &CreateClient) -> Result<(), Failure> {
    let document = format!(
        "mutation($id: String!, $roles: [String!]!) {{ it: createClient(id: $id, roles: $roles) {{ client {{ {FIELDS} }} secret }} }}"
    );
    tell(&ask(&args.node, &document, &json!({ "id": args.id, "roles": args.roles }))?)
}

fn rotate(args: &RotateClient) -> Result<(), Failure> {
    let document = format!(
        "mutation($id: String!, $overlap: Int!) {{ it: rotateClient(id: $id, overlapSeconds: $overlap) {{ client {{ {FIELDS} }} secret }} }}"
    );
    let made: Made = ask(&args.node, &document, &json!({ "id": args.id, "overlap": args.overlap }))?;
    tell(&made)?;
    match &made.client.old_secret_until {
        Some(until) => eprint_line(&format!("the old secret is good until {until}")),
        None => eprint_line("the old secret is good no more"),
    }
    Ok(())
}

/// The secret alone on standard output, so that it can be piped to where it is kept.
fn tell(made: &Made) -> Result<(), Failure> {
    say(&made.secret)?;
    let (id, roles) = (&made.client.id, made.client.roles.join(" "));
    eprint_line(&format!("client {id}: {roles}"));
    eprint_line("This is its secret, shown once. It asks for tokens by it at /oauth/token of every node.");
    Ok(())
}

fn list(node: &NodeArgs) -> Result<(), Failure> {
    let clients: Vec<Client> = ask(node, &format!("{{ it: clients {{ {FIELDS} }} }}"), &Value::Null)?;
    if clients.is_empty() {
        return say("there are no clients beside those of the configuration");
    }
    let head = ["CLIENT", "ROLES", "CREATED", "BY", "ROTATED"].map(String::from);
    let row = |client: Client| {
        let rotated = client.rotated_at.unwrap_or_else(|| "-".into());
        [client.id, client.roles.join(" "), client.created_at, client.created_by, rotated]
    };
    let rows: Vec<_> = std::iter::once(head).chain(clients.into_iter().map(row)).collect();
    say(&table(&rows))
}

fn remove(args: &ClientArgs) -> Result<(), Failure> {
    let document = "mutation($id: String!) { it: removeClient(id: $id) { id } }";
    let _: Value = ask(&args.node, document, &json!({ "id": args.id }))?;
    let id = &args.id;
    say(&format!(
        "client {id} is removed, and gets no more tokens; those that it has are good until they end, unless you say \
         `tidegate revoke --client {id}`"
    ))
}
