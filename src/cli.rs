//! The command line.

pub(crate) mod credentials;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use credentials::{
    CLIENTS_EXAMPLES, ClientsCommand, KEYS_EXAMPLES, KeysCommand, REVOKE_EXAMPLES, RevokeArgs,
};

/// Turns streams of JSON messages into a typed, live GraphQL API over a time-series store.
///
/// Without a command it runs a node that does everything in one process, on an embedded store. Start with
/// `tidegate --demo`, open the page that it names, and try its tabs.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "Examples:
  tidegate --demo                                        lifelike traffic in ./tidegate-demo
  tidegate --config tidegate.toml --data /var/lib/tidegate
  tidegate publish orders '{\"total\": 12.5}' --key alice
  tidegate query '{ streams { name rootField } }'
  tidegate tail orders --from now-15m
  TIDEGATE__SERVER__LISTEN=127.0.0.1:5000 tidegate       any setting, by the environment
  tidegate config reference                              every setting, with its default";

/// How to run a node.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Send lifelike traffic, into a data folder of its own: ./tidegate-demo
    #[arg(long)]
    pub(crate) demo: bool,
    /// Read settings from this file (see `tidegate config reference`)
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// Where a node is.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaceArgs {
    /// Keep data in this folder [default: ./tidegate-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Listen here [default: 127.0.0.1:4000]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
}

