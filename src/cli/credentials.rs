//! The command line of keys, and of what is revoked.

use clap::{Args, Subcommand};
use schema::Timestamp;

use super::NodeArgs;
use crate::serve::now;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key; it is printed once, and kept nowhere
    Create(CreateKey),
    /// List them, a line each, without their secrets
    List(NodeArgs),
    /// Give a key another secret, which is printed once; the old one ends
    Rotate(RotateKey),
    /// Take a key back, for good; what its bearer follows ends, too
    Revoke(KeyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateKey {
    /// What it is called; its bearer's own topic is keys/NAME
    pub(crate) name: String,
    /// What its bearer may do: data.read, data.write, data.admin, or a role that a rule names; one that you have yourself
    #[arg(long = "role", value_name = "ROLE", required = true)]
    pub(crate) roles: Vec<String>,
    /// When it ends: now+90d, or such as 2027-01-01T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) expires: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RotateKey {
    /// The key
    pub(crate) name: String,
    /// How long the old secret is good, too: 30s, 1h, 2d; at most 30d [default: not at all]
    #[arg(long, value_name = "SPAN", value_parser = seconds, default_value = "0s", hide_default_value = true)]
    pub(crate) overlap: i32,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// The key
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

pub(crate) const KEYS_EXAMPLES: &str = "A key is for a small system that can't ask an issuer for tokens: a meter, a script, a webhook. It sends the key as its
bearer token, by HTTP as well as in connection_init:
  tidegate keys create meter --role data.write --expires now+90d > meter.key
  curl -H \"Authorization: Bearer $(cat meter.key)\" … http://127.0.0.1:4000/streams/readings/record
Change it now and then, and give its bearer time to take the new one over:
  tidegate keys rotate meter --overlap 1h > meter.key
A key that got into wrong hands is told by what it begins with (`tidegate keys list`), and taken back:
  tidegate keys revoke meter
Within two seconds every node goes by it. Keys are kept as hashes: one that is lost can only be rotated.

All of it needs a client with the role data.admin.";

#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// Make a client; its secret is printed once, and kept nowhere
    Create(CreateClient),
    /// List them, a line each; those of the configuration are not among them
    List(NodeArgs),
    /// Give a client another secret, which is printed once; the old one ends
    Rotate(RotateClient),
    /// Remove a client, for good; tokens that it has are good until they end
    Remove(ClientArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateClient {
    /// What it is called; this is its own topic, too
    pub(crate) id: String,
    /// What it may ask for: data.read, data.write, data.admin, or a role that a rule names; one that you have yourself
    #[arg(long = "role", value_name = "ROLE", required = true)]
    pub(crate) roles: Vec<String>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RotateClient {
    /// The client
    pub(crate) id: String,
    /// How long the old secret is good, too: 30s, 1h, 2d; at most 30d [default: not at all]
    #[arg(long, value_name = "SPAN", value_parser = seconds, default_value = "0s", hide_default_value = true)]
    pub(crate) overlap: i32,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ClientArgs {
    /// The client
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

pub(crate) const CLIENTS_EXAMPLES: &str = "A client asks the node's own issuer for tokens, each of which ends by itself, and is what a service should be:
  tidegate clients create dashboard --role data.read > dashboard.secret
  curl -u \"dashboard:$(cat dashboard.secret)\" -d grant_type=client_credentials http://127.0.0.1:4000/oauth/token
  tidegate clients rotate dashboard --overlap 1h > dashboard.secret
  tidegate clients remove dashboard
All nodes that share a store know them. Of the configuration, [[client]] are there besides, and can't be changed by commands.

All of it needs a client with the role data.admin.";

#[derive(Debug, Subcommand)]
pub(crate) enum IssuerCommand {
    /// Sign by another key from now on; what the one before has signed is good until it ends
    Rotate(RotateIssuer),
}

#[derive(Debug, Args)]
pub(crate) struct RotateIssuer {
    /// Accept nothing any more that another key has signed: for a key that got into wrong hands. Everybody has to sign in again
    #[arg(long)]
    pub(crate) drop_old: bool,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

pub(crate) const ISSUER_EXAMPLES: &str = "Change the key now and then; nobody notices:
  tidegate issuer rotate
If somebody has read the data folder:
  tidegate issuer rotate --drop-old
Each node has a key of its own. It needs a client with the role data.admin.";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct RevokeArgs {
    #[command(subcommand)]
    pub(crate) command: Option<RevokeCommand>,
    #[command(flatten)]
    pub(crate) what: RevokeWhat,
    /// Who gave the tokens: embedded, keys, or the name of a configured issuer [default: embedded; with --before: every issuer]
    #[arg(long, value_name = "NAME")]
    pub(crate) issuer: Option<String>,
    /// Why; it is listed
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct RevokeWhat {
    /// One token, read from standard input so that no shell keeps it; it is denied until it ends
    #[arg(long)]
    pub(crate) token: bool,
    /// One token, by its id (jti)
    #[arg(long, value_name = "ID")]
    pub(crate) token_id: Option<String>,
    /// All tokens about somebody (sub)
    #[arg(long, value_name = "SUBJECT")]
    pub(crate) subject: Option<String>,
    /// All tokens of a client
    #[arg(long, value_name = "CLIENT")]
    pub(crate) client: Option<String>,
    /// All tokens that were given before this time: now, now-1h, 2026-11-22T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    pub(crate) before: Option<Timestamp>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RevokeCommand {
    /// List what is revoked, a line each; the first word is what `undo` takes
    List(NodeArgs),
    /// Take it back: such tokens are let in again
    Undo(UndoArgs),
}

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// What it is called, as `list` prints it
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

pub(crate) const REVOKE_EXAMPLES: &str = "Denies tokens that are good still. Within two seconds no node lets their bearers in, WebSockets of theirs are closed with
4401, and event streams end. It outlives restarts.
  a token was seen in a log:      tidegate revoke --token --reason \"in a log\" < token
  somebody left:                  tidegate revoke --issuer corp --subject alice --reason left
  a client's secret leaked:       tidegate revoke --client dashboard; change it, then `undo`
  nobody knows what leaked:       tidegate revoke --before now
                                  everybody gets a new token; keys are to be rotated
  what is revoked, and back:      tidegate revoke list
                                  tidegate revoke undo ID

All of it needs a client with the role data.admin.";

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::from_request(text, now())
}

/// A span of time, in seconds.
fn seconds(text: &str) -> Result<i32, String> {
    let span = Timestamp::from_request(&format!("now+{text}"), Timestamp(0)).ok();
    let seconds = span.and_then(|span| i32::try_from(span.0 / 1_000_000).ok());
    seconds.ok_or_else(|| format!("{text:?} is not a span of time: expected such as 30s, 1h or 2d"))
}
