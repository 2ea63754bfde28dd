//! Shelves of documents: few, read whole, compared and set. Each is one partition of one table, so that one compare-and-set changes
//! a document and the shelf's revision.

use scylla::response::query_result::QueryRowsResult;

use super::Scylla;
use super::call::Cas;
use super::leases::again;
use crate::{Entry, StoreError};

/// The shelf of streams and shapes.
pub(super) const CATALOG: i32 = 0;
/// The shelf of small documents that all nodes share.
pub(super) const ENTRIES: i32 = 1;

/// Where a document stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) shelf: i32,
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
}

/// What becomes of a document.
#[derive(Clone, Copy)]
pub(super) enum Change<'a> {
    /// It is written over the version before this one, or where there is none if this is the first.
    Put { version: u64, document: &'a str },
    /// It is removed, if it has this version.
    Remove { version: u64 },
}

impl Change<'_> {
    /// Whether it was made, as what a serial read has found tells; `None` where it was not, and may be.
    fn outcome(self, there: Option<(u64, &str)>) -> Option<bool> {
        match (self, there) {
            (Self::Put { version, document }, Some((there, text))) if there == version => {
                Some(text == document)
            }
            (Self::Put { version, .. }, there) => {
                let before = there.map_or(0, |(there, _)| there);
                (before.checked_add(1) != Some(version)).then_some(false)
            }
            // Perhaps by somebody else: gone it is.
            (Self::Remove { .. }, None) => Some(true),
            (Self::Remove { version }, Some((there, _))) => (there != version).then_some(false),
        }
    }
}

impl Scylla {
    /// All documents of a kind, by name.
    pub(super) async fn shelved(
        &self,
        doing: &'static str,
        shelf: i32,
        kind: &str,
    ) -> Result<Vec<Entry>, StoreError> {
        let unreadable = |error| StoreError::unavailable(doing, error);
        let rows = self.0.calls.query(doing, &self.0.statements.entries, (shelf, kind)).await?;
        let rows =
            rows.rows::<(String, i64, String)>().map_err(|error| StoreError::unavailable(doing, error))?;
        rows.map(|row| {
            let (name, version, document) = row.map_err(unreadable)?;
            Ok(Entry { name, version: version as u64, document })
        })
        .collect()
    }

    /// One document.
    pub(super) async fn shelved_at(
        &self,
        doing: &'static str,
        Place { shelf, kind, name }: Place<'_>,
    ) -> Result<Option<Entry>, StoreError> {
        let rows = self.0.calls.query(doing, &self.0.statements.entry, (shelf, kind, name)).await?;
        let there = read(doing, &rows)?;
        Ok(there.map(|(version, document)| Entry { name: name.into(), version, document: document.into() }))
    }

    /// The number of a shelf's last change.
    pub(super) async fn revision_of(&self, doing: &'static str, shelf: i32) -> Result<u64, StoreError> {
        let rows = self.0.calls.query(doing, &self.0.statements.revision, (shelf,)).await?;
        let row = rows.maybe_first_row::<(Option<i64>,)>();
        let row = row.map_err(|error| StoreError::unavailable(doing, error))?;
        Ok(row.and_then(|(revision,)| revision).unwrap_or(0) as u64)
    }

    /// Changes a document, and with it the shelf's revision where one is given; `false` where another version is there. Where no
    /// answer comes, a serial read says what became of it.
    pub(super) async fn change(
        &self,
        doing: &'static str,
        place: Place<'_>,
        change: Change<'_>,
        revision: Option<i64>,
    ) -> Result<bool, StoreError> {
        if matches!(change, Change::Put { version: 0, .. }) {
            return Ok(false);
        }
        let Place { shelf, kind, name } = place;
        let deadline = self.0.calls.deadline();
        let mut in_doubt = false;
        loop {
            match self.try_change(doing, place, change, revision).await? {
                Cas::Applied => return Ok(true),
                Cas::Refused if !in_doubt => return Ok(false),
                // Perhaps by the one before it.
                Cas::Refused => {}
                Cas::Unknown => in_doubt = true,
            }
            let settled = &self.0.statements.entry_settled;
            let there = self.0.calls.query(doing, settled, (shelf, kind, name)).await?;
            match change.outcome(read(doing, &there)?) {
                Some(outcome) => return Ok(outcome),
                None => again(doing, deadline).await?,
            }
        }
    }

    /// Compares and sets, once.
    async fn try_change(
        &self,
        doing: &'static str,
        Place { shelf, kind, name }: Place<'_>,
        change: Change<'_>,
        revision: Option<i64>,
    ) -> Result<Cas, StoreError> {
        let (calls, statements) = (&self.0.calls, &self.0.statements);
        let revision = revision.map(|revision| (revision, shelf));
        match change {
            Change::Put { version: 1, document } => {
                let (first, values) = (&statements.first_entry, (shelf, kind, name, 1_i64, document));
                match revision {
                    Some(revision) => {
                        calls.cas_batch(doing, &statements.with_revision(first), (values, revision)).await
                    }
                    None => calls.cas(doing, first, values).await,
                }
            }
            Change::Put { version, document } => {
                let before = version.saturating_sub(1) as i64;
                let (next, values) =
                    (&statements.next_entry, (version as i64, document, shelf, kind, name, before));
                match revision {
                    Some(revision) => {
                        calls.cas_batch(doing, &statements.with_revision(next), (values, revision)).await
                    }
                    None => calls.cas(doing, next, values).await,
                }
            }
            Change::Remove { version } => {
                let (remove, values) = (&statements.remove_entry, (shelf, kind, name, version as i64));
                match revision {
                    Some(revision) => {
                        calls.cas_batch(doing, &statements.with_revision(remove), (values, revision)).await
                    }
                    None => calls.cas(doing, remove, values).await,
                }
            }
        }
    }
}

/// Version and document of a row.
fn read<'a>(doing: &'static str, rows: &'a QueryRowsResult) -> Result<Option<(u64, &'a str)>, StoreError> {
    let row = rows.maybe_first_row::<(Option<i64>, Option<&str>)>();
    let row = row.map_err(|error| StoreError::unavailable(doing, error))?;
    Ok(row.and_then(|(version, document)| Some((version? as u64, document?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_serial_read_finds_says_what_became_of_a_change() {
        let put = |version| Change::Put { version, document: "new" };
        let remove = |version| Change::Remove { version };
        for (change, there, outcome) in [
            (put(1), None, None),
            (put(1), Some((1, "new")), Some(true)),
            (put(1), Some((1, "other")), Some(false)),
            (put(1), Some((2, "new")), Some(false)),
            (put(2), None, Some(false)),
            (put(2), Some((1, "old")), None),
            (put(2), Some((2, "new")), Some(true)),
            (put(2), Some((3, "new")), Some(false)),
            (remove(1), None, Some(true)),
            (remove(1), Some((1, "old")), None),
            (remove(1), Some((2, "new")), Some(false)),
        ] {
            assert_eq!(change.outcome(there), outcome, "{there:?}");
        }
    }
}