impl ServeArgs {
    /// The same settings, for a node at another place.
    pub(crate) fn at(&self, place: &PlaceArgs) -> Self {
        Self { demo: false, config: self.config.clone(), place: place.clone() }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a node that only takes messages, into a CQL store that it shares with gateways
    Ingest(PlaceArgs),
    /// Run a node that only answers queries and subscriptions, from a CQL store that others write
    Gateway(PlaceArgs),
    /// Say whether a node is ready: for health checks, where there is no curl
    Ready(ReadyArgs),
    /// Send messages to a stream, and wait until they are durable
    Publish(PublishArgs),
    /// Run a GraphQL document, and print the response
    Query(QueryArgs),
    /// Print an access token, and nothing else
    Token(NodeArgs),
    /// Print an address that opens the page signed in, once
    Page(NodeArgs),
    /// List streams; or the partitions of one: who consumes each, and how far behind it is
    Streams(StreamsArgs),
    /// Look at records that could not become messages, and replay or discard them
    #[command(after_help = DEAD_LETTERS_EXAMPLES)]
    DeadLetters {
        #[command(subcommand)]
        command: DeadLettersCommand,
    },
    /// Make, list, rotate and revoke API keys, by which small systems are let in
    #[command(after_help = KEYS_EXAMPLES)]
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Change the key by which the node's own issuer signs tokens
    #[command(after_help = credentials::ISSUER_EXAMPLES)]
    Issuer {
        #[command(subcommand)]
        command: credentials::IssuerCommand,
    },
    /// Make, list, rotate and remove clients of the node's own issuer, beside those of the configuration
    #[command(after_help = CLIENTS_EXAMPLES)]
    Clients {
        #[command(subcommand)]
        command: ClientsCommand,
    },
    /// Deny tokens although they are good still; list what is denied, and take it back
    #[command(after_help = REVOKE_EXAMPLES)]
    Revoke(RevokeArgs),
    /// Print messages as they come, a line of JSON each; a connection that is lost is made again, and nothing is missed
    Tail(TailArgs),
    /// Say whether a data folder is well, and what to do if not
    Doctor(DoctorArgs),
    /// Bring the schema of a CQL store to the one that this binary is written for
    Migrate(MigrateArgs),
    /// Look at settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

/// Which node to talk to.
#[derive(Clone, Debug, Args)]
pub(crate) struct NodeArgs {
    /// The node's address; the client then comes from TIDEGATE_CLIENT_ID and TIDEGATE_CLIENT_SECRET, unless --data is given
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The data folder of a node on this machine [default: ./tidegate-data or ./tidegate-demo, whichever ran last]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

/// By whom a node's certificate has to be, where it speaks https.
#[derive(Clone, Debug, Args)]
pub(crate) struct TrustArgs {
    /// PEM file of the authorities that a node's certificate has to be by [default: those of the data folder's node, or else
    /// those that the system trusts]
    #[arg(long, value_name = "FILE", env = "TIDEGATE_CA")]
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReadyArgs {
    /// The node's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4000")]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The data folder [default: ./tidegate-data or ./tidegate-demo, whichever ran last]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Set aside what is damaged of the log, keep the rest, and say what is missing. The damaged files are kept, too
    #[arg(long)]
    pub(crate) repair: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StreamsArgs {
    /// The stream whose partitions are listed
    pub(crate) stream: Option<String>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// The stream
    pub(crate) stream: String,
    /// A message; without one, NDJSON is read from standard input
    pub(crate) message: Option<String>,
    /// The partition key
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// The topic, where the stream's own rule is not meant
    #[arg(long)]
    pub(crate) topic: Option<String>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// The document; without one, it is read from standard input
    pub(crate) document: Option<String>,
    /// Values of its variables: a JSON object
    #[arg(long, value_name = "JSON")]
    pub(crate) variables: Option<String>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = TAIL_EXAMPLES)]
pub(crate) struct TailArgs {
    /// The stream
    pub(crate) stream: String,
    /// Only this topic; may be given several times
    #[arg(long)]
    pub(crate) topic: Vec<String>,
    /// History first, from this time on: ISO 8601, or such as now-15m
    #[arg(long, value_name = "TIME", conflicts_with = "resume", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// What follows this cursor, of an event or of a query's resumeCursor
    #[arg(long, value_name = "CURSOR")]
    pub(crate) resume: Option<String>,
    /// Only these fields of the data, as the schema spells them
    #[arg(long, value_name = "a,b.c")]
    pub(crate) fields: Option<String>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

const TAIL_EXAMPLES: &str = "Examples:
  tidegate tail telemetry
  tidegate tail user-events --from now-1h --fields cookie_id,message.color
  tidegate tail orders --topic eu --topic us | jq .data.total";

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List them, a line each; the first word is the position, which the other commands take
    List(LettersArgs),
    /// Print one, with its bytes
    Show(LetterArgs),
    /// Decode them again, by the stream's definition as it is now; what is a message by that one becomes one, once
    Replay(LettersToDo),
    /// Remove them, for good
    Discard(LettersToDo),
    /// Print all as NDJSON, with their bytes as `text` where they are UTF-8, and as `base64` where not
    Export(LettersArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LettersArgs {
    /// The stream
    pub(crate) stream: String,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LetterArgs {
    /// The stream
    pub(crate) stream: String,
    /// Where it stands in its log, as `list` prints it
    pub(crate) position: String,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LettersToDo {
    /// The stream
    pub(crate) stream: String,
    /// Where they stand in their logs, as `list` prints it
    #[arg(value_name = "POSITION", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) positions: Vec<String>,
    /// All of the stream's
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

const DEAD_LETTERS_EXAMPLES: &str = "A record that somebody wrote into the log, and that is no message (no JSON, or without the topic that its stream's
rule looks for), is kept as it came for as long as a message would be. What to do with it:
  1. see why:                  tidegate dead-letters list orders
  2. look at one:              tidegate dead-letters show orders shardId-000000000003:1834
  3. mend the definition of the stream, if that was wrong, and start the node again; then
                               tidegate dead-letters replay orders --all
     Those that are messages now are found by queries, and subscribers get them, once.
     The others stay, and the reason is told.
  4. keep the rest elsewhere:  tidegate dead-letters export orders > letters.ndjson
     and let it go:            tidegate dead-letters discard orders --all

All of it needs a client with the role data.admin.";

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read the settings as a node would, and say what is wrong with them
    Check,
    /// Print every setting with its meaning and default, as a file to start from
    Reference,
}
