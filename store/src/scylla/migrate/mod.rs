//! Bringing a keyspace to the schema that this binary is written for. `migrations/README.md` says how to write the next step.
//!
//! Several processes may do it at once, and any of them may die: one at a time has the lock, which ends by itself; each
//! statement may be run again; a version is noted after its last statement.

mod columns;
mod lock;
mod steps;

use std::time::Duration;

use scylla::client::session::Session;
use scylla::serialize::row::SerializeRow;
use scylla::statement::unprepared::Statement;

use super::call;
use super::dialect::Dialect;
use super::fault::Fault;
use super::{ScyllaOptions, session};
use crate::StoreError;
use columns::Column;
use lock::Lock;
pub use steps::VERSION;
use steps::{MIGRATIONS, Migration};

/// A change of the schema takes as long as the slowest node needs to hear of it.
const STATEMENT_TIME: Duration = Duration::from_secs(60);

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_versions (shelf int, version int, name text, PRIMARY KEY ((shelf), version))";

/// Brings the keyspace of `options` to [`VERSION`], and makes it where it is not there. `say` hears of every step before it
/// is taken. With `dry_run`, it hears of what would be done, and nothing is.
///
/// # Errors
/// [`StoreError::Open`]: the same call may be made again, and goes on where this one stopped.
pub async fn run(
    options: &ScyllaOptions,
    password: &str,
    dry_run: bool,
    say: impl FnMut(String),
) -> Result<(), StoreError> {
    bring(options, password, How { dry_run, ..How::default() }, say).await
}

/// Removes the keyspace of `options` with all that is in it.
///
/// # Errors
/// [`StoreError::Open`] if it may still be there.
#[cfg(feature = "testing")]
pub async fn drop_keyspace(options: &ScyllaOptions, password: &str) -> Result<(), StoreError> {
    let session = session::connect(options, password, None).await?;
    let statement = format!("DROP KEYSPACE IF EXISTS {}", options.place()?.keyspace);
    execute(&session, &statement, ()).await.map_err(|fault| failed("the keyspace", &fault))?;
    Ok(())
}

/// What a migration does beside what it always does.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// Only says what it would do.
    pub(super) dry_run: bool,
    /// How long the lock outlives a holder that has died.
    pub(super) lock_seconds: u64,
    /// The version to stop at.
    pub(super) upto: i32,
}

impl Default for How {
    fn default() -> Self {
        Self { dry_run: false, lock_seconds: lock::TTL_SECONDS, upto: VERSION }
    }
}

/// [`run`], as `how` says.
pub(super) async fn bring(
    options: &ScyllaOptions,
    password: &str,
    how: How,
    mut say: impl FnMut(String),
) -> Result<(), StoreError> {
    let place = options.place()?;
    let session = session::connect(options, password, None).await?;
    let dialect = Dialect::of(&session).await.map_err(|fault| failed("the server's kind", &fault))?;
    let is_there = keyspace_is_there(&session, &place.keyspace).await?;
    if !is_there {
        say(format!(
            "keyspace {}: made, with {} copies of each row",
            place.keyspace, options.replication_factor
        ));
    }
    if how.dry_run {
        let at = if is_there { version(&session, &place.keyspace).await? } else { 0 };
        say(format!("schema {at} of {VERSION}"));
        for migration in MIGRATIONS.iter().filter(|migration| migration.version > at) {
            for statement in migration.statements() {
                say(format!("{}: {}", migration.name, first_line(&statement)));
            }
        }
        return Ok(());
    }
    if !is_there {
        let statement = dialect.create_keyspace(&place.keyspace, options.replication_factor);
        execute(&session, &statement, ()).await.map_err(|fault| failed("the keyspace", &fault))?;
    }
    let used = session.use_keyspace(&place.keyspace, false).await;
    used.map_err(|error| StoreError::Open(format!("keyspace {} can't be used: {error}", place.keyspace)))?;
    for statement in [VERSIONS, lock::TABLE] {
        execute(&session, statement, ()).await.map_err(|fault| failed("the table of versions", &fault))?;
    }
    let lock = Lock::take(&session, how.lock_seconds).await?;
    let outcome = apply(&session, &place.keyspace, dialect, &lock, how.upto, &mut say).await;
    lock.release().await;
    outcome
}

