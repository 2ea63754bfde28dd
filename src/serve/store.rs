//! The store that the settings name, opened.

use std::path::Path;
use std::sync::Arc;

use schema::Clock;
use store::embedded::Embedded;
use store::scylla::Scylla;
use store::{Entries, Store};

use crate::commands::Failure;
use crate::config::Config;

/// Says which log feeds a keyspace: whoever has this file has the log beside it.
const LOG_ID: &str = "log-id";

/// An open store.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    /// The small documents in it.
    pub(crate) entries: Arc<dyn Entries>,
    /// The same, where this process has to sweep it.
    pub(crate) swept: Option<Embedded>,
}

/// Opens the store in the data folder, or the one that `store.url` names; who has a log is bound to that one.
pub(crate) async fn open(
    config: &Config,
    data: &Path,
    has_log: bool,
    clock: Clock,
) -> Result<Opened, Failure> {
    let settings = &config.store;
    if settings.is_embedded() {
        let store = Embedded::open(&data.join("store"), settings.embedded())?;
        let entries = Arc::new(store.clone());
        return Ok(Opened { store: entries.clone(), entries, swept: Some(store) });
    }
    let store = Scylla::open(&settings.cql(), &settings.password()?, clock).await?;
    if has_log {
        let (id, other) = match config.kinesis.is_on() {
            true => (kinesis_id(config), format!("another log than Kinesis in {}", config.kinesis.region)),
            false => {
                let other = format!("the embedded log of another data folder than {}", data.display());
                (own_log_id(data)?, other)
            }
        };
        // Two logs name their partitions alike, and each would take the other's checkpoints for its own.
        if !store.bind_log(&id).await? {
            let url = &settings.url;
            return Err(format!(
                "{url} is fed by {other}, and one log only may feed a keyspace: start with that one, or give this one a keyspace \
                 of its own"
            )
            .into());
        }
    }
    let store = Arc::new(store);
    Ok(Opened { store: store.clone(), entries: store, swept: None })
}

/// The id of the log that a node with these settings would have; none where it is in the data folder and no node on CQL has run.
pub(crate) fn log_id(config: &Config, data: &Path) -> Option<String> {
    match config.kinesis.is_on() {
        true => Some(kinesis_id(config)),
        false => std::fs::read_to_string(data.join(LOG_ID)).ok(),
    }
}

fn kinesis_id(config: &Config) -> String {
    format!("kinesis {}", config.kinesis.region)
}

/// The id of the log in a data folder, made where there is none.
fn own_log_id(data: &Path) -> Result<String, Failure> {
    let file = data.join(LOG_ID);
    match std::fs::read_to_string(&file) {
        Ok(id) => Ok(id),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut random = [0; 16];
            getrandom::fill(&mut random)?;
            let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            std::fs::write(&file, &id)?;
            Ok(id)
        }
        Err(error) => Err(format!("{} can't be read: {error}", file.display()).into()),
    }
}
