//! The store that the settings name, opened.

use std::path::Path;
use std::sync::Arc;

use schema::Clock;
use store::Store;
use store::embedded::Embedded;
use store::scylla::Scylla;

use crate::commands::Failure;
use crate::config::StoreSettings;

/// Says which log feeds a keyspace: whoever has this file has the log beside it.
const LOG_ID: &str = "log-id";

/// An open store.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    /// The same, where this process has to sweep it.
    pub(crate) swept: Option<Embedded>,
}

/// Opens the store in the data folder, or the one that `store.url` names; who has a log is bound to that one.
pub(crate) async fn open(
    settings: &StoreSettings,
    data: &Path,
    has_log: bool,
    clock: Clock,
) -> Result<Opened, Failure> {
    if settings.is_embedded() {
        let store = Embedded::open(&data.join("store"), settings.embedded())?;
        return Ok(Opened { store: Arc::new(store.clone()), swept: Some(store) });
    }
    let store = Scylla::open(&settings.cql(), &settings.password()?, clock).await?;
    if has_log {
        bind(&store, &settings.url, data).await?;
    }
    Ok(Opened { store: Arc::new(store), swept: None })
}

/// The id of the log in a data folder; none where no node on CQL has run.
pub(crate) fn log_id(data: &Path) -> Option<String> {
    std::fs::read_to_string(data.join(LOG_ID)).ok()
}

/// Two embedded logs name their partitions alike, and each would take the other's checkpoints for its own: so a keyspace is
/// fed by one of them only.
async fn bind(store: &Scylla, url: &str, data: &Path) -> Result<(), Failure> {
    let file = data.join(LOG_ID);
    let id = match std::fs::read_to_string(&file) {
        Ok(id) => id,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut random = [0; 16];
            getrandom::fill(&mut random)?;
            let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            std::fs::write(&file, &id)?;
            id
        }
        Err(error) => return Err(format!("{} can't be read: {error}", file.display()).into()),
    };
    if store.bind_log(&id).await? {
        return Ok(());
    }
    Err(format!(
        "{url} is fed by the embedded log of another data folder than {}, and one log only may feed a keyspace: start \
         with that folder, or give this one a keyspace of its own",
        data.display()
    )
    .into())
}
