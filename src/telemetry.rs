//! Logs: structured, on standard error. Tokens, secrets and payloads are never logged.

use std::io::IsTerminal;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// How to log: `[log]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSettings {
    /// What to log: error, warn, info, debug or trace, and per module as in `info,gateway=debug`.
    pub(crate) level: String,
    /// text or json.
    pub(crate) format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// An object a line, for machines.
    Json,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

/// Starts logging.
///
/// # Errors
/// The level is none.
pub(crate) fn start(settings: &LogSettings) -> Result<(), String> {
    // The database below tells of its own housekeeping; only its warnings concern whoever runs this. And what AWS's client warns
    // of at each try, the consumer tells once. The frames of sockets hold tokens and messages, which trace would show; and handshakes are long.
    let quiet = "fjall=warn,lsm_tree=warn,aws_config=error,aws_runtime=error,aws_smithy_runtime=error,\
                 tungstenite=debug,tokio_tungstenite=debug,rustls=debug";
    let filter = EnvFilter::try_new(format!("{quiet},{}", settings.level)).map_err(|error| {
        format!("log.level is {:?}: {error}; expected error, warn, info, debug or trace", settings.level)
    })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}