async fn apply(
    session: &Session,
    keyspace: &str,
    dialect: Dialect,
    lock: &Lock<'_>,
    upto: i32,
    say: &mut impl FnMut(String),
) -> Result<(), StoreError> {
    let at = version(session, keyspace).await?;
    say(format!("schema {at} of {VERSION}"));
    for migration in MIGRATIONS.iter().filter(|step| step.version > at && step.version <= upto) {
        let Migration { version, name, .. } = migration;
        for statement in migration.statements() {
            lock.renew().await?;
            say(format!("{name}: {}", first_line(&statement)));
            let done = match Column::of(&statement) {
                Some(column) => column.add(session, keyspace).await,
                None => execute(session, &dialect.fill(&statement), ()).await.map(|_| ()),
            };
            done.map_err(|fault| failed(&format!("{name}, {}", first_line(&statement)), &fault))?;
        }
        let note = "INSERT INTO schema_versions (shelf, version, name) VALUES (0, ?, ?)";
        let done = execute(session, note, (version, name)).await;
        done.map_err(|fault| failed(name, &fault))?;
    }
    Ok(())
}

/// Refuses a keyspace whose schema is neither this binary's nor the next.
pub(super) async fn check(session: &Session, keyspace: &str) -> Result<(), StoreError> {
    let at = version(session, keyspace).await?;
    if at == VERSION || at == VERSION + 1 {
        return Ok(());
    }
    let remedy = if at < VERSION {
        "run `tidegate migrate` with this binary"
    } else {
        "run a newer binary, whose schema that is"
    };
    Err(StoreError::Open(format!(
        "keyspace {keyspace} has schema {at}, and this binary runs on {VERSION} and {}: {remedy}",
        VERSION + 1
    )))
}

/// The schema's version; 0 before the first.
pub(super) async fn version(session: &Session, keyspace: &str) -> Result<i32, StoreError> {
    let unknown = |fault: Fault| failed("the schema's version", &fault);
    let tables = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'schema_versions'";
    let tables = execute(session, tables, (keyspace,)).await.and_then(call::rows).map_err(unknown)?;
    if tables.rows_num() == 0 {
        return Ok(0);
    }
    let newest = format!(
        "SELECT version FROM {keyspace}.schema_versions WHERE shelf = 0 ORDER BY version DESC LIMIT 1"
    );
    let newest = execute(session, &newest, ()).await.and_then(call::rows).map_err(unknown)?;
    let newest = newest.maybe_first_row::<(i32,)>().map_err(|error| unknown(Fault::answer(error)))?;
    Ok(newest.map_or(0, |(version,)| version))
}

async fn keyspace_is_there(session: &Session, keyspace: &str) -> Result<bool, StoreError> {
    let text = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
    let rows = execute(session, text, (keyspace,)).await.and_then(call::rows);
    Ok(rows.map_err(|fault| failed("the keyspaces", &fault))?.rows_num() > 0)
}

async fn execute(
    session: &Session,
    text: &str,
    values: impl SerializeRow,
) -> Result<scylla::response::query_result::QueryResult, Fault> {
    let mut statement = Statement::new(text);
    statement.set_request_timeout(Some(STATEMENT_TIME));
    Ok(session.query_unpaged(statement, values).await?)
}

fn failed(what: &str, fault: &Fault) -> StoreError {
    let why = match fault {
        Fault::Request(error) => error.to_string(),
        Fault::Answer(error) => error.to_string(),
    };
    StoreError::Open(format!("the CQL store's schema: {what}: {why}"))
}

fn first_line(statement: &str) -> &str {
    statement.lines().next().unwrap_or_default().trim_end_matches(" (")
}
