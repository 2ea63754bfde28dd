//! How a request gets to the servers and back: within a number of requests and a time, tried again where that may help.
//!
//! The driver's own retries are off: a cluster of one node has no other to ask, and what may be repeated is known here.
//! Every plain write is idempotent, as its key comes from a position: one that timed out may be applied or not, and is
//! written again. A compare-and-set is none: [`Calls::cas`] asks once, and its caller finds out by a serial read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use scylla::client::session::Session;
use scylla::errors::ExecutionError;
use scylla::response::query_result::{QueryResult, QueryRowsResult};
use scylla::serialize::batch::BatchValues;
use scylla::serialize::row::SerializeRow;
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::value::Row;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout_at;

use super::ScyllaOptions;
use super::fault::Fault;
use crate::StoreError;

const WAIT_MIN: Duration = Duration::from_millis(25);
const WAIT_MAX: Duration = Duration::from_secs(1);

/// What a compare-and-set came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cas {
    /// It was applied.
    Applied,
    /// Something else was there.
    Refused,
    /// Nobody knows: the request was sent, and its answer did not come.
    Unknown,
}

/// The servers, and how much may be asked of them.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) session: Session,
    permits: Semaphore,
    time_max: Duration,
    /// How many requests there were.
    pub(super) sent: AtomicU64,
}

impl Calls {
    pub(super) fn new(session: Session, options: &ScyllaOptions) -> Self {
        let (permits, time_max) =
            (Semaphore::new(options.requests_max), Duration::from_millis(options.call_ms));
        Self { session, permits, time_max, sent: AtomicU64::new(0) }
    }

    /// Runs an idempotent statement.
    pub(super) async fn run(
        &self,
        doing: &'static str,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<QueryResult, StoreError> {
        self.until_answered(doing, || self.session.execute_unpaged(statement, &values)).await
    }

    /// Runs an idempotent statement that gives rows.
    pub(super) async fn query(
        &self,
        doing: &'static str,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<QueryRowsResult, StoreError> {
        let answer = self.run(doing, statement, values).await?;
        rows(answer).map_err(|fault| fault.while_doing(doing))
    }

    /// Writes rows by a statement that takes each, as one request: rows of one partition, or of a few.
    pub(super) async fn write<V: SerializeRow>(
        &self,
        doing: &'static str,
        statement: &PreparedStatement,
        rows: &[V],
    ) -> Result<(), StoreError> {
        match rows {
            [] => Ok(()),
            [row] => self.run(doing, statement, row).await.map(|_| ()),
            rows => {
                let statements = vec![BatchStatement::PreparedStatement(statement.clone()); rows.len()];
                let mut batch = Batch::new_with_statements(BatchType::Unlogged, statements);
                batch.set_is_idempotent(true);
                self.until_answered(doing, || self.session.batch(&batch, rows)).await.map(|_| ())
            }
        }
    }

    /// Asks until there is an answer, or no time left for another try.
    async fn until_answered<F>(
        &self,
        doing: &'static str,
        mut ask: impl FnMut() -> F,
    ) -> Result<QueryResult, StoreError>
    where
        F: Future<Output = Result<QueryResult, ExecutionError>>,
    {
        let mut tries = self.tries(doing);
        loop {
            // Given back before the wait: those that would work need not wait for one that does not.
            let permit = self.permit(&tries).await?;
            let Ok(answer) = timeout_at(tries.deadline.into(), ask()).await else { return Err(tries.late()) };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    drop(permit);
                    tries.after(error).await?;
                }
            }
        }
    }

    /// Compares and sets, once.
    pub(super) async fn cas(
        &self,
        doing: &'static str,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<Cas, StoreError> {
        let _permit = self.permit(&self.tries(doing)).await?;
        settle(doing, self.session.execute_unpaged(statement, values).await)
    }

    /// Compares and sets several rows of one partition, once.
    pub(super) async fn cas_batch(
        &self,
        doing: &'static str,
        batch: &Batch,
        values: impl BatchValues,
    ) -> Result<Cas, StoreError> {
        let _permit = self.permit(&self.tries(doing)).await?;
        settle(doing, self.session.batch(batch, values).await)
    }

    /// How long a compare-and-set that nobody has answered is asked about.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.time_max
    }

    async fn permit(&self, tries: &Tries) -> Result<SemaphorePermit<'_>, StoreError> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        match timeout_at(tries.deadline.into(), self.permits.acquire()).await {
            Ok(permit) => permit.map_err(|error| StoreError::unavailable(tries.doing, error)),
            Err(_) => Err(tries.late()),
        }
    }

    fn tries(&self, doing: &'static str) -> Tries {
        Tries { doing, deadline: self.deadline(), time_max: self.time_max, wait: WAIT_MIN, last: None }
    }
}

/// A request that is tried until it works, or its time is over.
struct Tries {
    doing: &'static str,
    deadline: Instant,
    time_max: Duration,
    wait: Duration,
    /// Why the last try failed.
    last: Option<String>,
}

impl Tries {
    /// Waits before the next try; gives the error where there is none.
    async fn after(&mut self, error: ExecutionError) -> Result<(), StoreError> {
        let fault = Fault::from(error);
        if !fault.may_pass() {
            return Err(fault.while_doing(self.doing));
        }
        self.last = Some(fault.into_text());
        if Instant::now() + self.wait >= self.deadline {
            return Err(self.late());
        }
        tokio::time::sleep(self.wait).await;
        self.wait = (self.wait * 2).min(WAIT_MAX);
        Ok(())
    }

    /// The error of a call whose time is over.
    fn late(&self) -> StoreError {
        let tried = self.time_max.as_millis();
        let last =
            self.last.as_deref().unwrap_or("no answer came, or no request was free (store.requests_max)");
        StoreError::unavailable(self.doing, format!("{last}; it was tried for {tried} ms (store.call_ms)"))
    }
}

/// The rows of an answer.
pub(super) fn rows(answer: QueryResult) -> Result<QueryRowsResult, Fault> {
    answer.into_rows_result().map_err(Fault::answer)
}

fn settle(doing: &'static str, answer: Result<QueryResult, ExecutionError>) -> Result<Cas, StoreError> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let fault = Fault::from(error);
            return if fault.may_pass() { Ok(Cas::Unknown) } else { Err(fault.while_doing(doing)) };
        }
    };
    let applied = || -> Result<bool, Fault> {
        let row: Row = rows(answer)?.first_row().map_err(Fault::answer)?;
        let applied =
            row.columns.first().and_then(|value| value.as_ref()).and_then(|value| value.as_boolean());
        applied.ok_or_else(|| Fault::answer("a compare-and-set was answered without [applied]"))
    };
    match applied() {
        Ok(true) => Ok(Cas::Applied),
        Ok(false) => Ok(Cas::Refused),
        Err(fault) => Err(fault.while_doing(doing)),
    }
}
