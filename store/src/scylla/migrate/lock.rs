//! One process at a time changes the schema: servers that hear of two changes at once may not agree on either.

use std::time::{Duration, Instant};

use scylla::client::session::Session;
use scylla::serialize::row::SerializeRow;
use scylla::value::Row;

use super::super::call;
use super::super::fault::Fault;
use super::{execute, failed};
use crate::StoreError;

pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_lock (name text PRIMARY KEY, holder text)";

/// How long a lock outlives a holder that has died, in seconds: longer than any one statement may take.
pub(super) const TTL_SECONDS: u64 = 90;
const WAIT: Duration = Duration::from_millis(500);
/// Longer than a dead holder's lock lasts, and than others need for all steps.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// The lock, held.
pub(super) struct Lock<'s> {
    session: &'s Session,
    holder: String,
    seconds: u64,
}

impl<'s> Lock<'s> {
    /// Waits until no other process has it.
    pub(super) async fn take(session: &'s Session, seconds: u64) -> Result<Self, StoreError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| StoreError::Open(format!("the schema's lock: no random numbers: {error}")))?;
        let lock =
            Self { session, holder: random.iter().map(|byte| format!("{byte:02x}")).collect(), seconds };
        let take = format!(
            "INSERT INTO schema_lock (name, holder) VALUES ('migrate', ?) IF NOT EXISTS USING TTL {seconds}"
        );
        let started = Instant::now();
        // A try whose answer was lost may have taken it: then it is renewed.
        while !lock.applies(&take, (&lock.holder,)).await? && !lock.is_held().await? {
            if started.elapsed() > WAIT_MAX {
                return Err(StoreError::Open(
                    "another process has been changing the schema for long: try again".into(),
                ));
            }
            tokio::time::sleep(WAIT).await;
        }
        Ok(lock)
    }

    /// Keeps it; fails where another process has taken it meanwhile.
    pub(super) async fn renew(&self) -> Result<(), StoreError> {
        if self.is_held().await? {
            return Ok(());
        }
        Err(StoreError::Open(
            "the schema's lock was lost to another process, which goes on: try again".into(),
        ))
    }

    /// Gives it back. If that fails, it ends by itself.
    pub(super) async fn release(self) {
        let release = "DELETE FROM schema_lock WHERE name = 'migrate' IF holder = ?";
        if let Err(error) = self.applies(release, (&self.holder,)).await {
            tracing::warn!(%error, "the schema's lock was not given back: it ends by itself");
        }
    }

    async fn is_held(&self) -> Result<bool, StoreError> {
        let renew = format!(
            "UPDATE schema_lock USING TTL {} SET holder = ? WHERE name = 'migrate' IF holder = ?",
            self.seconds
        );
        self.applies(&renew, (&self.holder, &self.holder)).await
    }

    async fn applies(&self, text: &str, values: impl SerializeRow) -> Result<bool, StoreError> {
        let lost = |fault| failed("the lock", &fault);
        let rows = execute(self.session, text, values).await.and_then(call::rows).map_err(lost)?;
        let row: Row = rows.first_row().map_err(|error| lost(Fault::answer(error)))?;
        Ok(row.columns.first().and_then(|value| value.as_ref()).and_then(|value| value.as_boolean())
            == Some(true))
    }
}
