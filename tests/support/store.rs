//! Where the messages of the nodes under test rest: in their data folders; with `TIDEGATE_TEST_STORE=cql`, each in a keyspace of
//! its own on the CQL server that `TIDEGATE_TEST_CQL` names, so that every test says the same of both stores.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use ::store::Store;
use ::store::embedded::{Embedded, EmbeddedOptions};
use ::store::scylla::{Scylla, migrate};
use ::store::testing::cql;
use schema::Clock;

use super::command::{bare, finish};
use super::cql::{Cql, PASSWORD};

/// Settings, as variables of the environment.
type Settings = Vec<(&'static str, String)>;

/// The keyspace of each data folder.
static KEYSPACES: Mutex<Option<HashMap<PathBuf, String>>> = Mutex::new(None);

/// Whether messages rest on a CQL server.
pub(crate) fn is_cql() -> bool {
    match std::env::var("TIDEGATE_TEST_STORE").as_deref() {
        Err(_) | Ok("embedded") => false,
        Ok("cql") => true,
        Ok(other) => panic!("TIDEGATE_TEST_STORE={other}: expected embedded or cql"),
    }
}

/// The name of a keyspace that is not there yet.
pub(crate) fn fresh() -> String {
    cql::fresh("e2e")
}

/// The store of the node with this data folder, made where it has none yet.
pub(super) fn ensure(data: &Path) -> Settings {
    if !is_cql() {
        return Settings::new();
    }
    let there = known(data);
    if !there.is_empty() {
        return there;
    }
    let keyspace = fresh();
    let settings = settings(&keyspace);
    let mut migrate = bare();
    migrate.arg("migrate").envs(settings.iter().cloned());
    let done = finish(migrate, "");
    assert_eq!(done.code, Some(0), "{done:?}");
    change(|keyspaces| keyspaces.insert(data.to_owned(), keyspace));
    settings
}

/// The store of the node with this data folder, if it has one that is not in the folder.
pub(super) fn known(data: &Path) -> Settings {
    let keyspace = change(|keyspaces| keyspaces.get(data).cloned());
    keyspace.map_or_else(Settings::new, |keyspace| settings(&keyspace))
}

/// The store of the node with this data folder, which must have ended if the store is in the folder.
pub(crate) async fn open(data: &Path) -> Arc<dyn Store> {
    let Some(keyspace) = change(|keyspaces| keyspaces.get(data).cloned()) else {
        return Arc::new(Embedded::open(&data.join("store"), EmbeddedOptions::default()).unwrap());
    };
    let options = cql::options_at(cql::server(), &keyspace);
    let clock: Clock = Arc::new(cql::now);
    Arc::new(Scylla::open(&options, &cql::password(), clock).await.unwrap())
}

/// Takes all that the store has from the node with this data folder, which must have ended.
pub(super) fn lose(data: &Path) {
    if is_cql() {
        change(|keyspaces| keyspaces.remove(data));
        ensure(data);
    } else {
        std::fs::remove_dir_all(data.join("store")).unwrap();
    }
}

/// Removes the store of the node with this data folder, which goes, too.
pub(super) fn remove(data: &Path) {
    if let Some(keyspace) = change(|keyspaces| keyspaces.remove(data)) {
        discard(keyspace);
    }
}

/// Removes a keyspace that nobody uses any more, by and by. The more of them a server has, the longer it takes to make another.
pub(crate) fn discard(keyspace: String) {
    static REMOVED: LazyLock<Mutex<Sender<String>>> = LazyLock::new(|| {
        let (removed, keyspaces) = channel::<String>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            for keyspace in keyspaces {
                let options = cql::options_at(cql::server(), &keyspace);
                // If it stays, that is no matter of any test.
                let _ = runtime.block_on(migrate::drop_keyspace(&options, &cql::password()));
            }
        });
        Mutex::new(removed)
    });
    let _ = REMOVED.lock().unwrap_or_else(PoisonError::into_inner).send(keyspace);
}

fn settings(keyspace: &str) -> Settings {
    let Cql { address, user, .. } = Cql::named();
    let mut settings = vec![
        ("TIDEGATE__STORE__URL", format!("scylla://{address}/{keyspace}")),
        ("TIDEGATE__STORE__REPLICATION_FACTOR", "1".into()),
    ];
    if let Some(user) = user {
        settings.push(("TIDEGATE__STORE__USER", user));
        settings.push(("TIDEGATE__STORE__PASSWORD_ENV", PASSWORD.into()));
    }
    settings
}

fn change<T>(change: impl FnOnce(&mut HashMap<PathBuf, String>) -> T) -> T {
    let mut keyspaces = KEYSPACES.lock().unwrap_or_else(PoisonError::into_inner);
    change(keyspaces.get_or_insert_default())
}
